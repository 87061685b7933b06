// Owns what a call's record says about the operation itself: names of requests, flags, results.
// It must not look at a process.

internal import AccessModel
internal import AuditNetlink

extension CallRecord {
  /// Fills the group `call`.
  func describeCall(_ mechanism: Mechanism, in facts: Facts) {
    var call = CallFacts()
    call.name = [UInt8](self.call.name.utf8)
    call.architecture = [UInt8](architecture.machine.utf8)
    call.result = result
    call.succeeded = succeeded
    call.time = event.time
    call.serial = event.serial
    describeRequest(mechanism, &call)
    if !CallDoor.takesArgumentsInMemory(self.call, on: architecture) { describeFlags(&call) }
    facts.call = call
    facts.markPresent(.call)
  }

  private func describeRequest(_ mechanism: Mechanism, _ facts: inout CallFacts) {
    guard let argument = requestArgument else { return }
    // The kernel takes 32 bits of an ioctl's request; ptrace's is small.
    facts.requestNumber = UInt64(arguments.low(argument))
    let name = RequestNames.name(of: facts.requestNumber, mechanism) ?? "0x" + String(facts.requestNumber, radix: 16)
    facts.request = [UInt8](name.utf8)
  }

  /// Which argument is the request, if the call has one.
  private var requestArgument: Int? {
    switch call {
    case .ptrace: 0
    case .ioctl: 1
    default: nil
    }
  }

  private func describeFlags(_ facts: inout CallFacts) {
    switch call {
    case .mmap, .mmap2:
      facts.protection = FlagNames.protection.text(arguments[2])
      facts.flags = FlagNames.map.text(arguments[3])
    case .mprotect, .pkeyMprotect: facts.protection = FlagNames.protection.text(arguments[2])
    case .mount: facts.flags = FlagNames.mount.text(mountFlags)
    case .umount2: facts.flags = FlagNames.unmount.text(arguments[1])
    case .openTree, .openTreeAttr, .mountSetattr: facts.flags = FlagNames.tree.text(arguments[2])
    case .fsmount: facts.flags = FlagNames.mountAttributes.text(arguments[2])
    case .clone: facts.flags = FlagNames.clone.text(arguments[0] & 0xffff_ff00)
    case .unshare: facts.flags = FlagNames.clone.text(arguments[0])
    case .setns: facts.flags = FlagNames.clone.text(arguments[1])
    case .finitModule: facts.flags = FlagNames.module.text(arguments[2])
    case .deleteModule: facts.flags = FlagNames.unload.text(arguments[1])
    case .initModule: facts.size = arguments[1]
    case .kexecLoad: facts.flags = FlagNames.kexec.text(arguments[3] & 0xffff)
    default: break
    }
  }

  /// Without the magic number that old programs put into the upper half.
  private var mountFlags: UInt64 {
    arguments[3] & 0xffff_0000 == 0xc0ed_0000 ? arguments[3] & 0xffff : arguments[3] & 0xffff_ffff
  }

  /// Namespaces that the flags name; nil where the call hides them.
  var namespacesByFlags: [[UInt8]]? {
    switch call {
    case .clone: NamespaceKind.names(arguments[0] & 0xffff_ff00)
    case .unshare: NamespaceKind.names(arguments[0])
    case .setns where arguments[1] & 0xffff_ffff != 0: NamespaceKind.names(arguments[1])
    default: nil
    }
  }

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
