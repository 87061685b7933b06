// Which state of which process a record is about, on states and times that the test makes up.

import AccessModel
import Testing

@testable import SubjectInformation

/// Hundredths of a second since boot, as start times are counted on the kernels that this runs on.
private let tick = CallMoment.nanoseconds(ofTicks: 1)

@Suite struct ProcessHistoryTests {
  private static let bash = Array("/usr/bin/bash".utf8)
  private static let round = 100 * tick

  private func subject(_ start: UInt64, uid: UInt32 = 1000, _ program: String = "/usr/bin/bash") -> SubjectFacts {
    var subject = SubjectFacts()
    subject.pid = 77
    subject.parent = 7
    subject.startTime = start
    subject.uid = uid
    subject.euid = uid
    subject.gid = uid
    subject.egid = uid
    subject.executable = Array(program.utf8)
    return subject
  }

  /// A state of a process that began at `start` and was read at `since`, both in ticks.
  private func state(
    _ start: UInt64, since: Int64, uid: UInt32 = 1000, capabilities: UInt64 = 0, _ program: String = "/usr/bin/bash"
  ) -> ProcessState {
    var subject = subject(start, uid: uid, program)
    subject.effectiveCapabilities = CapabilitySet(bits: capabilities)
    subject.permittedCapabilities = CapabilitySet(bits: capabilities)
    subject.userNamespaceInitial = true
    return ProcessState(subject, known: ProcessState.least, at: since * tick)
  }

  private func history(_ states: ProcessState...) -> ProcessHistory {
    var history = ProcessHistory()
    for state in states { history.record(state) }
    return history
  }

  private enum Outcome: Equatable {
    case found(since: Int64)
    case unclear, unseen
  }

  private func match(
    _ history: ProcessHistory, at time: Int64, start: UInt64? = nil, parent: Int32 = 7, uid: UInt32 = 1000,
    _ program: String = "/usr/bin/bash"
  ) -> Outcome {
    var recorded = subject(0, uid: uid, program)
    recorded.parent = parent
    switch history.match(recorded, at: CallMoment(earliest: time * tick), start: start, round: Self.round) {
    case .found(let state): return .found(since: state.since / tick)
    case .unclear: return .unclear
    case .unseen: return .unseen
    }
  }

  /// Start 1000, read at 1001, seen last at 1001; a round of numbers takes 100 ticks.
  @Test(
    arguments: [
      (1010, 7, true), (1050, 7, true), (1098, 7, true),
      // It may have ended and its number have been given to another.
      (1099, 7, false), (5000, 7, false),
      // About when it began: the parent tells it from whoever had the number before.
      (1000, 7, true), (1001, 7, true), (999, 7, true), (1001, 8, false), (1002, 8, true),
    ] as [(Int64, Int32, Bool)])
  func oneProcessAndTheTimeOfTheCall(_ time: Int64, _ parent: Int32, _ isFound: Bool) {
    let outcome = match(history(state(1000, since: 1001)), at: time, parent: parent)
    #expect(outcome == (isFound ? .found(since: 1001) : .unclear))
  }

  @Test func beforeItBeganItWasSomebodyElse() {
    #expect(match(history(state(1000, since: 1001)), at: 900) == .unseen)
  }

  @Test func whoIsProvenToLiveNeedsNoTime() {
    let history = history(state(1000, since: 1001))
    #expect(match(history, at: 90_000, start: 1000) == .found(since: 1001))
    #expect(match(history, at: 90_000, start: 1001) == .unseen, "another process, of which nothing is known")
  }

  @Test(
    arguments: [(1050, 1001), (2060, 2051), (2050, nil), (2047, 1001), (2048, nil), (2051, nil), (2052, 2051)]
      as [(Int64, Int64?)])
  func aNumberThatCameRoundIsToldByTime(_ time: Int64, _ since: Int64?) {
    var first = state(1000, since: 1001)
    // It was seen alive until shortly before the other began.
    first.seen = 2050 * tick
    let history = history(first, state(2050, since: 2051, capabilities: 1))
    #expect(match(history, at: time) == since.map { .found(since: $0) } ?? .unclear)
  }

  @Test func idsAndProgramMustBeTheRecords() {
    let history = history(state(1000, since: 1001))
    #expect(match(history, at: 1010, uid: 0) == .unclear)
    #expect(match(history, at: 1010, "/usr/bin/zsh") == .unclear)
    for change in [\SubjectFacts.uid, \.euid, \.gid, \.egid] as [WritableKeyPath<SubjectFacts, UInt32>] {
      var recorded = subject(0)
      recorded[keyPath: change] = 0
      #expect(!state(1000, since: 1001).fits(recorded))
    }
    var renamed = subject(0)
    renamed.comm = Array("other".utf8)
    #expect(state(1000, since: 1001).fits(renamed), "a process names itself as it likes")
  }

  /// unshare(1) is gone the moment after it called: the shell that it executed has its number and start.
  @Test func aLateRecordIsAboutTheProgramBefore() {
    let history = history(
      state(1000, since: 1001, capabilities: 2, "/usr/bin/unshare"), state(1000, since: 1003, "/usr/bin/bash"))
    #expect(match(history, at: 1002, "/usr/bin/unshare") == .found(since: 1001))
    #expect(match(history, at: 1004, "/usr/bin/bash") == .found(since: 1003))
    #expect(match(history, at: 1010, "/usr/bin/unshare") == .unclear, "it runs that program no more")
  }

  @Test func twoStatesThatDisagreeAboutOneMomentTellNothing() {
    let history = history(state(1000, since: 1001, capabilities: 2), state(1000, since: 1010))
    #expect(match(history, at: 1005) == .found(since: 1001))
    #expect(match(history, at: 1009) == .unclear)
    #expect(match(history, at: 1011) == .found(since: 1010))
  }

