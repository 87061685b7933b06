// Which allows may be left to the kernel: asked after the answer, true only where every subject gets the same and
// nobody wants the records.

import AccessModel
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import Testing

@Suite struct RememberingTests {
  /// The last word of the monitor to the door; nil where the door did not ask.
  private func remembered(_ bench: Bench, _ change: (inout FakeRequest) -> Void = { _ in }) -> Bool? {
    bench.mediate {
      $0.canRemember = true
      change(&$0)
    }
    return bench.journal.steps.compactMap { if case .remembered(let word) = $0 { word } else { nil } }.last
  }

  /// For data, which is looked at when it comes for the second time.
  private func rememberedAgain(_ bench: Bench) -> Bool? {
    #expect(remembered(bench) { $0.operation = .open } == false, "most data is opened once")
    return remembered(bench) { $0.operation = .open }
  }

  private func bench(
    _ rules: String, mode: Mode = .enforce, records: Bool = false, keepsAllows: Bool = false, failing: FactSet = [],
    _ change: @escaping @Sendable (Facts) -> Void = { _ in }
  ) -> Bench {
    Bench(policy(rules, mode: mode), records: records, keepsAllows: keepsAllows, failing: failing) {
      $0.object.mode = 0o755
      $0.object.pathVerified = true
      $0.object.trust = .trusted
      change($0)
    }
  }

  @Test(arguments: [
    ("allow exec", true), ("allow exec when object.trusted", true), ("allow exec when object.owner == 0", true),
    ("deny exec when object.setuid\nallow exec", true), ("allow exec when object.trusted || subject.uid == 0", true),
    ("deny exec when subject.uid != 0 && object.setuid\nallow exec", true),
    ("allow exec when subject.uid == 0", false), ("deny exec when subject.uid == 7\nallow exec", false),
    ("allow exec when operation.kind == \"execute\"", false), ("deny exec", false), ("", false),
    ("deny exec when object.directory_world_writable\nallow exec", false),
  ])
  func theObjectAloneMustDecide(_ rules: String, _ expected: Bool) {
    #expect(remembered(bench(rules)) == expected)
    #expect(remembered(bench(rules, mode: .audit)) == expected)
    #expect(remembered(bench(rules, mode: .off)) == false)
    #expect(remembered(bench(rules, records: true)) == false, "who wants records gets all of them")
    #expect(remembered(bench(rules, keepsAllows: true)) == false, "also while the rate limit holds them back")
  }

