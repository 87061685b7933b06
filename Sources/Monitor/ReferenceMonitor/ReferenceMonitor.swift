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
  let trail: Trail
  let recurring = RecurringData()
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
    set {
      current.withLock { $0 = newValue }
      recurring.reset()
    }
  }

  /// Something else than the policy has changed that decisions rest on: what was found out about files of data holds no
  /// longer.
  public func reconsiderData() { recurring.reset() }

  public func makeDesk(for mechanism: Mechanism, room: any WaitingRoom) -> Desk {
    Desk(facts: Facts(), information: makeInformation(mechanism, room))
  }

  public func mediate<Request: AccessRequest & ~Copyable>(_ request: consuming Request, at desk: Desk) {
    let (facts, policy) = (desk.facts, policy)
    let mechanism = request.mechanism
    let received = request.received
    facts.begin(pid: request.subjectPID, operation: request.operation, objectHandle: request.objectHandle)
    request.describe(into: facts)
    let decision = decide(mechanism, policy, at: desk)
    let recorded = decision.map { trail.wants($0) } ?? false
    // Containment goes by what is known of the subject, so the same is found out for it, recorded or not.
    if recorded || (mechanism.isCall && decision?.answer == .deny) {
      // While the subject is held; afterwards it may be gone.
      fetch(Self.groupsOfRecord(mechanism, facts), at: desk)
      request.settleIdentity(in: facts)
    }
    facts.decidingRule = decision?.reason.rule.map { UInt32(clamping: $0.index + 1) } ?? 0
    var answered: UInt64?
    let outcome = request.answer(decision?.answer ?? .allow, facts) {
      // What comes now keeps nobody waiting.
      answered = now()
      return !recorded && mayBeRemembered(decision, mechanism, policy, at: desk)
    }
    // The deadline may have answered first: then it has counted and recorded, and this decision moved nothing.
    if outcome == .late { return }
    let nanoseconds = (answered ?? now()) &- received
    guard let decision else { return tally.countData(mechanism, nanoseconds: nanoseconds) }
    tally.count(decision, nanoseconds: nanoseconds)
    if recorded { append(decision, outcome, nanoseconds, facts) }
  }

  private func append(_ decision: Decision, _ outcome: Answered, _ nanoseconds: UInt64, _ facts: Facts) {
    var (effect, containmentFailure) = (Effect.logged, ContainmentFailure?.none)
    switch outcome {
    case .late: break
    case .done(let done): effect = done
    case .notContained(let why): containmentFailure = why
    }
    trail.append(
      TrailEntry(
        decision: decision, effect: effect, time: realtime(), answerNanoseconds: nanoseconds, facts: facts,
        containmentFailure: containmentFailure))
  }

  /// What a record shows and what is not known yet. A call's object is not read for its content: it may be a device,
  /// and reading takes from it.
  private static func groupsOfRecord(_ mechanism: Mechanism, _ facts: Facts) -> FactSet {
    guard mechanism.isCall else { return .record }
    var groups = FactSet.recordOfCall
    if mechanism != .ptrace { groups.remove(.targetExecutable) }
    if facts.objectHandle >= 0 { groups.formUnion([.objectStatus, .objectPath, .objectFileSystem]) }
    return groups
  }

  /// Nil where the object is data, which passes without a decision.
  private func decide(_ mechanism: Mechanism, _ policy: Policy, at desk: Desk) -> Decision? {
    if mechanism == .open { return decideOpen(policy, at: desk) }
    return decideFetching(mechanism, policy, at: desk)
  }

  /// An open rule's path stands for the file that it names, so a file is decided under each protected name that it
  /// has, and the first denial holds. A file that no rule names is not `open`'s business.
  private func decideOpen(_ policy: Policy, at desk: Desk) -> Decision? {
    let facts = desk.facts
    desk.information.fetch([.objectStatus, .objectPath], into: facts)
    let names = facts.object.protectedNames
    guard facts.present.contains(.objectPath), !names.isEmpty else {
      let isNamed = facts.object.pathVerified && policy.matchesAnchor(facts.object.path)
      return facts.failed.contains(.objectPath) || isNamed ? decideFetching(.open, policy, at: desk) : nil
    }
    facts.object.pathVerified = true
    var decision: Decision?
    for name in names {
      facts.object.path = name
      decision = decideFetching(.open, policy, at: desk)
      if decision?.verdict == .deny { break }
    }
    return decision
  }

  private func decideFetching(_ mechanism: Mechanism, _ policy: Policy, at desk: Desk) -> Decision? {
    while true {
      switch policy.decide(mechanism, desk.facts) {
      case .final(let decision): return decision
      case .data: return nil
      case .needs(let groups): fetch(groups, at: desk)
      }
    }
  }

  /// What comes with a request itself is asked of nobody: where the request did not say it, it cannot be known. What
  /// content is worth is asked about a file that is known by then.
  func fetch(_ groups: FactSet, at desk: Desk) {
    let facts = desk.facts
    let unsaid = facts.missing(of: groups.intersection(.ofCall))
    if !unsaid.isEmpty { facts.markUnknown(unsaid) }
    let ofContent: FactSet = [.objectDigest, .objectTrust]
    let wanted = groups.isDisjoint(with: ofContent) ? groups : groups.union([.objectStatus, .objectPath])
    desk.information.fetch(wanted.subtracting(.ofCall), into: facts)
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
        decision: decision, effect: Self.effect(of: decision, after: failure), time: realtime(),
        answerNanoseconds: nanoseconds, facts: facts))
  }

  private func failureDecision(_ failure: Failure, _ mechanism: Mechanism) -> Decision {
    let settings = policy.settings[mechanism]
    let verdict = Self.isKernelsDenial(failure, mechanism) ? .deny : settings.onFailure
    return Decision(mechanism: mechanism, mode: settings.mode, verdict: verdict, reason: .failure(failure))
  }

  /// The kernel denies the access to a file for which it can give no descriptor, whatever is configured.
  private static func isKernelsDenial(_ failure: Failure, _ mechanism: Mechanism) -> Bool {
    failure == .outOfDescriptors && !mechanism.isCall
  }

  /// What came of a failure's answer. A call was not held: its record is all that is left of it.
  private static func effect(of decision: Decision, after failure: Failure) -> Effect {
    guard !decision.mechanism.isCall else { return .logged }
    return decision.answer == .deny || isKernelsDenial(failure, decision.mechanism) ? .prevented : .logged
  }
}
