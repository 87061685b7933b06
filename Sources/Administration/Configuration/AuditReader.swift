// Owns the table [audit] of lilium.toml(5).
// It must not talk to the kernel.

extension AuditSettings {
  /// As auditctl(8) takes it; below 64 the kernel would drop records of a quiet host.
  private static let backlogLimits = 64...1_048_576

  mutating func read(_ given: TableReader) {
    var table = given
    if let size = table.integer("receive_buffer_mib", in: 1...1024) { receiveBufferMebibytes = size }
    if let limit = table.integer("backlog_limit", in: 0...Self.backlogLimits.upperBound) {
      if limit == 0 || Self.backlogLimits.contains(limit) {
        backlogLimit = UInt32(limit)
      } else if let node = table.node("backlog_limit") {
        table.report(
          "backlog_limit", node, "\(limit) is out of range",
          hint: "write \(Self.backlogLimits.lowerBound) to \(Self.backlogLimits.upperBound), or 0 to leave the kernel's"
        )
      }
    }
    if let restores = table.bool("restore_rules") { restoresRules = restores }
    table.finish()
  }
}
