// A fake for every port of the reference monitor, and one journal in which they all write what happened, in order.
// It must not test anything.

import AccessModel
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import Synchronization
import Testing

/// What happened, in order.
final class Journal: Sendable {
  enum Step: Equatable, Sendable {
    case described
    case fetched(FactSet)
    case settled
    case asked(Decision)
    case answered(Verdict)
    /// Whether the kernel may give the same answer to everybody from now on.
    case remembered(Bool)
    case appended
  }

  private let list = Mutex<[Step]>([])
  func note(_ step: Step) { list.withLock { $0.append(step) } }
  var steps: [Step] { list.withLock { $0 } }

  var fetched: [FactSet] {
    steps.compactMap { if case .fetched(let groups) = $0 { groups } else { nil } }
  }
  var answers: [Verdict] {
    steps.compactMap { if case .answered(let verdict) = $0 { verdict } else { nil } }
  }
}

/// A request that remembers its answer. A denial becomes `denied`; `isLate` makes it one that the deadline has
/// answered.
struct FakeRequest: AccessRequest, ~Copyable {
  let journal: Journal
  var subjectPID: Int32 = 42
  var operation = Operation.execute
  var mechanism = Mechanism.exec
  var objectHandle: Int32 = 7
  var received: UInt64 = 1_000
  var identity = IdentityCertainty.certain
  var isLate = false
  var denied = Answered.done(.prevented)
  var said: (Facts) -> Void = { _ in }
  var answering: (Facts) -> Void = { _ in }
  /// A door that can hand an allow over to the kernel asks whether it may.
  var canRemember = false

  init(_ journal: Journal) { self.journal = journal }

  /// Only a call says something by itself.
  func describe(into facts: Facts) {
    said(facts)
    if operation == .call { journal.note(.described) }
  }

  func settleIdentity(in facts: Facts) {
    facts.subject.identity = identity
    if operation == .call { journal.note(.settled) }
  }

  consuming func answer(_ verdict: Verdict, _ facts: Facts, remembers: () -> Bool) -> Answered {
    journal.note(.answered(verdict))
    answering(facts)
    if isLate { return .late }
    if canRemember { journal.note(.remembered(remembers())) }
    return verdict == .deny ? denied : .done(.logged)
  }
}

/// Fetches from values that it was given; `failing` groups cannot be known.
final class FakeInformation: InformationPoint {
  private let journal: Journal
  private let failing: FactSet
  private let fill: (Facts) -> Void

  init(_ journal: Journal, failing: FactSet, fill: @escaping (Facts) -> Void) {
    self.journal = journal
    self.failing = failing
    self.fill = fill
  }

  func fetch(_ wanted: FactSet, into facts: Facts) {
    let missing = facts.missing(of: wanted)
    if missing.isEmpty { return }
    journal.note(.fetched(missing))
    // Only what is fetched now may change: the monitor keeps a path of its own choice.
    let (object, subject) = (facts.object, facts.subject)
    fill(facts)
    if !missing.contains(.objectPath) {
      facts.object.path = object.path
      facts.object.pathVerified = object.pathVerified
      facts.object.protectedNames = object.protectedNames
    }
    if missing.isDisjoint(with: .subject) { facts.subject = subject }
    facts.markPresent(missing.subtracting(failing))
    let failed = missing.intersection(failing)
    if !failed.isEmpty { facts.markFailed(failed, because: .objectUnreadable) }
  }
}

final class FakeTrail: DecisionTrail {
  private let journal: Journal
  private let isWanted: Bool
  private let keepsAllows: Bool
  private let kept = Mutex<[TrailEntry]>([])

  init(_ journal: Journal, isWanted: Bool, keepsAllows: Bool = false) {
    self.journal = journal
    self.isWanted = isWanted
    self.keepsAllows = keepsAllows
  }

  func keeps(_ decision: Decision) -> Bool { isWanted || (keepsAllows && decision.verdict == .allow) }

  func wants(_ decision: Decision) -> Bool {
    journal.note(.asked(decision))
    return isWanted
  }

  func append(_ entry: TrailEntry) {
    journal.note(.appended)
    kept.withLock { $0.append(entry) }
  }

  var entries: [TrailEntry] { kept.withLock { $0 } }
}

struct FakeRoom: WaitingRoom {
  func enter() -> Bool { true }
  func leave() {}
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func policy(
  _ rules: String, mode: Mode = .enforce, onFailure: Verdict = .allow, location: SourceLocation = #_sourceLocation
) -> Policy {
  var settings = PolicySettings()
  for mechanism in Mechanism.allCases {
    settings[mechanism].mode = mode
    settings[mechanism].onFailure = onFailure
  }
  let source = RuleSource(path: "/etc/lilium/rules.d/50-site.rules", file: "50-site.rules", bytes: bytes(rules))
  let (rules, diagnostics) = RuleSet.parse([source])
  #expect(diagnostics.isEmpty, "\(diagnostics.map(\.rendered).joined())", sourceLocation: location)
  return Policy(rules: rules, settings: settings)
}

/// Shows some times, one after the other, and then stands at 51,000 ns.
final class FakeClock: Sendable {
  private let times: Mutex<[UInt64]>

  init(_ times: [UInt64]) { self.times = Mutex(times.reversed()) }

  func read() -> UInt64 { times.withLock { $0.popLast() } ?? 51_000 }
  /// What it has not shown.
  var rest: Int { times.withLock { $0.count } }
}

/// A monitor between fakes. A request that was read at 1,000 ns took 50,000, unless there are other `times`.
struct Bench {
  let journal = Journal()
  let clock: FakeClock
  let trail: FakeTrail
  let monitor: ReferenceMonitor<FakeTrail>

  init(
    _ policy: Policy, records: Bool = true, keepsAllows: Bool = false, failing: FactSet = [],
    times: [UInt64] = [],
    fill: @escaping @Sendable (Facts) -> Void = { $0.object.pathVerified = true }
  ) {
    let trail = FakeTrail(journal, isWanted: records, keepsAllows: keepsAllows)
    let (journal, clock) = (journal, FakeClock(times))
    self.clock = clock
    self.trail = trail
    monitor = ReferenceMonitor(
      policy: policy, trail: trail, monotonic: { clock.read() }, realtime: { 1_700_000_000_000_000_000 },
      makeInformation: { _, _ in FakeInformation(journal, failing: failing, fill: fill) })
  }

  func mediate(_ change: (inout FakeRequest) -> Void = { _ in }) {
    var request = FakeRequest(journal)
    change(&request)
    let desk = monitor.makeDesk(for: request.mechanism, room: FakeRoom())
    monitor.mediate(request, at: desk)
  }

  /// The lines of the tally as `MECHANISM VERDICT MODE REASON COUNT`.
  var tally: [String] {
    monitor.tally.decisions.map {
      "\($0.mechanism.name) \($0.verdict.name) \($0.mode.name) \($0.reason) \($0.count)"
    }
  }
}
