// Owns the ports between the stages of the reference monitor: request, information, trail.
// It must not name a kernel interface, a file or a thread.

/// A request that a kernel holds until it is answered. Noncopyable: it is answered exactly once, by the compiler's
/// word, and one that is dropped gives the configured failure answer.
public protocol AccessRequest: ~Copyable {
  /// Thread group id of the subject.
  var subjectPID: Int32 { get }
  var operation: Operation { get }
  var mechanism: Mechanism { get }
  /// Names the object to the information points.
  var objectHandle: Int32 { get }
  /// When the request was read: nanoseconds of a clock that is never set back.
  var received: UInt64 { get }
  /// Whether the process that asked is still there: facts that were read before this was true are about it.
  var subjectIsAlive: Bool { get }
  /// Gives the answer. False where somebody (the deadline) has answered already.
  consuming func answer(_ verdict: Verdict) -> Bool
}

/// Decides requests and records what came of them; what an enforcement point hands its requests to.
public protocol Mediator: Sendable {
  /// What one thread keeps from request to request.
  associatedtype Desk
  /// Called once for each thread that mediates requests of this mechanism.
  func makeDesk(for mechanism: Mechanism, room: any WaitingRoom) -> Desk
  /// Answers the request and records it. Called by several threads at once, each with a desk of its own.
  func mediate<Request: AccessRequest & ~Copyable>(_ request: consuming Request, at desk: Desk)
  /// Takes note of a request that was answered without a decision.
  func noteFailure(_ failure: Failure, of mechanism: Mechanism, pid: Int32, operation: Operation, nanoseconds: UInt64)
  /// What such a request is answered with now: `on_failure` under `enforce`, else allow.
  func failureAnswer(_ mechanism: Mechanism) -> Verdict
}

/// Where a thread goes while it waits for something that may take long, so that another takes its place.
public protocol WaitingRoom: Sendable {
  /// False where no more threads may wait: the caller gives the fact up as `outOfThreads`.
  func enter() -> Bool
  func leave()
}

/// Fetches facts about the subject and the object of the request at hand.
public protocol InformationPoint {
  /// Fetches each wanted group that is still missing and marks it present or failed; never throws, never leaves a
  /// wanted group missing.
  func fetch(_ wanted: FactSet, into facts: Facts)
}

/// Takes what happened, after the answer was given.
public protocol DecisionTrail: Sendable {
  /// Whether this decision is to be recorded. Asked before the answer, so that facts for the record can be fetched
  /// while the subject is held; it may count a suppressed record, and it must not block.
  func wants(_ decision: Decision) -> Bool
  /// Takes the record; never blocks, counts what it drops.
  func append(_ entry: TrailEntry)
}

/// One decision with all that its record says.
public struct TrailEntry: Sendable {
  public var decision: Decision
  public var effect: Effect
  /// Nanoseconds since the epoch, CLOCK_REALTIME, when the request was read.
  public var time: Int64
  /// From reading the request to giving the answer, in nanoseconds.
  public var answerNanoseconds: UInt64
  public var operation: Operation
  public var present: FactSet
  /// Why some facts are not present.
  public var failure: Failure?
  public var subject: SubjectFacts
  public var object: ObjectFacts

  public init(
    decision: Decision, effect: Effect, time: Int64, answerNanoseconds: UInt64, facts: borrowing Facts
  ) {
    self.decision = decision
    self.effect = effect
    self.time = time
    self.answerNanoseconds = answerNanoseconds
    operation = facts.operation
    present = facts.present
    failure = facts.failure
    subject = facts.subject
    object = facts.object
  }
}
