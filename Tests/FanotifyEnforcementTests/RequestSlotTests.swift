// Who answers a request, the worker or the deadline: exactly one of them, whatever the order of their steps.

import Synchronization
import SystemCalls
import Testing

@testable import FanotifyEnforcement

@Suite struct RequestSlotTests {
  @Test func aRequestInTimeIsTheWorkers() {
    let slot = RequestSlot()
    #expect(slot.openSince == nil)
    slot.open(descriptor: 5, pid: 42, executes: true, received: 1000)
    #expect(slot.openSince == 1000)
    #expect(slot.takeLate(before: 1000) == nil, "a request that is as old as the limit is not late")
    #expect(slot.claim(received: 1000))
    #expect(slot.openSince == nil)
    #expect(slot.takeLate(before: .max) == nil)
    #expect(!slot.close())
  }

  @Test func aLateRequestIsTheDeadlines() throws {
    let slot = RequestSlot()
    slot.open(descriptor: 5, pid: 42, executes: true, received: 1000)
    let late = try #require(slot.takeLate(before: 1001))
    #expect(late.descriptor == 5 && late.pid == 42 && late.executes && late.received == 1000)
    #expect(slot.openSince == nil)
    #expect(slot.takeLate(before: .max) == nil, "it is taken once")
    slot.finishLate()
    #expect(slot.takeLate(before: .max) == nil)
    #expect(!slot.claim(received: 1000))
    #expect(slot.close())
    #expect(!slot.close(), "a closed slot has nothing to tell")
  }

  @Test func anIdleSlotHasNothingToTake() {
    let slot = RequestSlot()
    #expect(slot.takeLate(before: .max) == nil)
    #expect(!slot.close())
    slot.open(descriptor: 5, pid: 42, executes: false, received: 1000)
    #expect(slot.claim(received: 1000))
    _ = slot.close()
    #expect(slot.takeLate(before: .max) == nil)
    #expect(slot.openSince == nil)
  }

  @Test func theSlotIsUsedAgain() throws {
    let slot = RequestSlot()
    for round in 1...10 {
      slot.open(descriptor: Int32(round), pid: 42, executes: round % 2 == 0, received: UInt64(round))
      if round % 3 == 0 {
        let late = try #require(slot.takeLate(before: .max))
        #expect(late.descriptor == Int32(round) && late.executes == (round % 2 == 0))
        slot.finishLate()
      }
      #expect(slot.claim(received: UInt64(round)) == (round % 3 != 0))
      #expect(slot.close() == (round % 3 == 0))
    }
  }

  /// While the deadline writes its answer, the descriptor's number must not be used again.
  @Test func aClaimWaitsForTheDeadlinesAnswer() throws {
    let race = Race()
    race.slot.open(descriptor: 5, pid: 42, executes: false, received: 1)
    _ = try #require(race.slot.takeLate(before: .max))
    let worker = try Thread.start("worker") {
      let claimed = race.slot.claim(received: 1)
      race.won.store(claimed ? 1 : 0, ordering: .relaxed)
      race.done.store(true, ordering: .releasing)
    }
    Clock.sleep(nanoseconds: 20_000_000)
    let returnedEarly = race.done.load(ordering: .acquiring)
    race.slot.finishLate()
    worker.join()
    #expect(!returnedEarly)
    #expect(race.wins == 0)
  }

  private final class Race: Sendable {
    static let rounds: UInt64 = 200_000
    let slot = RequestSlot()
    let done = Atomic(false)
    let won = Atomic<UInt64>(0)
    let taken = Atomic<UInt64>(0)
    let mixedUp = Atomic<UInt64>(0)
    var wins: UInt64 { won.load(ordering: .relaxed) }
    var takeovers: UInt64 { taken.load(ordering: .relaxed) }
    var mistakes: UInt64 { mixedUp.load(ordering: .relaxed) }
    /// The deadline is between taking a request over and finishing its answer.
    let answering = Atomic(false)
  }

  /// Every request is answered by one side only, and both sides agree which.
  @Test func oneOfWorkerAndDeadlineWinsEveryRound() throws {
    let race = Race()
    let deadline = try Thread.start("deadline") {
      while !race.done.load(ordering: .acquiring) {
        guard let late = race.slot.takeLate(before: .max) else { continue }
        race.answering.store(true, ordering: .sequentiallyConsistent)
        let expected = Int32(truncatingIfNeeded: late.received)
        if late.descriptor != expected || late.pid != expected &+ 1 || late.executes != (late.received % 2 == 0) {
          race.mixedUp.wrappingAdd(1, ordering: .relaxed)
        }
        race.taken.wrappingAdd(1, ordering: .relaxed)
        race.answering.store(false, ordering: .sequentiallyConsistent)
        race.slot.finishLate()
      }
    }
    var (won, lost, disagreed) = (UInt64(0), UInt64(0), UInt64(0))
    // More rounds where one side won them all, as it may on a busy machine.
    let end = Clock.monotonic() + 30_000_000_000
    var received: UInt64 = 0
    while received < Race.rounds || (won == 0 || lost == 0) && Clock.monotonic() < end {
      received += 1
      let number = Int32(truncatingIfNeeded: received)
      race.slot.open(descriptor: number, pid: number &+ 1, executes: received % 2 == 0, received: received)
      for _ in 0..<Int(received % 40) { _ = race.slot.openSince }
      let claimed = race.slot.claim(received: received)
      if !claimed, race.answering.load(ordering: .sequentiallyConsistent) { disagreed += 1 }
      if claimed { won += 1 } else { lost += 1 }
      if race.slot.close() == claimed { disagreed += 1 }
    }
    race.done.store(true, ordering: .releasing)
    deadline.join()
    #expect(won + lost == received)
    #expect(race.takeovers == lost)
    #expect(disagreed == 0)
    #expect(race.mistakes == 0)
    #expect(won > 0 && lost > 0, "a race that one side always wins tests nothing")
  }
}
