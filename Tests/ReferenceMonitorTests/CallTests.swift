// The way of a request that is a system call: it has happened, and what is known of the subject decides its end.

import AccessModel
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import Testing

@Suite struct CallMediationTests {
  /// A traced process of uid 0, as the kernel's record tells it.
  private func bench(
    _ rules: String, mode: Mode = .enforce, records: Bool = true, failing: FactSet = [], capabilities: UInt64 = 0
  ) -> Bench {
    Bench(policy(rules, mode: mode), records: records, failing: failing) {
      $0.subject.effectiveCapabilities = CapabilitySet(bits: capabilities)
      $0.subject.userNamespaceInitial = true
    }
  }

  private func mediate(
    _ bench: Bench, _ mechanism: Mechanism = .ptrace, said: FactSet = .ofCall, object: Int32 = -1,
    denied: Answered = .done(.contained), isLate: Bool = false
  ) {
    bench.mediate {
      $0.mechanism = mechanism
      $0.operation = .call
      $0.objectHandle = object
      $0.denied = denied
      $0.isLate = isLate
      $0.identity = .inherited
      $0.said = { facts in facts.markPresent(said) }
    }
  }

  private let recordOfCall = FactSet.recordOfCall.subtracting(.subjectCapabilities)

  @Test func whatTheRequestSaysIsNotFetched() throws {
    let bench = bench("deny ptrace when target.uid == 0")
    mediate(bench)
    let decision = try #require(bench.trail.entries.first?.decision)
    #expect(
      bench.journal.steps == [
        .described, .fetched(.subjectCapabilities), .asked(decision), .fetched(recordOfCall), .settled,
        .answered(.deny), .appended,
      ])
    let entry = try #require(bench.trail.entries.first)
    #expect(entry.effect == .contained && entry.containmentFailure == nil)
    #expect(entry.subject.identity == .inherited && entry.operation == .call)
    #expect(entry.present == FactSet.recordOfCall.union(.ofCall).union(.request) && entry.failure == nil)
    #expect(bench.tally == ["ptrace deny enforce rule 1"])
  }

  @Test func containmentIsPreparedForWhetherRecordedOrNot() {
    let bench = bench("deny ptrace", records: false)
    mediate(bench)
    #expect(bench.journal.fetched == [.subjectCapabilities, recordOfCall])
    #expect(bench.journal.steps.suffix(2) == [.settled, .answered(.deny)])
    #expect(bench.trail.entries.isEmpty && bench.tally == ["ptrace deny enforce rule 1"])
  }

  @Test(arguments: [("allow ptrace", Mode.enforce), ("deny ptrace", .audit)])
  func whereNothingIsContainedNothingIsPrepared(_ rules: String, _ mode: Mode) {
    let bench = bench(rules, mode: mode, records: false)
    mediate(bench)
    #expect(bench.journal.fetched == [.subjectCapabilities])
    #expect(bench.journal.answers == [.allow] && !bench.journal.steps.contains(.settled))
  }

  @Test(arguments: ContainmentFailure.allCases)
  func aFailedContainmentIsRecordedAsLogged(_ failure: ContainmentFailure) throws {
    let bench = bench("deny mount")
    mediate(bench, .mount, denied: .notContained(failure))
    let entry = try #require(bench.trail.entries.first)
    #expect(entry.effect == .logged && entry.containmentFailure == failure)
    #expect(entry.decision.verdict == .deny && entry.answerNanoseconds == 50_000)
    #expect(bench.tally == ["mount deny enforce rule 1"])
  }

  @Test func auditContainsNothing() {
    let bench = bench("deny ptrace", mode: .audit)
    mediate(bench)
    #expect(bench.journal.answers == [.allow])
    #expect(bench.trail.entries.map(\.effect) == [.logged])
    #expect(bench.trail.entries.map(\.decision.verdict) == [.deny])
  }

  @Test func aLateAnswerMovesNothing() {
    let bench = bench("deny ptrace")
    mediate(bench, isLate: true)
    #expect(bench.trail.entries.isEmpty && bench.tally == [])
  }

  /// Only ptrace has a target, and only a call whose object is named has one to look at; its content is never read.
  @Test func theRecordHoldsWhatTheCallHas() {
    let module = bench("deny module")
    mediate(module, .module, object: 7)
    let ofObject: FactSet = [.objectStatus, .objectPath, .objectFileSystem]
    #expect(module.journal.fetched.last == recordOfCall.subtracting(.targetExecutable).union(ofObject))
    let clone = bench("deny clone")
    mediate(clone, .clone)
    #expect(clone.journal.fetched.last == recordOfCall.subtracting(.targetExecutable))
  }

  /// Nobody can be asked for it: the rule is undecided, and the decision ends.
  @Test func whatTheRequestDidNotSayIsUnknown() throws {
    let bench = bench("allow module when operation.module == \"x\"\ndeny module")
    mediate(bench, .module, said: .call)
    #expect(bench.journal.fetched.allSatisfy { $0.isDisjoint(with: .ofCall) })
    let entry = try #require(bench.trail.entries.first)
    #expect(entry.decision.verdict == .deny && entry.failure == nil)
    #expect(entry.present.intersection(.ofCall) == .call)
    let undecided = self.bench("deny ptrace when target.uid == 0")
    mediate(undecided, said: .call)
    #expect(undecided.tally == ["ptrace deny enforce undecided 1"])
  }

  @Test func aHolderPassesAndIsCounted() {
    let bench = bench("deny ptrace", capabilities: 1 << UInt64(Capability.sysPtrace.rawValue))
    mediate(bench)
    #expect(bench.journal.answers == [.allow])
    #expect(bench.tally == ["ptrace allow enforce capability 1"])
    let off = self.bench("deny ptrace", mode: .off)
    mediate(off)
    #expect(off.tally == ["ptrace allow audit off 1"])
    #expect(off.trail.entries.map(\.decision.reason) == [.off])
  }

  @Test(arguments: Failure.allCases)
  func aFailureOfACallIsLogged(_ failure: Failure) throws {
    let bench = Bench(policy("allow ptrace", onFailure: .deny))
    bench.monitor.noteFailure(failure, of: .ptrace, pid: 9, operation: .call, nanoseconds: 77)
    let entry = try #require(bench.trail.entries.first)
    #expect(entry.effect == .logged && entry.decision.verdict == .deny && entry.operation == .call)
    let lenient = Bench(policy("allow ptrace", onFailure: .allow))
    lenient.monitor.noteFailure(failure, of: .ptrace, pid: 9, operation: .call, nanoseconds: 77)
    #expect(
      lenient.tally == ["ptrace allow enforce \(failure.name) 1"], "no kernel denies a call for want of descriptors")
  }
}
