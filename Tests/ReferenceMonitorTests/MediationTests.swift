// The way of one request: which facts are fetched when, who is told what in which order.

import AccessModel
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import Testing

@Suite struct MediationTests {
  private func decision(_ verdict: Verdict, _ reason: Reason, mode: Mode = .enforce) -> Decision {
    Decision(mechanism: .exec, mode: mode, verdict: verdict, reason: reason)
  }

  @Test func aRuleWithoutConditionsFetchesNothing() {
    let bench = Bench(policy("allow exec"), records: false)
    bench.mediate()
    #expect(bench.journal.fetched == [])
    #expect(bench.journal.answers == [.allow])
    #expect(bench.tally == ["exec allow enforce rule 1"])
  }

  @Test func factsAreFetchedAsTheRulesAskForThem() {
    let bench = Bench(
      policy(
        "allow exec when object.owner == 1\ndeny exec when subject.uid == 0\nallow exec when object.fstype == \"x\""),
      records: false)
    bench.mediate()
    #expect(bench.journal.fetched == [.objectStatus, .subjectStatus])
    #expect(bench.journal.answers == [.deny])
  }

  @Test func theAnswerIsGivenBeforeTheRecordIsMade() {
    let bench = Bench(policy("deny exec"))
    bench.mediate()
    let rule = bench.monitor.policy.rules.rules[0].reference
    #expect(
      bench.journal.steps == [
        .asked(decision(.deny, .rule(rule))), .fetched(.record), .answered(.deny), .appended,
      ])
  }

  @Test func recordFactsAreFetchedOnlyForARecord() {
    let bench = Bench(policy("deny exec when object.owner == 0"), records: false)
    bench.mediate()
    #expect(bench.journal.fetched == [.objectStatus])
    #expect(!bench.journal.steps.contains(.appended))
    #expect(bench.tally == ["exec deny enforce rule 1"], "what is not recorded is counted")
  }

  @Test func aRecordSaysWhatWasDecided() throws {
    let bench = Bench(policy("deny exec")) { $0.object.path = bytes("/tmp/x") }
    bench.mediate {
      $0.operation = .open
      $0.mechanism = .ioctl
    }
    #expect(bench.trail.entries.count == 1)
    bench.mediate()
    let entry = try #require(bench.trail.entries.last)
    #expect(entry.effect == .prevented)
    #expect(entry.answerNanoseconds == 50_000)
    #expect(entry.time == 1_700_000_000_000_000_000)
    #expect(entry.operation == .execute)
    #expect(entry.present == FactSet.record.union(.request) && entry.failure == nil)
    #expect(entry.subject.pid == 42 && entry.object.path == bytes("/tmp/x"))
    #expect(bench.monitor.tally.answerTimes(.exec).count == 1)
  }

  @Test(arguments: IdentityCertainty.allCases)
  func theRecordIsAsCertainAsTheRequestSays(_ identity: IdentityCertainty) {
    let bench = Bench(policy("deny exec"))
    bench.mediate { $0.identity = identity }
    #expect(bench.trail.entries.map(\.subject.identity) == [identity])
  }

  @Test(arguments: [
    ("allow exec when object.owner == 9\ndeny exec", 2 as UInt32), ("deny exec when subject.uid == 7", 0),
    ("allow exec", 1),
  ])
  func theAnswerKnowsWhichRuleSpoke(_ rules: String, _ expected: UInt32) {
    var rule: UInt32 = .max
    Bench(policy(rules), records: false).mediate { $0.answering = { rule = $0.decidingRule } }
    #expect(rule == expected)
  }

  @Test func auditDecidesAndRecordsAndDeniesNothing() throws {
    let bench = Bench(policy("deny exec", mode: .audit, onFailure: .deny))
    bench.mediate()
    #expect(bench.journal.answers == [.allow])
    let entry = try #require(bench.trail.entries.first)
    #expect(entry.decision.verdict == .deny && entry.decision.mode == .audit && entry.effect == .logged)
    #expect(bench.tally == ["exec deny audit rule 1"])
    #expect(bench.monitor.failureAnswer(.exec) == .allow)
  }

  @Test func dataPassesCountedAndUnrecorded() {
    let bench = Bench(policy("deny exec"))
    bench.mediate { $0.operation = .open }
    #expect(bench.journal.steps == [.fetched(.objectContent), .fetched(.subjectProgram), .answered(.allow)])
    #expect(bench.tally == [])
    #expect(bench.monitor.tally.dataPassed(.exec) == 1)
    #expect(bench.monitor.tally.answerTimes(.exec).count == 1)
  }

  @Test(arguments: Verdict.allCases)
  func whatCannotBeToldIsAnsweredByOnFailure(_ verdict: Verdict) {
    let bench = Bench(policy("deny exec", onFailure: verdict), failing: .objectContent)
    bench.mediate { $0.operation = .open }
    #expect(bench.journal.answers == [verdict])
    #expect(bench.tally == ["exec \(verdict.name) enforce object-unreadable 1"])
    #expect(bench.trail.entries.map(\.decision.reason) == [.failure(.objectUnreadable)])
    #expect(bench.trail.entries.first?.failure == .objectUnreadable)
  }

  /// The deadline has answered, counted and recorded it already.
  @Test(arguments: [Operation.execute, .open])
  func aLateDecisionMovesNothing(_ operation: Operation) {
    let bench = Bench(policy("deny exec"))
    bench.mediate {
      $0.operation = operation
      $0.isLate = true
    }
    #expect(bench.trail.entries.isEmpty)
    #expect(bench.tally == [])
    #expect(bench.monitor.tally.dataPassed(.exec) == 0)
    #expect(bench.monitor.tally.answerTimes(.exec).count == 0)
  }

  @Test func aPolicyIsSwappedBetweenTwoRequests() {
    let bench = Bench(policy("deny exec"), records: false)
    bench.mediate()
    bench.monitor.policy = policy("allow exec")
    bench.mediate()
    bench.monitor.policy = policy("deny exec", mode: .off)
    bench.mediate()
    #expect(bench.journal.answers == [.deny, .allow, .allow])
    #expect(bench.tally == ["exec allow audit off 1", "exec allow enforce rule 1", "exec deny enforce rule 1"])
  }

  @Test func aRequestKeepsThePolicyThatItBeganWith() {
    let journal = Journal()
    let trail = FakeTrail(journal, isWanted: false)
    let swap = Swap()
    let monitor = ReferenceMonitor(
      policy: policy("deny exec when object.owner == 0\nallow exec"), trail: trail, monotonic: { 0 }, realtime: { 0 },
      makeInformation: { _, _ in FakeInformation(journal, failing: []) { _ in swap.run() } })
    swap.body = { [unowned monitor] in monitor.policy = policy("allow exec") }
    let desk = monitor.makeDesk(for: .exec, room: FakeRoom())
    monitor.mediate(FakeRequest(journal), at: desk)
    monitor.mediate(FakeRequest(journal), at: desk)
    #expect(journal.answers == [.deny, .allow])
  }

  private final class Swap: @unchecked Sendable {
    var body: () -> Void = {}
    func run() { body() }
  }

  @Test(arguments: Failure.allCases)
  func aFailureWithoutADecisionIsCountedAndRecorded(_ failure: Failure) throws {
    let bench = Bench(policy("allow exec", onFailure: .deny))
    bench.monitor.noteFailure(failure, of: .exec, pid: 9, operation: .open, nanoseconds: 77)
    #expect(bench.tally == ["exec deny enforce \(failure.name) 1"])
    let entry = try #require(bench.trail.entries.first)
    #expect(entry.decision == decision(.deny, .failure(failure)))
    #expect(entry.effect == .prevented && entry.present == .request && entry.answerNanoseconds == 77)
    #expect(entry.subject.pid == 9 && entry.operation == .open)
    #expect(bench.journal.fetched == [], "nobody is held any more")
  }

  @Test(arguments: [
    (Mode.off, Verdict.deny, Verdict.allow), (.audit, .deny, .allow), (.enforce, .deny, .deny),
    (.enforce, .allow, .allow),
  ])
  func aFailureIsAnsweredAsTheModeAllows(_ mode: Mode, _ onFailure: Verdict, _ answer: Verdict) {
    let bench = Bench(policy("allow exec", mode: mode, onFailure: onFailure))
    #expect(bench.monitor.failureAnswer(.exec) == answer)
  }
}
