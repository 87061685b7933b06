// Owns the way of one request: decide, fetch the facts that the decision asks for, decide, answer, record.
// It must not know where requests come from, how facts are fetched or where records go: it is written against ports.

public import AccessModel
public import PolicyDecision
internal import Synchronization

/// The reference monitor. Shared by all threads of all enforcement points.
public final class ReferenceMonitor<Trail: DecisionTrail>: Mediator {
  /// What one thread keeps: a sheet of facts and the way to fill it.
  public struct Desk {
    let facts: Facts
    let information: any InformationPoint
  }

  /// Makes the information points of one thread.
  public typealias MakeInformation =
    @Sendable (_ mechanism: Mechanism, _ room: any WaitingRoom) -> any InformationPoint

  private let current: Mutex<Policy>
  private let makeInformation: MakeInformation
  private let now: @Sendable () -> UInt64
  private let realtime: @Sendable () -> Int64
  private let trail: Trail
  public let tally = DecisionTally()

  /// `monotonic` and `realtime` give nanoseconds; `makeInformation` is called once for each thread.
  public init(
    policy: Policy, trail: Trail, monotonic: @escaping @Sendable () -> UInt64,
    realtime: @escaping @Sendable () -> Int64, makeInformation: @escaping MakeInformation
  ) {
    current = Mutex(policy)
    self.trail = trail
    now = monotonic
    self.realtime = realtime
    self.makeInformation = makeInformation
  }

  /// The policy in force. A request that has begun keeps the one that it began with.
  public var policy: Policy {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  public func makeDesk(for mechanism: Mechanism, room: any WaitingRoom) -> Desk {
    Desk(facts: Facts(), information: makeInformation(mechanism, room))
  }

  public func mediate<Request: AccessRequest & ~Copyable>(_ request: consuming Request, at desk: Desk) {
    let facts = desk.facts
    let mechanism = request.mechanism
    let received = request.received
    facts.begin(pid: request.subjectPID, operation: request.operation, objectHandle: request.objectHandle)
    guard let decision = decide(mechanism, at: desk) else {
      if request.answer(.allow) { tally.countData(mechanism, nanoseconds: now() &- received) }
      return
    }
    let recorded = trail.wants(decision)
    if recorded {
      // While the subject is held; afterwards it may be gone.
      desk.information.fetch(.record, into: facts)
      facts.subject.identity = request.subjectIsAlive ? .certain : .uncertain
    }
    // The deadline may have answered first: then it has counted and recorded, and this decision moved nothing.
    guard request.answer(decision.answer) else { return }
    let nanoseconds = now() &- received
    tally.count(decision, nanoseconds: nanoseconds)
    guard recorded else { return }
    trail.append(
      TrailEntry(
        decision: decision, effect: effect(of: decision), time: realtime(), answerNanoseconds: nanoseconds,
        facts: facts))
  }

  /// Nil where the object is data, which passes without a decision.
  private func decide(_ mechanism: Mechanism, at desk: Desk) -> Decision? {
    let policy = policy
    if mechanism == .open { return decideOpen(policy, at: desk) }
    return decide(mechanism, policy, at: desk)
  }

  /// An open rule's path stands for the file that it names, so a file is decided under each protected name that it
  /// has, and the first denial holds. A file that no rule names is not `open`'s business.
  private func decideOpen(_ policy: Policy, at desk: Desk) -> Decision? {
    let facts = desk.facts
    desk.information.fetch([.objectStatus, .objectPath], into: facts)
    let names = facts.object.protectedNames
    guard facts.present.contains(.objectPath), !names.isEmpty else {
      let isNamed = facts.object.pathVerified && policy.matchesAnchor(facts.object.path)
      return facts.failed.contains(.objectPath) || isNamed ? decide(.open, policy, at: desk) : nil
    }
    facts.object.pathVerified = true
    var decision: Decision?
    for name in names {
      facts.object.path = name
      decision = decide(.open, policy, at: desk)
      if decision?.verdict == .deny { break }
    }
    return decision
  }

  private func decide(_ mechanism: Mechanism, _ policy: Policy, at desk: Desk) -> Decision? {
    while true {
      switch policy.decide(mechanism, desk.facts) {
      case .final(let decision): return decision
      case .data: return nil
      case .needs(let groups): desk.information.fetch(groups, into: desk.facts)
      }
    }
  }

  public func failureAnswer(_ mechanism: Mechanism) -> Verdict { failureDecision(.dropped, mechanism).answer }

  public func noteFailure(
    _ failure: Failure, of mechanism: Mechanism, pid: Int32, operation: Operation, nanoseconds: UInt64
  ) {
    let decision = failureDecision(failure, mechanism)
    tally.count(decision, nanoseconds: nanoseconds)
    guard trail.wants(decision) else { return }
    let facts = Facts()
    facts.begin(pid: pid, operation: operation)
    trail.append(
      TrailEntry(
        decision: decision, effect: effect(of: decision), time: realtime(), answerNanoseconds: nanoseconds,
        facts: facts))
  }

  private func failureDecision(_ failure: Failure, _ mechanism: Mechanism) -> Decision {
    let settings = policy.settings[mechanism]
    // The kernel denies what it can give no descriptor for, whatever is configured.
    let verdict = failure == .outOfDescriptors ? .deny : settings.onFailure
    return Decision(mechanism: mechanism, mode: settings.mode, verdict: verdict, reason: .failure(failure))
  }

  private func effect(of decision: Decision) -> Effect {
    decision.answer == .deny || decision.reason == .failure(.outOfDescriptors) ? .prevented : .logged
  }
}
