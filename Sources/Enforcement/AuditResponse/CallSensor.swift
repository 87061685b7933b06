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

  /// A child that has namespaces of its own, which its maker may have asked for or it itself.
  private struct Suspicion {
    var record: CallRecord
    var child: Int32
    var namespaces: [[UInt8]]
    var due: UInt64
  }

  var plan: SensingPlan
  private var mounts: MountLedger
  private var suspicions: [Suspicion] = []
  private let chronicle: any SubjectChronicle
  private let kinship: Kinship
  private let ownPID = ProcessSetup.processID
  private let scratch = Facts()
  /// So long a child's own call may be under way to here, in nanoseconds.
  private static let doubt: UInt64 = 100_000_000
  private static let mostSuspicions = 4096

  init(plan: SensingPlan, chronicle: any SubjectChronicle, mounts: MountLedger, kinship: Kinship = Kinship()) {
    self.kinship = kinship
    self.plan = plan
    self.chronicle = chronicle
    self.mounts = mounts
  }

  mutating func sense(_ record: CallRecord, received: UInt64) -> Finding {
    acquit(by: record)
    guard record.pid != ownPID, !kinship.covers(record.pid, at: record.event.time),
      let mechanism = plan.mechanism(of: record.call, on: record.architecture, record.arguments)
    else { return .none }
    let caller = Caller(pid: record.pid, at: record.event.time)
    var namespaces = record.namespacesByFlags
    if record.call == .clone3, record.succeeded { return suspect(record, isAlive: caller != nil, received) }
    // A clone3 that was not permitted wanted a namespace; any other failure is of no interest.
    if record.call == .clone3, record.result != -1 { return .none }
    if record.call == .setns, namespaces == nil {
      namespaces = namespaceOfDescriptor(record, isAlive: caller != nil)
    }
    let mount = mechanism == .mount && record.succeeded ? findMount(record, isAlive: caller != nil) : nil
    return .request(
      CallRequest(
        record, mechanism: mechanism, received: received, caller: caller, mount: mount, namespaces: namespaces))
  }

  /// Sees what became of the host's mounts.
  mutating func lookAgain() { _ = mounts.difference(for: nil) }

  /// A mount is sought where the caller lives. One that is gone, or on its way, shows no namespace: it is sought among the
  /// host's where the caller was noted there before.
  private mutating func findMount(_ record: CallRecord, isAlive: Bool) -> MountFinding? {
    if isAlive, let isHosts = NamespaceComparison.isInInitialUserNamespace(record.pid),
      let difference = mounts.difference(for: record.pid)
    {
      // Who lives in a user namespace of his own cannot have mounted among the host's mounts: a thread of his did, in a
      // mount namespace that only it has.
      return difference.isInitial && !isHosts ? nil : MountFinding(record, difference)
    }
    guard livedAmongTheHosts(record) else { return nil }
    return MountFinding(record, mounts.difference(for: nil))
  }

  private func livedAmongTheHosts(_ record: CallRecord) -> Bool {
    scratch.begin(pid: record.pid, operation: .call)
    record.describeSubject(in: scratch)
    record.describeCall(.mount, in: scratch)
    return chronicle.livedInInitialMountNamespace(scratch)
  }

  // MARK: Children of clone3

  /// Looks whether a new process has namespaces that its maker has not. If it has, its own calls may have made them:
  /// their records come within a moment.
  private mutating func suspect(_ record: CallRecord, isAlive: Bool, _ received: UInt64) -> Finding {
    guard let child = record.result.flatMap(Int32.init(exactly:)), child > 0,
      let kinds = namespacesOfChild(child, record, isAlive: isAlive)
    else { return .unseen }
    if kinds.isEmpty { return .none }
    // A child in a namespace of its own is no copy of its parent.
    chronicle.namespacesChanged(pid: child)
    guard suspicions.count < Self.mostSuspicions else { return .unseen }
    suspicions.append(Suspicion(record: record, child: child, namespaces: kinds, due: received &+ Self.doubt))
    return .none
  }

  /// Kinds of namespace that a new process has for itself: none for an ordinary child or thread. Of a maker that is gone
  /// it is enough to know that it lived in the initial ones. Nil where nobody can tell.
  private func namespacesOfChild(_ child: Int32, _ record: CallRecord, isAlive: Bool) -> [[UInt8]]? {
    if isAlive {
      guard NamespaceComparison.sharesProcessNumbers(record.pid) else { return nil }
      return NamespaceComparison.kinds(of: child, unlike: record.pid)
    }
    guard livedAmongTheHosts(record) else { return nil }
    return NamespaceComparison.kinds(of: child, unlike: ownPID, among: ["user", "mount"])
  }

  /// A process that entered namespaces by itself clears its maker of having asked for them.
  private mutating func acquit(by record: CallRecord) {
    guard !suspicions.isEmpty, record.succeeded, record.call == .unshare || record.call == .setns else { return }
    let own = record.namespacesByFlags ?? namespaceOfDescriptor(record, isAlive: true)
    for index in suspicions.indices where suspicions[index].child == record.pid {
      // Only of what it entered itself; of everything where nobody can tell what that was.
      suspicions[index].namespaces.removeAll { kind in own?.contains(kind) != false }
    }
    suspicions.removeAll { $0.namespaces.isEmpty }
  }

  /// The next child that nothing has cleared its maker of. Call until `none`.
  mutating func takeDue(_ now: UInt64) -> Finding {
    guard let first = suspicions.first, first.due <= now else { return .none }
    suspicions.removeFirst()
    let caller = Caller(pid: first.record.pid, at: first.record.event.time)
    return .request(
      CallRequest(
        first.record, mechanism: .clone, received: now, caller: caller, mount: nil, namespaces: first.namespaces))
  }

  /// When `takeDue` has something to give; nil where nothing is in doubt.
  var nextDue: UInt64? { suspicions.first?.due }

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
      guard let child = record.result.flatMap(Int32.init(exactly:)), child > 0, record.namespacesByFlags != [],
        NamespaceComparison.sharesProcessNumbers(record.pid)
      else { return }
      chronicle.namespacesChanged(pid: child)
    default: break
    }
  }
}
