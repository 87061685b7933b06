// Facts that cannot be known or believed: CEL's error semantics, and what they do to a rule.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct UndecidedTests {
  /// `U` stands for an undecided bool, `T` and `F` for known ones.
  @Test(arguments: [
    ("U", "undecided"), ("!U", "undecided"), ("U && T", "undecided"), ("T && U", "undecided"), ("U && F", "false"),
    ("F && U", "false"), ("U || T", "true"), ("T || U", "true"), ("U || F", "undecided"), ("F || U", "undecided"),
    ("U && U", "undecided"), ("U || U", "undecided"), ("U && U && F", "false"), ("U || U || T", "true"),
    ("U == U", "undecided"), ("U == T", "undecided"), ("T != U", "undecided"), ("U < T", "undecided"),
    ("!(U && F)", "true"), ("(U || T) && T", "true"), ("(U && T) || F", "undecided"), ("(U || F) && F", "false"),
  ])
  func errorSemantics(_ form: String, _ expected: String) {
    let condition = form.map { character in
      switch character {
      case "U": "subject.userns_initial"
      case "T": "object.path_verified"
      case "F": "object.setuid"
      default: String(character)
      }
    }.joined()
    let facts = sheet { $0.markFailed(.subjectNamespaces, because: .subjectVanished) }
    let (allow, deny) =
      switch expected {
      case "true": ("allow rule", "deny rule")
      case "false": ("deny default", "allow default")
      default: ("deny default", "deny undecided")
      }
    #expect(decided(policy("allow exec when \(condition)"), .exec, facts) == allow)
    let denying = policy("deny exec when \(condition)") { $0[.exec].defaultVerdict = .allow }
    #expect(decided(denying, .exec, facts) == deny)
  }

  /// Every operator that reads an undecided value gives an undecided one.
  @Test(arguments: [
    "object.path == \"/x\"", "object.path != \"/x\"", "\"/x\" < object.path", "object.path in [\"/x\"]",
    "object.path in []", "object.path.startsWith(\"\")", "\"x\".endsWith(object.path)", "object.path.contains(\"\")",
    "object.path.matches(\".*\")", "object.path.size() >= 0", "size(object.path) in [1]", "object.directory == \"/\"",
    "object.directory_world_writable", "!object.directory_world_writable", "object.path == object.path",
    "object.path in subject.capabilities", "object.path.size() in subject.groups",
    "(object.path == \"/x\") == object.setuid",
  ])
  func aPathThatIsNotVerifiedIsUndecided(_ condition: String) {
    let facts = sheet { $0.object.pathVerified = false }
    #expect(decided(policy("deny exec when \(condition)"), .exec, facts) == "deny undecided")
    #expect(decided(policy("allow exec when \(condition)"), .exec, facts) == "deny default")
    #expect(decided(policy("deny exec when object.path_verified && \(condition)"), .exec, facts) == "deny default")
    #expect(decided(policy("deny exec when \(condition) && object.path_verified"), .exec, facts) == "deny default")
  }

  @Test func programsThatAreNotVerifiedAreUndecided() {
    let facts = sheet {
      $0.subject.executableVerified = false
      $0.subject.parentExecutableVerified = false
    }
    facts.target.executableVerified = false
    for name in ["subject.exe", "subject.parent_exe"] {
      #expect(decided(policy("deny exec when \(name) == \"/x\""), .exec, facts) == "deny undecided")
    }
    #expect(decided(policy("deny ptrace when target.exe == \"/x\""), .ptrace, facts) == "deny undecided")
    #expect(decided(policy("allow ptrace when target.exe == \"/x\""), .ptrace, facts) == "deny default")
    // What identifies the program beside its path is known all the same.
    #expect(decided(policy("allow exec when subject.exe_inode == 12"), .exec, facts) == "allow rule")
  }

  @Test func whatIsAbsentIsKnown() {
    let facts = sheet {
      $0.subject.terminal = []
      $0.subject.auditUID = .max
      $0.object.interpreter = []
    }
    let condition =
      "subject.unit == \"\" && subject.terminal == \"\" && subject.auid == 4294967295 && object.interpreter == \"\""
    #expect(decided(policy("allow exec when \(condition)"), .exec, facts) == "allow rule")
  }

  @Test func everyFailedGroupMakesItsAttributesUndecided() {
    for attribute in Attribute.allCases where !attribute.facts.isEmpty {
      let condition =
        switch attribute.type {
        case .bool: attribute.name
        case .int: "\(attribute.name) == 7"
        case .string: "\(attribute.name).contains(\"/x\")"
        case .intList: "7 in \(attribute.name)"
        case .stringList: "size(\(attribute.name)) == 7"
        }
      // In a mechanism that has it, and whose capability is not asked for.
      let mechanism = attribute.mechanisms.members[0]
      let denying = policy("deny \(mechanism.name) when \(condition)") { $0[mechanism].evaluatesHolders = true }
      for bit in 0..<32 where attribute.facts.rawValue & 1 << bit != 0 {
        let facts = sheet { $0.markFailed(FactSet(rawValue: 1 << bit), because: .objectUnreadable) }
        // Trust in content is a question to somebody, and its failure is answered as one.
        let expected = attribute == .objectTrusted ? "allow failure" : "deny undecided"
        #expect(decided(denying, mechanism, facts) == expected, "\(attribute)")
      }
    }
  }

  @Test func anUndecidedAllowGivesWayToTheNextRule() {
    let facts = sheet { $0.object.pathVerified = false }
    let rules = """
      allow exec when object.path == "/usr/bin/ls"
      deny exec when object.setuid
      allow exec when object.owner == 0
      """
    guard case .final(let decision) = policy(rules).decide(.exec, facts) else {
      Issue.record("no decision")
      return
    }
    #expect(decision.verdict == .allow)
    #expect(decision.reason.rule?.name == "50-site.rules:3")
  }
}
