// Facts are asked for when the evaluation reaches them, and never twice.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct LazyFactsTests {
  private func asked(_ rules: String, failing: FactSet = [], _ change: (Facts) -> Void = { _ in }) -> [FactSet] {
    mediate(policy(rules), .exec, blankSheet(change), failing: failing).asked
  }

  @Test func aRuleThatSettlesEarlyAsksForNoMore() {
    #expect(asked("allow exec") == [])
    #expect(asked("allow exec when subject.pid == 42 && operation.kind == \"execute\"") == [])
    #expect(asked("allow exec when object.owner == 0\ndeny exec when object.path == \"/x\"") == [.objectStatus])
    #expect(
      asked("allow exec when object.owner == 1\nallow exec when object.path == \"/usr/bin/ls\"")
        == [.objectStatus, .objectPath])
  }

  @Test(
    arguments: [
      ("object.owner == 0 || subject.uid == 0", [.objectStatus]),
      ("object.owner == 1 || subject.uid == 0", [.objectStatus, .subjectStatus]),
      ("object.owner == 1 && subject.uid == 0", [.objectStatus]),
      ("object.owner == 0 && subject.uid == 0", [.objectStatus, .subjectStatus]),
      ("subject.uid == 0 && object.owner == 1", [.subjectStatus]),
      ("object.owner == subject.uid", [[.objectStatus, .subjectStatus]]),
      ("object.path == subject.exe", [[.objectPath, .subjectExecutable]]),
      ("object.path == \"/x\"", [.objectPath]),
      ("object.setuid && object.path == \"/x\"", [.objectStatus]),
      ("!object.setuid && object.path == \"/x\"", [.objectStatus, .objectPath]),
      ("(subject.userns_initial || subject.unit == \"x\") && object.setuid", [.subjectNamespaces, .objectStatus]),
      ("subject.parent_exe == \"/x\"", [[.subjectStatus, .subjectParent]]),
      ("object.fstype == \"x\" && \"ro\" in object.mount_flags", [.objectFileSystem]),
      ("object.directory_world_writable", [[.objectPath, .objectDirectory]]),
    ] as [(String, [FactSet])])
  func groupsAreAskedForInOrder(_ condition: String, _ expected: [FactSet]) {
    #expect(asked("allow exec when \(condition)") == expected)
  }

  @Test func whatFailedIsNotAskedForAgain() {
    #expect(
      asked("deny exec when object.path == \"/x\" && object.setuid", failing: .objectPath)
        == [.objectPath, .objectStatus])
    // The undecided left waits for a right that settles it.
    #expect(
      asked("allow exec when object.path == \"/x\" && subject.uid == 1", failing: .objectPath)
        == [.objectPath, .subjectStatus])
    // An undecided operand settles a strict operator: the other one is not worth a trip.
    #expect(
      asked("allow exec when object.path == \"/x\"\nallow exec when object.path == subject.comm", failing: .objectPath)
        == [.objectPath])
    #expect(
      asked("deny exec when object.path == \"/x\"\nallow exec when object.directory_world_writable", failing: []) {
        $0.object.pathVerified = false
      }.count == 1)
  }

  @Test func everyDecisionEndsWhateverFails() {
    let rules = """
      allow exec when subject.parent_exe == "/x" || object.fstype == "y" && subject.unit == "z"
      allow exec when object.directory_world_writable && subject.terminal != "" && subject.auid == 3
      deny exec when object.kind == "script" && subject.exe == "/x" && subject.mntns_initial
      allow exec when object.owner == 0 && !subject.userns_initial || subject.ppid == 41
      """
    let policy = policy(rules)
    for seed in 0..<(1 << 12) {
      // Spreads the bits over both halves of the set.
      let failing = FactSet(rawValue: UInt32(seed & 0x1f) | UInt32(seed >> 5) << 8 | UInt32(seed & 3) << 15)
      let operation: Operation = seed % 2 == 0 ? .execute : .open
      let facts = blankSheet { $0.operation = operation }
      let (outcome, asked) = mediate(policy, .exec, facts, failing: failing)
      var union: FactSet = []
      for groups in asked {
        #expect(union.isDisjoint(with: groups))
        union.formUnion(groups)
      }
      #expect(policy.uses(.exec).isSuperset(of: union))
      // The trace ends at the rule that spoke, or goes through all of them.
      guard case .final(let decision) = outcome, decision.reason.name != "failure" else { continue }
      let trace = policy.trace(.exec, facts)
      let spoke = decision.reason.rule
      #expect(spoke == nil ? trace.count == policy.rules.rules.count : trace.last?.rule == spoke)
    }
  }
}