  @Test func theAnswerComesFirst() {
    let bench = bench("allow exec when object.trusted")
    #expect(remembered(bench) == true)
    let rule = bench.monitor.policy.rules.rules[0].reference
    let decision = Decision(mechanism: .exec, mode: .enforce, verdict: .allow, reason: .rule(rule))
    #expect(
      bench.journal.steps == [
        .fetched([.objectStatus, .objectPath, .objectTrust]), .asked(decision), .answered(.allow), .remembered(true),
      ])
    let shortcut = self.bench("allow exec when subject.pid == 42 || object.trusted")
    #expect(remembered(shortcut) == true)
    #expect(
      shortcut.journal.steps.dropFirst() == [
        .answered(.allow), .fetched(.objectStatus), .fetched([.objectPath, .objectTrust]), .remembered(true),
      ], "what only the question needs is fetched when nobody waits")
    let kept = self.bench("allow exec when subject.pid == 42 || object.trusted", keepsAllows: true)
    #expect(remembered(kept) == false)
    #expect(kept.journal.fetched == [], "and nothing where it is of no use")
  }

  /// Neither do the statistics count the time after it.
  @Test func theQuestionIsNobodysWaitingTime() {
    let bench = Bench(policy("allow exec"), records: false, times: [51_000, 9_000_000]) { $0.object.mode = 0o755 }
    #expect(remembered(bench) == true)
    #expect(bench.monitor.tally.answerTimes(.exec).longest < 54_000)
    #expect(bench.clock.rest == 1, "the clock was read once")
    bench.mediate()
    #expect(
      bench.monitor.tally.answerTimes(.exec).longest > 8_000_000, "a door that does not ask is timed all the same")
  }

  @Test(
    arguments: [
      (0, 0o755, true), (0, 0o4755, true), (0, 0o400, true), (1000, 0o755, false), (0, 0o775, false),
      (0, 0o757, false), (0, 0o666, false),
    ] as [(UInt32, UInt16, Bool)])
  func onlyRootMayBeAbleToWriteIt(_ owner: UInt32, _ mode: UInt16, _ expected: Bool) {
    for operation in [Operation.execute, .open] {
      let bench = bench("allow exec when object.path != \"/x\" || subject.uid == 0") {
        $0.object.owner = owner
        $0.object.mode = mode
      }
      let isRemembered =
        operation == .open ? rememberedAgain(bench) : remembered(bench) { $0.operation = operation }
      #expect(isRemembered == expected)
      if operation == .open, !expected {
        let look: [FactSet] = [.objectContent, .subjectProgram, .objectStatus]
        #expect(bench.journal.fetched == look + look, "a look at its status is enough")
      }
    }
    #expect(remembered(bench("allow exec", failing: .objectStatus)) == false)
  }

  /// Data is let pass for what it is; it may be left to the kernel where it would pass as code, too.
  @Test(
    arguments: [
      ("allow exec when object.trusted", .trusted, true), ("allow exec when object.trusted", .unknown, false),
      ("deny exec", .trusted, false), ("", .trusted, false),
      ("deny exec when subject.uid == 7\nallow exec", .trusted, false),
      ("deny exec when !object.trusted\nallow exec", .changed, false),
    ] as [(String, TrustState, Bool)])
  func data(_ rules: String, _ trust: TrustState, _ expected: Bool) {
    let bench = bench(rules) { $0.object.trust = trust }
    #expect(rememberedAgain(bench) == expected)
    #expect(bench.journal.answers == [.allow, .allow] && bench.monitor.tally.dataPassed(.exec) == 2)
    #expect(bench.tally == [] && bench.trail.entries.isEmpty)
    let kept = self.bench(rules, keepsAllows: true) { $0.object.trust = trust }
    #expect(rememberedAgain(kept) == false, "as code it would be recorded")
  }

  /// What cannot be remembered is not tried again before something changes that the answer rests on.
  @Test func dataIsGivenUpUntilSomethingChanges() {
    let bench = bench("allow exec when object.trusted") { $0.object.trust = .unknown }
    let reads = { bench.journal.fetched.count { $0.contains(.objectTrust) } }
    #expect(rememberedAgain(bench) == false && reads() == 1)
    for _ in 0..<3 { #expect(remembered(bench) { $0.operation = .open } == false && reads() == 1) }
    bench.monitor.reconsiderData()
    #expect(rememberedAgain(bench) == false && reads() == 2)
    bench.monitor.policy = bench.monitor.policy
    #expect(rememberedAgain(bench) == false && reads() == 3)
  }

  @Test(arguments: [(16 << 20, true), (16 << 20 + 1, false)] as [(UInt64, Bool)])
  func aLargeFileOfDataIsNotReadForThis(_ size: UInt64, _ expected: Bool) {
    let digest = String(repeating: "0", count: 64)
    for rule in ["allow exec when object.trusted", "allow exec when object.sha256 == \"\(digest)\""] {
      let bench = bench(rule) { $0.object.size = size }
      #expect(rememberedAgain(bench) == expected)
      #expect(bench.journal.fetched.contains { !$0.isDisjoint(with: [.objectTrust, .objectDigest]) } == expected)
      // Code was read for its decision.
      #expect(remembered(self.bench(rule) { $0.object.size = size }) == true)
    }
  }

  @Test(arguments: [Verdict.allow, .deny])
  func aFailureIsNotRemembered(_ onFailure: Verdict) {
    let policy = policy("allow exec when object.owner == 0", onFailure: onFailure)
    let bench = Bench(policy, records: false, failing: .objectContent) { $0.object.mode = 0o755 }
    #expect(remembered(bench) { $0.operation = .open } == false)
    #expect(bench.journal.answers == [onFailure])
  }

  @Test func otherDoorsAreNotAsked() {
    let open = bench("allow open") { $0.object.protectedNames = [bytes("/x")] }
    let change: (inout FakeRequest) -> Void = {
      $0.mechanism = .open
      $0.operation = .open
    }
    #expect(remembered(open, change) == false)
    #expect(remembered(bench("allow exec")) { $0.isLate = true } == nil)
  }

  /// A record shows what the decision rested on, not what was found out after it.
  @Test func aRecordedDecisionIsNotLookedIntoFurther() throws {
    let bench = bench("allow exec when subject.pid == 42 || object.trusted", records: true)
    #expect(remembered(bench) == false)
    #expect(bench.journal.fetched == [.record])
    #expect(bench.trail.entries.first?.present.isDisjoint(with: [.objectTrust, .objectDigest]) == true)
  }
}
