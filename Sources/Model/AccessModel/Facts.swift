// Owns the sheet of facts that one request fills while it is decided. A worker keeps one and uses it again.
// It must not fetch: an information point fills it, `decide` reads it.

/// What kind of access a request is.
public enum Operation: UInt8, Sendable, Hashable {
  /// execve(2) of it: it becomes a program.
  case execute
  /// Some process opens it.
  case open
  /// A system call that is itself the door.
  case call

  public var name: String {
    switch self {
    case .execute: "execute"
    case .open: "open"
    case .call: "call"
    }
  }
}

/// The facts of one request. Not thread-safe: it belongs to the thread that mediates the request.
public final class Facts {
  /// Groups that were fetched and are known.
  public private(set) var present: FactSet = []
  /// Groups that were tried and cannot be known: what reads them is undecided.
  public private(set) var failed: FactSet = []
  /// Why the last group in `failed` failed; but that the subject is not certain outweighs what failed after it, since
  /// most of that follows from it.
  public private(set) var failure: Failure?
  /// Why it cannot be known how far the content is trusted, whatever else failed before or after.
  public private(set) var trustFailure: Failure?

  public var operation = Operation.open
  /// The rule that decided, counted from 1; 0 where none did. Known when the request is answered.
  public var decidingRule: UInt32 = 0
  /// Names the held object to the information points; nobody else may interpret it. Negative without an object.
  public private(set) var objectHandle: Int32 = -1
  public var subject = SubjectFacts()
  public var object = ObjectFacts()
  public var call = CallFacts()
  public var target = TargetFacts()

  /// Makes room so that a warm decision allocates nothing.
  public init() {
    object.path.reserveCapacity(4096)
    object.interpreter.reserveCapacity(256)
    object.fileSystemType.reserveCapacity(32)
    subject.executable.reserveCapacity(4096)
    subject.parentExecutable.reserveCapacity(4096)
    subject.controlGroup.reserveCapacity(1024)
    subject.unit.reserveCapacity(256)
    subject.comm.reserveCapacity(64)
    subject.terminal.reserveCapacity(64)
    subject.groups.reserveCapacity(64)
  }

  /// Begins a new request: every group is unknown again. Fields keep their storage.
  public func begin(pid: Int32, operation: Operation, objectHandle: Int32 = -1) {
    present = .request
    failed = []
    failure = nil
    trustFailure = nil
    subject.pid = pid
    subject.identity = .uncertain
    subject.comm.removeAll(keepingCapacity: true)
    self.operation = operation
    decidingRule = 0
    self.objectHandle = objectHandle
  }

  /// There was no trust database to ask.
  public var trustIsUnavailable: Bool { trustFailure == .trustUnavailable }

  /// Groups that were neither fetched nor given up.
  public func missing(of wanted: FactSet) -> FactSet { wanted.subtracting(present).subtracting(failed) }

  public func markPresent(_ groups: FactSet) {
    present.formUnion(groups)
    failed.subtract(groups)
    if groups.contains(.objectTrust) { trustFailure = nil }
  }

  /// These do not exist for this request, or nothing can tell: what reads them is undecided, and no failure is at fault.
  public func markUnknown(_ groups: FactSet) {
    failed.formUnion(groups)
    present.subtract(groups)
    if groups.contains(.objectTrust) { trustFailure = nil }
  }

  /// These are to be fetched after all.
  public func forget(_ groups: FactSet) {
    present.subtract(groups)
    failed.subtract(groups)
    if groups.contains(.objectTrust) { trustFailure = nil }
  }

  /// Runs `body` with everything about the subject and its kind of access unknown, so that what it finds out holds for
  /// every subject. What it fetches about the object stays.
  public func withoutSubject<Result>(_ body: () -> Result) -> Result {
    let known = present.intersection(.subject)
    let unknown = failed.intersection(.subject)
    failed.formUnion(.subject)
    present.subtract(.subject)
    defer {
      failed = failed.subtracting(.subject).union(unknown)
      present = present.subtracting(.subject).union(known)
    }
    return body()
  }

  /// Runs `body` as if it were known how far the content is trusted.
  public func assuming<Result>(_ trust: TrustState, _ body: () -> Result) -> Result {
    let (known, unknown, before) = (present, failed, object.trust)
    present.insert(.objectTrust)
    failed.remove(.objectTrust)
    object.trust = trust
    defer { (present, failed, object.trust) = (known, unknown, before) }
    return body()
  }

  public func markFailed(_ groups: FactSet, because failure: Failure) {
    failed.formUnion(groups)
    present.subtract(groups)
    if groups.contains(.objectTrust) { trustFailure = failure }
    if self.failure != .subjectUncertain { self.failure = failure }
  }
}
