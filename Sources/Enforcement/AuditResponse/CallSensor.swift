// Owns the way from an assembled event to a request: is it a door, who called, what did the call do.
// It must not decide, and it must not answer for a mechanism that is off.

internal import AccessModel
internal import AuditNetlink
internal import SystemCalls

/// For one thread.
struct CallSensor {
  /// What became of an event.
  enum Finding: ~Copyable {
    case request(CallRequest)
    /// Nobody's business: another's rule asked for it, or the call opens no door.
    case none
    /// A new process was gone before its namespaces could be compared with its parent's.
    case unseen
  }

  var plan: SensingPlan
  private var mounts: MountLedger
  private let chronicle: any SubjectChronicle
  private let ownPID = ProcessSetup.processID

  init(plan: SensingPlan, chronicle: any SubjectChronicle) throws(Errno) {
    self.plan = plan
    self.chronicle = chronicle
    mounts = try MountLedger()
  }

  mutating func sense(_ record: CallRecord, received: UInt64) -> Finding {
    guard record.pid != ownPID,
      let mechanism = plan.mechanism(of: record.call, on: record.architecture, record.arguments)
    else { return .none }
    let caller = Caller(pid: record.pid, at: record.event.time)
    var namespaces = record.namespacesByFlags
    // A clone3 that was not permitted wanted a namespace; any other failure is of no interest.
    if record.call == .clone3, !record.succeeded {
      guard record.result == -1 else { return .none }
    } else if record.call == .clone3 {
      guard let found = namespacesOfChild(record, isAlive: caller != nil) else { return .unseen }
      if found.isEmpty { return .none }
      // A child in a namespace of its own is no copy of its parent.
      if let child = record.result.flatMap(Int32.init(exactly:)) { chronicle.namespacesChanged(pid: child) }
      namespaces = found
    } else if record.call == .setns, namespaces == nil {
      namespaces = namespaceOfDescriptor(record, isAlive: caller != nil)
    }
    var mount: MountFinding?
    if mechanism == .mount {
      mount = MountFinding(record, mounts.difference(for: caller != nil ? record.pid : nil))
    }
    return .request(
      CallRequest(
        record, mechanism: mechanism, received: received, caller: caller, mount: mount, namespaces: namespaces))
  }

  /// Kinds of namespace that a new process has for itself: none for an ordinary child or thread. Nil where either is gone.
  private func namespacesOfChild(_ record: CallRecord, isAlive: Bool) -> [[UInt8]]? {
    guard isAlive, let child = record.result.flatMap(Int32.init(exactly:)), child > 0,
      NamespaceComparison.sharesProcessNumbers(record.pid)
    else { return nil }
    return NamespaceComparison.kinds(of: child, unlike: record.pid)
  }

  /// What setns(2) entered, as the descriptor's link says: `net:[4026531840]`.
  private func namespaceOfDescriptor(_ record: CallRecord, isAlive: Bool) -> [[UInt8]]? {
    guard isAlive, record.arguments[0] <= UInt64(Int32.max),
      let link = try? readLink("/proc/\(record.pid)/fd/\(record.arguments[0])")
    else { return nil }
    let kind = link.prefix { $0 != UInt8(ascii: ":") }
    return NamespaceKind.all.first {
      $0.name.utf8.elementsEqual(kind) || NamespaceKind.link($0.name).utf8.elementsEqual(kind)
    }
    .map { [[UInt8]($0.name.utf8)] }
  }

  /// What a call changed about its caller, after the call itself was decided by what held before.
  func remember(_ record: CallRecord) {
    guard record.succeeded else { return }
    switch record.call {
    case .capset:
      guard let entry = record.event.first(AuditType.capset), let effective = entry.hexadecimal("cap_pe"),
        let permitted = entry.hexadecimal("cap_pp")
      else { return chronicle.namespacesChanged(pid: record.pid) }
      chronicle.capabilitiesSet(
        pid: record.pid, effective: CapabilitySet(bits: effective), permitted: CapabilitySet(bits: permitted))
    case .unshare, .setns: chronicle.namespacesChanged(pid: record.pid)
    case .clone:
      guard let child = record.result.flatMap(Int32.init(exactly:)), child > 0, record.namespacesByFlags != []
      else { return }
      chronicle.namespacesChanged(pid: child)
    default: break
    }
  }
}
