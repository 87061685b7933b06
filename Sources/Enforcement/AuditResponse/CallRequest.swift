// Owns one sensed call from the moment its event is whole until it is answered.
// It must not decide. What it says of the caller is what the record said, or was read while the caller was proven alive.

public import AccessModel
internal import AuditNetlink
internal import ProcFS
internal import SystemCalls

/// A system call that has happened or was tried. Allowing it does nothing; denying it contains it.
public struct CallRequest: AccessRequest, ~Copyable {
  public let mechanism: Mechanism
  public let received: UInt64
  private let record: CallRecord
  private let mount: MountFinding?
  private let mountNamespace: Descriptor?
  /// Nil where nobody can tell.
  private let namespaces: [[UInt8]]?
  private let caller: Caller?

  init(
    _ record: CallRecord, mechanism: Mechanism, received: UInt64, caller: consuming Caller?, mount: MountFinding?,
    namespaces: [[UInt8]]?
  ) {
    self.record = record
    self.mechanism = mechanism
    self.received = received
    self.mount = mount
    self.namespaces = namespaces
    if let mount, mount.isNew, !mount.isInitial {
      mountNamespace = try? Descriptor.open("/proc/\(record.pid)/ns/mnt", 0)
    } else {
      mountNamespace = nil
    }
    self.caller = caller
  }

  private var callerStart: UInt64? {
    switch caller {
    case .some(let caller): caller.startTime
    case .none: nil
    }
  }

  private var callerIsAlive: Bool {
    switch caller {
    case .some(let caller): caller.isAlive
    case .none: false
    }
  }

  public var subjectPID: Int32 { record.pid }
  public var operation: Operation { .call }
  /// The record names objects by text; what a descriptor's number means now is no proof of what it meant.
  public var objectHandle: Int32 { -1 }

  public func describe(into facts: Facts) {
    record.describeSubject(in: facts)
    if let startTime = callerStart {
      facts.subject.startTime = startTime
      facts.subject.terminal = record.terminal
      facts.markPresent(.subjectStat)
    }
    record.describeCall(mechanism, in: facts)
    facts.markUnknown([.objectStatus, .objectContent, .objectDirectory, .subjectProgram, .subjectScript])
    describeObject(in: facts)
    switch mechanism {
    case .ptrace: describeTarget(in: facts)
    case .module: record.describeModule(in: facts)
    default: break
    }
    if mechanism == .clone { describeNamespaces(in: facts) }
    facts.markUnknown(facts.missing(of: .ofCall.union(.object)))
    if !facts.present.contains(.targetStatus) { facts.markUnknown(.targetExecutable) }
  }

  private func describeNamespaces(in facts: Facts) {
    guard let namespaces else { return }
    facts.call.namespaces = namespaces
    facts.markPresent(.callNamespaces)
  }

  /// Where the record does not name the traced process, the call's own argument does: in the caller's numbers.
  private func describeTarget(in facts: Facts) {
    record.describeTarget(in: facts)
    guard !facts.present.contains(.targetStatus), record.call == .processVMWritev, callerIsAlive,
      NamespaceComparison.sharesProcessNumbers(record.pid)
    else { return }
    let pid = Int32(truncatingIfNeeded: record.arguments[0])
    guard let target = TargetReading.status(of: pid) else { return }
    facts.target.pid = pid
    facts.target.uid = target.uid
    facts.target.comm = target.comm
    facts.markPresent(.targetStatus)
    facts.forget(.targetExecutable)
  }

  private func describeObject(in facts: Facts) {
    if let mount {
      facts.object.path = mount.entry.mountPoint
      facts.object.pathVerified = mount.isInitial
      facts.object.fileSystemType = mount.entry.type
      facts.object.mountFlags = []
      facts.call.source = mount.entry.source
      facts.markPresent([.objectPath, .objectFileSystem, .callSource])
    } else if let path = mechanism == .mount ? MountFinding.place(of: record) : openFile {
      facts.object.path = path
      facts.object.pathVerified = false
      facts.markPresent(.objectPath)
    }
  }

  /// The file behind the descriptor that a module or device call was given, while the caller still has one there.
  private var openFile: [UInt8]? {
    switch record.call {
    case .finitModule, .ioctl, .kexecFileLoad: break
    default: return nil
    }
    guard callerStart != nil else { return nil }
    let descriptor = Int32(truncatingIfNeeded: record.arguments[0])
    guard descriptor >= 0 else { return nil }
    return try? readLink("/proc/\(record.pid)/fd/\(descriptor)")
  }

  /// The information point has settled it: it alone knows where it had the facts from.
  public func settleIdentity(in facts: Facts) {}

  public consuming func answer(_ verdict: Verdict, _ facts: Facts, remembers: () -> Bool) -> Answered {
    guard verdict == .deny, record.succeeded else { return .done(.logged) }
    // Lent, not taken out: it must be open until the mount is gone.
    switch mountNamespace {
    case .some(let namespace): return Containment.answer(record, mount, in: namespace.rawValue, caller)
    case .none: return Containment.answer(record, mount, in: -1, caller)
    }
  }
}
