// Owns the sheet of facts that one request fills while it is decided. A worker keeps one and uses it again.
// It must not fetch: an information point fills it, `decide` reads it.

/// How the object of an exec or open request was reached.
public enum Operation: UInt8, Sendable, Hashable {
  /// execve(2) of it: it becomes a program.
  case execute
  /// Some process opens it.
  case open

  public var name: String { self == .execute ? "execute" : "open" }
}

/// The facts of one request. Not thread-safe: it belongs to the thread that mediates the request.
public final class Facts {
  /// Groups that were fetched and are known.
  public private(set) var present: FactSet = []
  /// Groups that were tried and cannot be known: what reads them is undecided.
  public private(set) var failed: FactSet = []
  /// Why the last group in `failed` failed.
  public private(set) var failure: Failure?

  public var operation = Operation.open
  /// Names the held object to the information points; nobody else may interpret it. Negative without an object.
  public private(set) var objectHandle: Int32 = -1
  public var subject = SubjectFacts()
  public var object = ObjectFacts()

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
    present = []
    failed = []
    failure = nil
    subject.pid = pid
    subject.identity = .uncertain
    self.operation = operation
    self.objectHandle = objectHandle
  }

  /// Groups that were neither fetched nor given up.
  public func missing(of wanted: FactSet) -> FactSet { wanted.subtracting(present).subtracting(failed) }

  public func markPresent(_ groups: FactSet) {
    present.formUnion(groups)
    failed.subtract(groups)
  }

  public func markFailed(_ groups: FactSet, because failure: Failure) {
    failed.formUnion(groups)
    present.subtract(groups)
    self.failure = failure
  }
}
