// Owns what a call's record says about the operation itself: the call, its result, its target, its module.
// It must not look at a process.

internal import AccessModel
internal import AuditNetlink

extension CallRecord {
  /// Fills the group `call`.
  func describeCall(_ mechanism: Mechanism, in facts: Facts) {
    var call = CallFacts()
    call.describe(self.call.name, on: architecture.machine, arguments, of: mechanism)
    call.result = result
    call.succeeded = succeeded
    call.time = event.time
    call.serial = event.serial
    facts.call = call
    facts.markPresent(.call)
  }

  /// Namespaces that the flags name; nil where the call hides them.
  var namespacesByFlags: [[UInt8]]? { arguments.namespaces(of: call.name) }

  /// Group `targetStatus`, where the kernel recorded the traced process.
  func describeTarget(in facts: Facts) {
    if call == .ptrace, arguments.low(0) == 0, facts.present.contains(.subjectStatus) {
      // PTRACE_TRACEME: the caller gives itself to its parent.
      facts.target.pid = pid
      facts.target.uid = facts.subject.uid
      facts.target.comm = facts.subject.comm
      facts.markPresent(.targetStatus)
      return
    }
    guard let entry = event.first(AuditType.objPID), let pid = entry.decimal("opid").flatMap(Int32.init(exactly:)),
      let uid = entry.decimal("ouid")
    else { return facts.markUnknown([.targetStatus, .targetExecutable]) }
    facts.target.pid = pid
    facts.target.uid = UInt32(truncatingIfNeeded: uid)
    facts.target.comm = entry.text("ocomm") ?? []
    facts.markPresent(.targetStatus)
  }

  /// Group `callModule`: only a module that the kernel got to see by name.
  func describeModule(in facts: Facts) {
    guard let name = event.first(AuditType.kernModule)?.text("name") else { return facts.markUnknown(.callModule) }
    facts.call.module = name
    facts.markPresent(.callModule)
  }
}
