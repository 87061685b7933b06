// Owns what one event of the kernel's programs says: the decision, and the facts that the kernel took at the call.
// It must not look at a process: ProcessSight does.

internal import AccessModel
internal import AuditNetlink
internal import CBPFLSM
internal import SystemCalls

/// A decision that the kernel made, as its program told it.
struct LSMEvent {
  let decision: Decision
  let raw: lil_event
  let pid: Int32

  /// Nil where the event is none that the programs write.
  init?(_ raw: lil_event, _ policies: PolicyGenerations) {
    let outcome = raw.outcome
    guard let mechanism = Mechanism(rawValue: raw.mechanism), mechanism.isCall || mechanism == .exec,
      let mode = Mode(rawValue: outcome.mode), mode != .off, let verdict = Verdict(rawValue: outcome.verdict),
      let pid = raw.facts.pid(LIL_PID), let reason = Self.reason(outcome, mechanism, raw.generation, policies)
    else { return nil }
    decision = Decision(mechanism: mechanism, mode: mode, verdict: verdict, reason: reason)
    self.raw = raw
    self.pid = pid
  }

  private static func reason(
    _ outcome: lil_outcome, _ mechanism: Mechanism, _ generation: UInt64, _ policies: PolicyGenerations
  ) -> Reason? {
    let rule = outcome.rule > 0 ? policies.rule(outcome.rule, of: generation) : nil
    switch lil_reason(rawValue: UInt32(outcome.reason)) {
    case LIL_BY_CAPABILITY: return mechanism.capability.map(Reason.capability)
    case LIL_BY_RULE: return rule.map(Reason.rule)
    case LIL_BY_UNDECIDED: return rule.map(Reason.undecided)
    case LIL_BY_DEFAULT: return .default
    default: return nil
    }
  }

  /// What came of it: the kernel itself fails what is denied under `enforce`.
  var effect: Effect { decision.answer == .deny ? .prevented : .logged }
}

extension LSMEvent {
  /// Fills the sheet with what the kernel told. What it did not tell is unknown, and stays out of the record.
  func describe(in facts: Facts) {
    raw.describeSubject(in: facts)
    describeCall(in: facts)
    describeObject(in: facts)
    describeTarget(in: facts)
  }

  private func describeCall(in facts: Facts) {
    let (told, mechanism) = (raw.facts, decision.mechanism)
    let architecture = AuditArchitecture(rawValue: raw.arch)
    let name = CallName.of(raw.call, on: architecture) ?? ""
    let arguments = CallArguments(raw.allArguments)
    var call = CallFacts()
    call.describe(name, on: architecture.machine, arguments, of: mechanism)
    // What the hook saw is what the kernel does, whatever the call's own arguments are. Calls that only come by ptrace's
    // hook, as the opening of /proc/PID/mem, have no request.
    if mechanism == .ioctl || !call.request.isEmpty, let request = told.id(LIL_REQUEST) {
      call.setRequest(request, of: mechanism)
    }
    if mechanism == .mprotect, let protection = told[LIL_PROTECTION] {
      call.protection = FlagNames.protection.text(protection)
    }
    if call.flags.isEmpty, let flags = told[LIL_FLAGS], let names = Self.flagNames(mechanism) {
      call.flags = names.text(flags)
    }
    call.time = raw.decidedAt
    facts.call = call
    facts.markPresent(.call)
    guard mechanism == .clone else { return }
    let byFlags = arguments.namespaces(of: name)
    if let namespaces = told[LIL_NAMESPACES].map(NamespaceKind.names) ?? byFlags {
      facts.call.namespaces = namespaces
      facts.markPresent(.callNamespaces)
    }
  }

  /// Of mechanisms whose calls may hide their flags in memory.
  private static func flagNames(_ mechanism: Mechanism) -> FlagNames? {
    switch mechanism {
    case .clone: .clone
    case .mprotect: .map
    default: nil
    }
  }

  private func describeObject(in facts: Facts) {
    let told = raw.facts
    if let identity = told.file(LIL_OBJECT_DEV, LIL_OBJECT_INO) {
      facts.object.identity = identity
      facts.markPresent(.objectIdentity)
    }
    if let owner = told.id(LIL_OBJECT_OWNER), let mode = told[LIL_OBJECT_MODE] {
      facts.object.owner = owner
      facts.object.mode = UInt16(truncatingIfNeeded: mode) & 0o7777
      facts.markPresent(.objectPermissions)
    }
    let name = raw.objectName
    let named = decision.mechanism == .mount && !name.isEmpty ? name : nil
    if let type = named ?? told.text(LIL_FSTYPE_LOW, LIL_FSTYPE_HIGH) {
      facts.object.fileSystemType = type
      facts.object.mountFlags = []
      facts.markPresent(.objectFileSystem)
    }
    if decision.mechanism == .module, !name.isEmpty {
      facts.call.module = name
      facts.markPresent(.callModule)
    }
  }

  private func describeTarget(in facts: Facts) {
    guard decision.mechanism == .ptrace, let pid = raw.facts.pid(LIL_TARGET_PID),
      let uid = raw.facts.id(LIL_TARGET_UID)
    else { return }
    (facts.target.pid, facts.target.uid) = (pid, uid)
    facts.target.comm = raw.targetName
    facts.markPresent(.targetStatus)
  }
}

extension lil_facts {
  /// A file by its device, which the kernel keeps as major << 20 | minor, and its inode number.
  func file(_ device: lil_field, _ inode: lil_field) -> FileIdentity? {
    guard let device = self[device], let inode = self[inode] else { return nil }
    let number = DeviceNumber(
      major: UInt32(truncatingIfNeeded: device >> 20), minor: UInt32(truncatingIfNeeded: device & 0xf_ffff))
    return FileIdentity(device: number, inode: inode)
  }
}
