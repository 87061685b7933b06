// Owns looking at each program right after it was executed, while the kernel holds it: its first open in user space is
// that of /etc/ld.so.cache, made with the credentials that it got.
// It must not deny, wait or record anything.

public import AccessModel
internal import Synchronization

/// Answers permission requests of that one file: allow, always, once the process was noted.
public final class SubjectWitness: Mediator {
  private let processes: ProcessTable
  private let failures = Atomic<UInt64>(0)

  /// What one thread keeps: a reader, and a sheet that stays empty.
  public final class Desk {
    let reading: ProcessReading
    let facts = Facts()
    init(_ reading: ProcessReading) { self.reading = reading }
  }

  public init(_ processes: ProcessTable) { self.processes = processes }

  public func makeDesk(for mechanism: Mechanism, room: any WaitingRoom) -> Desk {
    Desk(processes.makeReader())
  }

  public func mediate<Request: AccessRequest & ~Copyable>(_ request: consuming Request, at desk: Desk) {
    desk.facts.begin(
      pid: request.subjectPID, operation: request.operation, objectHandle: request.objectHandle)
    processes.note(request.subjectPID, how: .held, by: desk.reading)
    _ = request.answer(.allow, desk.facts) { false }
    // Nobody waits any more.
    processes.tidy()
  }

  public func noteFailure(
    _ failure: Failure, of mechanism: Mechanism, pid: Int32, operation: Operation, nanoseconds: UInt64
  ) {
    failures.wrappingAdd(1, ordering: .relaxed)
  }

  public func failureAnswer(_ mechanism: Mechanism) -> Verdict { .allow }

  /// Requests that were answered without a look: what they would have shown is not known.
  public var missed: UInt64 { failures.load(ordering: .relaxed) }
}
