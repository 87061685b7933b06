// Owns the ports between the stages of the reference monitor: request, information, trail.
// It must not name a kernel interface, a file or a thread.

/// A request of one subject for one access. A door that can prevent holds the subject until it is answered; one that
/// senses afterwards answers by containment. Noncopyable: it is answered exactly once, by the compiler's word, and one
/// that is dropped gives the configured failure answer.
public protocol AccessRequest: ~Copyable {
  /// Thread group id of the subject.
  var subjectPID: Int32 { get }
  var operation: Operation { get }
  var mechanism: Mechanism { get }
  /// Names the object to the information points.
  var objectHandle: Int32 { get }
  /// When the request was read: nanoseconds of a clock that is never set back.
  var received: UInt64 { get }
  /// Writes down what the request itself says, before anything is fetched.
  func describe(into facts: Facts)
  /// Says, when everything was fetched, how sure it is that the facts are about the subject.
  func settleIdentity(in facts: Facts)
  /// Gives the answer; `facts` are those of this request. Then, with the object still at hand, `remembers` is asked
  /// whether the kernel may give the same answer to everybody from now on, until the object changes; a door that cannot
  /// hand it over does not ask.
  consuming func answer(_ verdict: Verdict, _ facts: Facts, remembers: () -> Bool) -> Answered
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

/// Takes decisions that the kernel made by itself, by the policy that an enforcement point had given it.
public protocol DecisionRecorder: Sendable {
  /// Counts the decision and, where the trail wants it, records it. `time` is when the kernel decided, in nanoseconds
  /// since the epoch. `describe` fills the sheet, which has been begun, and is called only for a record. Called by
  /// several threads at once, each with a sheet of its own; never blocks.
  func record(
    _ decision: Decision, effect: Effect, time: Int64, of pid: Int32, on facts: Facts, describe: (Facts) -> Void)
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

/// Takes what a sensor learns about processes in passing, so that later requests of theirs rest on it.
public protocol SubjectChronicle: Sendable {
  /// The process gave up or took capabilities (capset(2)).
  func capabilitiesSet(pid: Int32, effective: CapabilitySet, permitted: CapabilitySet)
  /// The process entered other namespaces: what was known of its namespaces holds no longer.
  func namespacesChanged(pid: Int32)
  /// Whether the caller of the call that `facts` describe is known to have lived in the initial user and mount
  /// namespaces when it called; for callers that are gone.
  func livedInInitialMountNamespace(_ facts: Facts) -> Bool
}

/// Takes what happened, after the answer was given.
public protocol DecisionTrail: Sendable {
  /// Whether this decision is to be recorded. Asked before the answer, so that facts for the record can be fetched
  /// while the subject is held; it may count a suppressed record, and it must not block.
  func wants(_ decision: Decision) -> Bool
  /// Whether decisions like this one are recorded at all, whatever limits hold back this one. Counts nothing.
  func keeps(_ decision: Decision) -> Bool
  /// Takes the record; never blocks, counts what it drops.
  func append(_ entry: TrailEntry)
}

/// One decision with all that its record says.
public struct TrailEntry: Sendable {
  public var decision: Decision
  public var effect: Effect
  /// Nanoseconds since the epoch, CLOCK_REALTIME, when the request was read.
  public var time: Int64
  /// From reading the request to giving the answer, in nanoseconds; nil where the kernel decided by itself.
  public var answerNanoseconds: UInt64?
  public var operation: Operation
  public var present: FactSet
  /// Why some facts are not present.
  public var failure: Failure?
  /// Why containment did not come about, where it was due.
  public var containmentFailure: ContainmentFailure?
  public var subject: SubjectFacts
  public var object: ObjectFacts
  public var call: CallFacts
  public var target: TargetFacts

  public init(
    decision: Decision, effect: Effect, time: Int64, answerNanoseconds: UInt64?, facts: borrowing Facts,
    containmentFailure: ContainmentFailure? = nil
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
    call = facts.call
    target = facts.target
    self.containmentFailure = containmentFailure
  }
}
