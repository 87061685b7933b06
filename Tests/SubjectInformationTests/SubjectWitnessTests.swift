// The witness answers allow, once, after it has noted who asked.

import AccessModel
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import SubjectInformation

/// What a request was answered with, and what the table knew by then.
private final class Answers: Sendable {
  let given = Mutex<[(verdict: Verdict, known: Int)]>([])
  let dropped = Atomic(0)
}

/// A request of this test's own process or of a made-up one.
private struct MadeUpRequest: AccessRequest, ~Copyable {
  let subjectPID: Int32
  let answers: Answers
  let table: ProcessTable
  var operation: AccessModel.Operation { .open }
  var mechanism: Mechanism { .exec }
  var objectHandle: Int32 { -1 }
  var received: UInt64 { 0 }

  func describe(into facts: Facts) {}
  func settleIdentity(in facts: Facts) {}
  consuming func answer(_ verdict: Verdict, _ facts: Facts, remembers: () -> Bool) -> Answered {
    let known = table.count
    answers.given.withLock { $0.append((verdict, known)) }
    return .done(.logged)
  }
}

@Suite struct SubjectWitnessTests {
  @Test func whoAsksIsNotedBeforeItIsAnswered() throws {
    let table = try makeTable()
    let witness = SubjectWitness(table)
    let desk = witness.makeDesk(for: .exec, room: Room())
    let answers = Answers()
    let child = try Child(["/usr/bin/sleep", "60"])
    witness.mediate(MadeUpRequest(subjectPID: child.pid, answers: answers, table: table), at: desk)
    #expect(answers.given.withLock { $0.count } == 1)
    #expect(answers.given.withLock { $0[0].verdict == .allow && $0[0].known == 1 })
    let record = try call(of: child.pid)
    child.reap()
    #expect(table.state(of: record)?.certainty == .certain)
    // The same desk serves another, who is gone already.
    witness.mediate(MadeUpRequest(subjectPID: child.pid, answers: answers, table: table), at: desk)
    #expect(answers.given.withLock { $0.count } == 2 && table.count == 1)
    #expect(answers.given.withLock { $0[1].verdict } == .allow)
  }

  @Test(arguments: [0, -1, .max] as [Int32])
  func whoIsNobodyIsAnsweredAllTheSame(_ pid: Int32) throws {
    let table = try makeTable()
    let witness = SubjectWitness(table)
    let answers = Answers()
    witness.mediate(
      MadeUpRequest(subjectPID: pid, answers: answers, table: table), at: witness.makeDesk(for: .exec, room: Room()))
    #expect(answers.given.withLock { $0.count } == 1 && table.count == 0)
  }

  @Test(arguments: Mechanism.allCases)
  func aFailureIsCountedAndAllows(_ mechanism: Mechanism) throws {
    let witness = SubjectWitness(try makeTable())
    #expect(witness.failureAnswer(mechanism) == .allow && witness.missed == 0)
    witness.noteFailure(.deadline, of: mechanism, pid: 1, operation: .open, nanoseconds: 5)
    #expect(witness.missed == 1)
  }
}
