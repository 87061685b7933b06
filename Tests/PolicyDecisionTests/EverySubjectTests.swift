// The proof that a decision holds for every subject: by cases, and by random policies and subjects.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct EverySubjectTests {
  /// Decides as the monitor does; nil where a subject can make a difference.
  private func everybody(_ policy: Policy, _ facts: Facts, failing: FactSet = []) -> Outcome? {
    for _ in 0..<40 {
      guard let outcome = policy.decideForEverySubject(.exec, facts) else { return nil }
      guard case .needs(let groups) = outcome else { return outcome }
      #expect(!groups.isEmpty && groups.isSubset(of: .object) && facts.missing(of: groups) == groups)
      facts.markPresent(groups.subtracting(failing))
      let failed = groups.intersection(failing)
      if !failed.isEmpty { facts.markFailed(failed, because: .objectUnreadable) }
    }
    Issue.record("makes no progress")
    return nil
  }

  private func word(_ outcome: Outcome?) -> String {
    guard case .final(let decision) = outcome else { return "nobody knows" }
    return "\(decision.verdict.name) \(decision.reason.rule?.name.split(separator: ":").last ?? "default")"
  }

  @Test(arguments: [
    ("allow exec", "allow 1"), ("deny exec", "deny 1"), ("", "deny default"),
    ("allow exec when object.owner == 0", "allow 1"), ("deny exec when object.owner == 1\nallow exec", "allow 2"),
    ("allow exec when object.trusted", "allow 1"),
    ("allow exec when object.sha256 == \"\(sampleDigest)\"", "allow 1"),
    ("deny exec when object.setuid && subject.uid != 0\nallow exec", "allow 2"),
    ("deny exec when subject.uid != 0 && object.setuid\nallow exec", "allow 2"),
    ("allow exec when object.trusted || subject.uid == 0", "allow 1"),
    ("allow exec when subject.uid == 0 || object.trusted", "allow 1"),
    ("deny exec when subject.uid == 7\nallow exec", "nobody knows"),
    ("allow exec when subject.uid == 7\nallow exec", "nobody knows"),
    ("allow exec when object.owner == subject.uid\nallow exec", "nobody knows"),
    ("deny exec when operation.kind == \"open\"\nallow exec", "nobody knows"),
    ("deny exec when subject.pid == 1\nallow exec", "nobody knows"),
    ("deny exec when object.setuid == subject.userns_initial\nallow exec", "nobody knows"),
    // Who may write the folder changes without a sign from the file.
    ("deny exec when object.directory_world_writable\nallow exec", "nobody knows"),
    // The file may be reached by another mount.
    ("deny exec when \"nosuid\" in object.mount_flags\nallow exec", "nobody knows"),
    ("allow exec when object.fstype == \"ext4\"", "nobody knows"),
    ("allow exec when object.owner == 0\ndeny exec when object.directory_world_writable", "allow 1"),
  ])
  func cases(_ rules: String, _ expected: String) {
    for operation in [Operation.execute, .open] {
      #expect(word(everybody(policy(rules), blankSheet { $0.operation = operation })) == expected)
    }
  }

  @Test func whatCannotBeKnownOfTheObjectEndsTheProof() {
    let rules = policy("deny exec when object.path == \"/x\"\nallow exec")
    #expect(word(everybody(rules, blankSheet(), failing: .objectPath)) == "nobody knows")
    #expect(word(everybody(rules, blankSheet { $0.object.pathVerified = false })) == "nobody knows")
    let trust = policy("allow exec when object.trusted\nallow exec when object.owner == 0")
    #expect(word(everybody(trust, blankSheet(), failing: .objectTrust)) == "nobody knows")
    let without = sheet { $0.markFailed(.objectTrust, because: .trustUnavailable) }
    #expect(word(everybody(trust, without)) == "nobody knows")
  }

  @Test func onlyExecIsProven() {
    let all = policy("allow exec\nallow open\nallow mount\nallow ptrace")
    for mechanism in Mechanism.allCases where mechanism != .exec {
      #expect(all.decideForEverySubject(mechanism, sheet()) == nil)
    }
    #expect(policy("allow exec") { $0[.exec].mode = .off }.decideForEverySubject(.exec, sheet()) == nil)
    let audit = policy("allow exec") { $0[.exec].mode = .audit }
    guard case .final(let decision) = audit.decideForEverySubject(.exec, sheet()) else {
      Issue.record("no decision")
      return
    }
    #expect(decision.mode == .audit && decision.verdict == .allow)
  }

  @Test func theSheetIsAsItWas() {
    let facts = blankSheet()
    facts.markPresent([.subjectStatus, .objectPath])
    facts.markFailed(.subjectParent, because: .subjectVanished)
    let rules = policy("deny exec when subject.uid == 7 && object.setuid\nallow exec when subject.parent_exe == \"/x\"")
    #expect(rules.decideForEverySubject(.exec, facts) == .needs(.objectStatus))
    #expect(facts.present == [.subjectStatus, .objectPath, .request] && facts.failed == .subjectParent)
    #expect(facts.failure == .subjectVanished)
  }

  /// Whatever it says of everybody, `decide` says of each subject that is tried, by the same rule.
  @Test func randomPolicies() {
    var random = SplitMix(state: 0x1111_2026)
    var (cases, allows, checked) = (0, 0, 0)
    for _ in 0..<500 {
      let policy = RandomPolicy.make(&random)
      for _ in 0..<24 {
        cases += 1
        let object = RandomSheet.object(&random)
        let sheet = RandomSheet.make(object, subject: RandomSheet.subject(&random))
        guard case .final(let decision) = everybody(policy, sheet, failing: object.failing) else { continue }
        if decision.verdict == .allow { allows += 1 }
        for _ in 0..<6 {
          let subject = RandomSheet.subject(&random)
          let outcome = RandomSheet.decide(policy, object, subject)
          checked += 1
          let isTheSame = outcome == .final(decision)
          // An opened file may be data, or nothing can tell what it is.
          let isOpen = subject.operation == .open && (outcome == .data || object.isUnclear || subject.isUnclear)
          #expect(isTheSame || isOpen, "\(policy.rules.rules.map(\.reference.text)) \(object) \(subject) \(outcome)")
        }
      }
    }
    #expect(
      cases >= 10_000 && allows > 1_000 && checked > 10_000, "\(cases) cases, \(allows) allows, \(checked) subjects")
  }
}
