// Owns what on this host keeps audit from seeing what Lilium wants to see, found by looking at status and rules.
// It must not change either.

public import AuditNetlink

/// Something that blinds audit, wholly or for some calls.
public struct AuditObstacle: Sendable, Hashable, CustomStringConvertible {
  /// What is wrong and what helps, in a sentence.
  public let description: String
  /// Lilium cannot put its rules in force.
  public let isFatal: Bool

  /// Everything that stands in the way of the wanted rules.
  public static func survey(
    status: AuditStatus, listed: [ListedRule], wanted: [CompiledRule]
  ) -> [AuditObstacle] {
    let missing = wanted.filter { rule in !listed.contains { $0.matches(rule.rule) } }
    var found: [AuditObstacle] = []
    if status.isLocked, !missing.isEmpty {
      found.append(
        AuditObstacle(
          description: "the audit rules are locked until the next boot (auditctl -e 2), and \(missing.count) of the "
            + "\(wanted.count) that Lilium needs are not among them: put the output of `liliumctl rules` into a file of "
            + "/etc/audit/rules.d, before the one that locks, and boot again", isFatal: true))
    }
    if listed.contains(where: { $0.list == .task && $0.action == .never }) {
      found.append(
        AuditObstacle(
          description: "the rule -a never,task hides every process that was started under it, for as long as it lives: "
            + "remove it (Debian has it in /etc/audit/rules.d), and restart what runs", isFatal: false))
    }
    found += listed.filter { rule in needed.contains { rule.keepsOut($0) } }.map {
      AuditObstacle(description: "a rule keeps records out that Lilium needs: \($0.text)", isFatal: false)
    }
    return found + hidden(listed, wanted)
  }

  /// Without these records an event says too little. One of EOE and PROCTITLE, which end it, may be missing.
  private static let needed = [
    AuditType.syscall, AuditType.path, AuditType.cwd, AuditType.objPID, AuditType.capset, AuditType.kernModule,
  ]

  /// The first rule that matches a call speaks, and `never` says nothing.
  private static func hidden(_ listed: [ListedRule], _ wanted: [CompiledRule]) -> [AuditObstacle] {
    var found: [AuditObstacle] = []
    for rule in wanted {
      for earlier in listed.prefix(while: { !$0.matches(rule.rule) })
      where earlier.list == .exit && earlier.action == .never {
        let calls = rule.rule.calls.filter { earlier.covers($0, on: rule.rule.architecture) }
        guard !calls.isEmpty else { continue }
        let names = calls.map(\.name).joined(separator: ", ")
        let extent = earlier.hasOtherConditions ? "some calls" : "every call"
        let obstacle = AuditObstacle(
          description: "an earlier rule hides \(extent) of \(names) (\(rule.rule.architecture.name)): \(earlier.text)",
          isFatal: false)
        if !found.contains(obstacle) { found.append(obstacle) }
      }
    }
    return found
  }
}