  @Test func beforeItsFirstProgramItIsACopyOfItsParent() {
    let history = history(state(1000, since: 1020, "/usr/bin/mount"))
    #expect(match(history, at: 1010) == .unseen)
    #expect(match(history, at: 1025) == .unclear, "it had been seen to run another program by then")
  }

  @Test func whoChangedItselfIsNoCopy() {
    var history = ProcessHistory()
    history.setCapabilities(effective: CapabilitySet(), permitted: CapabilitySet(), at: 1010 * tick)
    #expect(match(history, at: 1011) == .unclear)
    history.record(state(1000, since: 1020, "/usr/bin/mount"))
    #expect(match(history, at: 1011) == .unclear)
    history.record(state(3000, since: 3020, "/usr/bin/mount"))
    #expect(match(history, at: 3011) == .unseen, "another process")
  }

  @Test func seeingItAgainOnlyProlongsIt() {
    var history = history(state(1000, since: 1001), state(1000, since: 1500))
    #expect(history.states.count == 1 && history.states[0].since == 1001 * tick)
    #expect(match(history, at: 1400) == .found(since: 1001))
    history.record(state(900, since: 1600))
    history.record(state(1000, since: 1400, capabilities: 4))
    #expect(history.states.count == 1, "what a slower reader brings late is old")
  }

  @Test func onlyTheLastStatesAreKept() {
    var history = ProcessHistory()
    for index in 0..<20 as Range<Int64> {
      history.record(state(1000, since: 1001 + index * 10, capabilities: UInt64(index)))
    }
    #expect(history.states.count == ProcessHistory.depth)
    #expect(match(history, at: 1005) == .unclear)
    #expect(match(history, at: 1185) == .found(since: 1181))
  }

  @Test func whatIsOverForLongIsDropped() {
    var history = history(state(1000, since: 1001), state(1000, since: 1100, capabilities: 1))
    let early = history.trim(at: 1100 * tick + ProcessHistory.keep)
    let later = history.trim(at: 1101 * tick + ProcessHistory.keep)
    #expect(early == 0 && later == 1)
    #expect(history.states.count == 1)
    #expect(match(history, at: 1005, start: 1000) == .unclear, "what it was then is not known any more")
  }

  @Test func capabilitiesThatWereSetHoldFromThenOn() {
    var old = history(state(1000, since: 1001, capabilities: 6))
    old.setCapabilities(
      effective: CapabilitySet(bits: 9), permitted: CapabilitySet(bits: 15), at: 2000 * tick)
    #expect(old.newest?.subject.effectiveCapabilities.bits == 9 && old.newest?.subject.permittedCapabilities.bits == 15)
    var young = history(state(1000, since: 1001, capabilities: 6))
    young.setCapabilities(
      effective: CapabilitySet(bits: 10), permitted: CapabilitySet(bits: 15), at: 1010 * tick)
    #expect(
      young.newest?.subject.effectiveCapabilities.bits == 2 && young.newest?.subject.permittedCapabilities.bits == 6,
      "the record may be of the program before: nothing is gained by it")
  }

  @Test func aRecordIsExpectedForTwoSeconds() {
    var history = history(state(1000, since: 1001, capabilities: 6))
    let first = 1010 * tick
    let last = first + 2_000_000_000
    let answers = [first, last - 1, last].map { history.expectsRecord(at: $0) }
    #expect(answers == [true, true, false])
    history.setCapabilities(effective: CapabilitySet(), permitted: CapabilitySet(), at: last)
    let afterRecord = history.expectsRecord(at: last)
    #expect(afterRecord, "that was the record; the next change has its own")
    history.record(state(1000, since: 1300))
    let afterReading = history.expectsRecord(at: last + 2_000_000_000)
    #expect(afterReading, "it was read anew")
  }

  @Test func aCorrectionTakesNothingAwayThatAnotherRecordWillTell() {
    var history = history(state(1000, since: 1001, capabilities: 6))
    history.record(state(1000, since: 1010, capabilities: 2), corrects: true)
    #expect(history.newest?.subject.effectiveCapabilities.bits == 6 && history.newest?.seen == 1010 * tick)
    history.record(state(1000, since: 1020, capabilities: 14), corrects: true)
    #expect(history.states.count == 1 && history.newest?.subject.effectiveCapabilities.bits == 14)
    history.record(state(1000, since: 1030, "/usr/bin/mount"), corrects: true)
    #expect(history.states.count == 2 && history.newest?.subject.effectiveCapabilities.bits == 0, "another program")
  }

  @Test func namespacesThatWereLeftAreForgotten() throws {
    var history = history(state(1000, since: 1001, "/usr/bin/unshare"), state(1000, since: 1005))
    history.forgetNamespaces(at: 1010 * tick)
    #expect(history.states.allSatisfy { !$0.known.contains(.subjectNamespaces) })
    #expect(history.newest?.known.contains(.subjectCapabilities) == true)
    var now = state(1000, since: 1011)
    now.subject.userNamespaceInitial = false
    history.record(now, corrects: true)
    #expect(history.states.count == 2 && history.newest?.since == 1005 * tick)
    #expect(history.newest?.subject.userNamespaceInitial == false)
  }

  @Test func timesThatCannotBeAreNoTrap() {
    #expect(CallMoment.nanoseconds(ofTicks: .max) > 0)
    #expect(CallMoment(CallFacts()) == nil)
    #expect(match(history(state(.max, since: 1)), at: 1000) == .unseen)
  }
}
