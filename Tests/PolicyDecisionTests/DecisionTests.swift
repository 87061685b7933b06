// The order in which mode, capability, rules and default speak, and what each decision says.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct DecisionTests {
  @Test func offAllowsWithoutAFact() {
    for mechanism in Mechanism.allCases {
      let off = policy("deny \(mechanism.name == "open" ? "open when object.path == \"/x\"" : mechanism.name)") {
        $0[mechanism].mode = .off
      }
      let facts = blankSheet()
      #expect(
        off.decide(mechanism, facts)
          == .final(Decision(mechanism: mechanism, mode: .off, verdict: .allow, reason: .off)))
      #expect(off.uses(mechanism).isEmpty)
    }
  }

  @Test func theFirstMatchSpeaks() {
    let rules = """
      deny exec when object.setuid
      allow exec when object.path == "/usr/bin/ls"
      deny exec when object.path.startsWith("/usr/")
      allow exec
      """
    func line(_ change: (Facts) -> Void) -> Int? {
      guard case .final(let decision) = policy(rules).decide(.exec, sheet(change)) else { return nil }
      return decision.reason.rule?.line
    }
    #expect(line { $0.object.mode = 0o4755 } == 1)
    #expect(line { _ in } == 2)
    #expect(line { $0.object.path = bytes("/usr/bin/cat") } == 3)
    #expect(line { $0.object.path = bytes("/opt/x") } == 4)
  }

  @Test func rulesSpeakAboutTheirOwnMechanismOnly() {
    let both = policy("deny open when object.path == \"/usr/bin/ls\"\nallow exec when object.path == \"/usr/bin/ls\"")
    #expect(decided(both, .exec, sheet()) == "allow rule")
    #expect(decided(both, .open, sheet()) == "deny rule")
  }

  @Test func withoutARuleTheDefaultSpeaks() {
    let none = policy("")
    #expect(decided(none, .exec, sheet()) == "deny default")
    #expect(decided(none, .open, sheet()) == "allow default")
    #expect(decided(none, .ioctl, sheet()) == "allow default")
    #expect(decided(policy("") { $0[.exec].defaultVerdict = .allow }, .exec, sheet()) == "allow default")
    #expect(decided(policy("") { $0[.open].defaultVerdict = .deny }, .open, sheet()) == "deny default")
  }

  @Test func auditSaysWhatEnforceWould() {
    let enforce = policy("deny exec")
    var settings = enforce.settings
    settings[.exec].mode = .audit
    let audit = enforce.withSettings(settings)
    for (policy, mode, answer) in [(enforce, Mode.enforce, Verdict.deny), (audit, .audit, .allow)] {
      guard case .final(let decision) = policy.decide(.exec, sheet()) else {
        Issue.record("no decision")
        return
      }
      #expect(decision.mode == mode)
      #expect(decision.verdict == .deny)
      #expect(decision.answer == answer)
    }
    #expect(audit.rules.rules.map(\.reference) == enforce.rules.rules.map(\.reference))
    #expect(enforce.settings[.exec].mode == .enforce)
  }

  @Test(arguments: Mechanism.allCases.filter { $0.capability != nil })
  func aHeldCapabilityOpensTheDoor(_ mechanism: Mechanism) throws {
    let capability = try #require(mechanism.capability)
    func facts(_ bits: UInt64, initial: Bool = true) -> Facts {
      blankSheet {
        $0.subject.effectiveCapabilities = CapabilitySet(bits: bits)
        $0.subject.userNamespaceInitial = initial
      }
    }
    let bit: UInt64 = 1 << UInt64(capability.rawValue)
    let denying = policy("deny \(mechanism.name)")

    let held = mediate(denying, mechanism, facts(bit))
    #expect(
      held.outcome
        == .final(Decision(mechanism: mechanism, mode: .enforce, verdict: .allow, reason: .capability(capability))))
    #expect(held.asked == [.subjectCapabilities, .subjectNamespaces])
    // Held in a namespace of its own, or not at all, or not to be known: the rules speak.
    let elsewhere = facts(bit, initial: false)
    #expect(mediate(denying, mechanism, elsewhere).asked == [.subjectCapabilities, .subjectNamespaces])
    #expect(decided(denying, mechanism, elsewhere) == "deny rule")
    let without = facts(~bit)
    #expect(mediate(denying, mechanism, without).asked == [.subjectCapabilities])
    #expect(decided(denying, mechanism, without) == "deny rule")
    for failing: FactSet in [.subjectCapabilities, .subjectNamespaces] {
      let unknown = facts(bit)
      _ = mediate(denying, mechanism, unknown, failing: failing)
      #expect(decided(denying, mechanism, unknown) == "deny rule")
    }
    // Unless holders are evaluated.
    let strict = policy("deny \(mechanism.name)") { $0[mechanism].evaluatesHolders = true }
    #expect(decided(strict, mechanism, facts(bit)) == "deny rule")
    #expect(strict.uses(mechanism).isEmpty)
    #expect(denying.uses(mechanism) == [.subjectCapabilities, .subjectNamespaces])
  }

  @Test func execAndOpenHaveNoCapability() {
    let facts = sheet { $0.subject.effectiveCapabilities = CapabilitySet(bits: .max) }
    #expect(decided(policy("deny exec"), .exec, facts) == "deny rule")
  }

  @Test func theTraceComesToTheSameEnd() {
    let rules = """
      allow exec when object.path == "/usr/bin/ls"
      deny exec when object.setuid
      deny exec when subject.exe == "/x" || object.directory == "/y"
      allow exec
      """
    let facts = sheet {
      $0.object.pathVerified = false
      $0.subject.executableVerified = false
    }
    let steps = policy(rules).trace(.exec, facts)
    #expect(steps.map(\.result) == [.undecided, .notMatched, .undecided])
    #expect(steps.map(\.undecided) == [[.objectPath], [], [.subjectExe, .objectDirectory]])
    #expect(steps.map(\.rule.line) == [1, 2, 3])
    #expect(policy(rules).trace(.exec, sheet()).map(\.result) == [.matched])
    #expect(policy(rules).trace(.exec, blankSheet()).map(\.result) == [.needs(.objectPath)])
    #expect(policy(rules).trace(.mount, facts).isEmpty)
  }

  @Test func thePolicySaysWhatItNeedsAndWatches() {
    let rules = """
      deny open when object.path == "/a" && subject.uid != 0
      deny open when object.directory == "/b" || object.path == "/a"
      allow open when object.path == "/c"
      allow exec when object.owner == 0
      """
    let watching = policy(rules)
    #expect(watching.uses(.open) == [.objectPath, .subjectStatus])
    #expect(watching.uses(.exec) == [.objectStatus, .objectContent, .subjectProgram, .subjectScript])
    #expect(watching.rules.rules.map(\.dependsOnSubject) == [true, false, false, false])
    #expect(watching.openAnchors == [PathAnchor(.exact, bytes("/a")), PathAnchor(.children, bytes("/b"))])
    #expect(watching.matchesAnchor(bytes("/a")) && watching.matchesAnchor(bytes("/b/x")))
    #expect(!watching.matchesAnchor(bytes("/c")) && !watching.matchesAnchor(bytes("/b/x/y")))
    // Where the default is to deny, an allow rule names files too.
    let strict = policy(rules) { $0[.open].defaultVerdict = .deny }
    #expect(strict.openAnchors.last == PathAnchor(.exact, bytes("/c")))
    #expect(strict.matchesAnchor(bytes("/c")))
  }
}
