// Owns the doors that are system calls: the reader of audit, its rules, and what keeps subjects known.
// It must not decide; it is changed by one thread at a time, under the daemon's lock.

import AccessModel
import AuditNetlink
import AuditResponse
import BPFLSM
import Configuration
import ControlProtocol
import DecisionRecord
import Fanotify
import FanotifyEnforcement
import LSMEnforcement
import PolicyDecision
import ReferenceMonitor
import SubjectInformation
import Synchronization
import SystemCalls
import TrailSinks

final class CallDoors: Sendable {
  struct Open: Sendable {
    let lock: AuditLock
    let keeper: RuleKeeper
    let listener: AuditListener<Monitor>
    /// Asked at the first open in user space of every dynamically linked program, when its credentials are its own.
    let witness: PermissionListener<SubjectWitness>
    let observer: SubjectWitness
    let witnessed: ProtectedFiles
  }

  private let monitor: Monitor
  private let trail: Trail
  private let processes: ProcessTable
  let marker: String
  private let opened = Mutex<Open?>(nil)
  /// While one daemon takes over from another, both go by the rules in the kernel: neither takes any away.
  private let isShared: Atomic<Bool>
  /// Of a daemon that this one takes over from.
  private let inherited: Mutex<Inheritance?>
  let kinship = Kinship()
  let sensing = Sensing(survey: LSMReport.survey)
  let hooks: HookDoors

  /// What a daemon that sensed calls leaves to the one that takes over.
  struct Inheritance: Sendable {
    let lock: AuditLock
    var backlog: TakeoverOffer.Raise?
  }

  /// Every dynamically linked program opens it before it runs code of its own (ld.so(8)).
  private static let loaderCache = "/etc/ld.so.cache"

  /// `shared` where another daemon still senses; `inherited` is what it leaves, if it senses calls.
  init(
    monitor: Monitor, trail: Trail, processes: ProcessTable, stateFolder: String, shared: Bool = false,
    inherited: Inheritance? = nil
  ) {
    isShared = Atomic(shared)
    self.inherited = Mutex(inherited)
    self.monitor = monitor
    hooks = HookDoors(monitor: monitor)
    self.trail = trail
    self.processes = processes
    marker = Self.marker(in: stateFolder)
  }

  /// The file that says, over a crash, that it was Lilium that switched auditing on.
  static func marker(in stateFolder: String) -> String { "\(stateFolder)/audit-switched-on" }

  var door: Open? { opened.withLock { $0 } }

  /// Senses what the policy wants sensed, and no more.
  func change(to policy: Policy, _ configuration: Configuration) throws(DoorError) {
    let choice = try sensing.choose(policy)
    let switches = HostSwitches(choice.switches)
    try switches.check()
    try hooks.change(to: policy, configuration, of: choice.mechanisms(by: .bpf), sensing.report)
    let plan = SensingPlan(policy, choice)
    guard let first = plan.mechanisms.first else {
      _ = closeAudit()
      return
    }
    let door: Open
    if let running = self.door { door = running } else { door = try open(plan, configuration, for: first) }
    door.listener.replace(plan: plan)
    let rules = RuleCompiler.rules(for: plan)
    do throws(Errno) {
      let preferences = AuditPreferences(
        backlogLimit: configuration.audit.backlogLimit, restoresRules: configuration.audit.restoresRules)
      let isShared = isShared.load(ordering: .acquiring)
      for change in try door.keeper.install(rules, preferences, sparingOthers: isShared) { report(change) }
      for obstacle in try door.keeper.obstacles() { report(obstacle) }
    } catch {
      let reason = Self.refusal(error, door.keeper, rules)
      if self.door == nil { close(door) }
      throw DoorError(mechanism: first, reason: reason)
    }
    opened.withLock { $0 = door }
    try switches.set(trail)
  }

  private static func refusal(
    _ error: Errno, _ keeper: RuleKeeper? = nil, _ wanted: [CompiledRule] = []
  ) -> String {
    if error == .again { return "another liliumd senses system calls on this host: stop it first" }
    guard error == .permission else { return "audit: \(error); run liliumctl doctor to see what this kernel offers" }
    guard let keeper, (try? keeper.status())?.isLocked == true, let listed = try? keeper.listed() else {
      return
        "the kernel refuses audit to liliumd: it needs CAP_AUDIT_CONTROL and CAP_AUDIT_READ in the initial user, pid "
        + "and network namespaces; run liliumctl doctor"
    }
    let missing = wanted.filter { rule in !listed.contains { $0.matches(rule.rule) } }.map { "\n  \($0.rule.text)" }
    return "audit rules are locked until the next boot (auditctl -e 2), and these are missing; put the output of "
      + "liliumctl rules into a file of /etc/audit/rules.d, before the one that locks, and boot again:"
      + missing.joined()
  }

  private func open(_ plan: SensingPlan, _ configuration: Configuration, for mechanism: Mechanism) throws(DoorError)
    -> Open
  {
    do throws(Errno) {
      let inherited = inherited.withLock { $0 }
      let lock = if let inherited { inherited.lock } else { try AuditLock() }
      let keeper = try RuleKeeper(marker: marker)
      if let raised = inherited?.backlog { keeper.raisedBacklog = (raised.from, raised.to) }
      let group = try PermissionGroup()
      let witnessed = try ProtectedFiles(group: group, marksFolders: false)
      let observer = SubjectWitness(processes)
      let witness = try PermissionListener(
        mechanism: .exec, group: group, handler: observer, settings: ListenerSettings(configuration))
      let listener = try AuditListener(
        handler: monitor, chronicle: processes, keeper: keeper, reports: reports, plan: plan,
        receiveBuffer: configuration.audit.receiveBufferMebibytes << 20, kinship: kinship)
      try witness.start()
      witnessed.replace(with: [.file(Self.loaderCache)])
      _ = witnessed.update()
      // After the mark: who starts from now on is seen by it, who runs already is seen now.
      processes.scan()
      let door = Open(
        lock: lock, keeper: keeper, listener: listener, witness: witness, observer: observer, witnessed: witnessed)
      do throws(Errno) { try listener.start() } catch {
        close(door)
        throw error
      }
      return door
    } catch {
      throw DoorError(mechanism: mechanism, reason: Self.refusal(error))
    }
  }

  /// Takes the rules away, decides what was called before, lets go. True where every thread ended.
  func close() -> Bool {
    hooks.close()
    return closeAudit()
  }

  private func closeAudit() -> Bool {
    let door = opened.withLock { door in
      defer { door = nil }
      return door
    }
    return door.map { close($0) } ?? true
  }

  @discardableResult
  private func close(_ door: Open) -> Bool {
    let isShared = isShared.load(ordering: .acquiring)
    if !isShared { try? door.keeper.remove() }
    door.listener.stop(leaving: isShared)
    door.witnessed.close()
    return door.witness.stop(nanoseconds: 2_000_000_000)
  }

  func beginSharing() { isShared.store(true, ordering: .releasing) }
  func stopSharing() { isShared.store(false, ordering: .releasing) }

  /// Once: the lock of a door that is open lives on in it.
  func takeInheritance() -> Inheritance? { inherited.withLock { $0.take() } }

  /// Nil where no mechanism needs audit.
  var status: StatusReport.Audit? {
    guard let door else { return nil }
    var report = StatusReport.Audit()
    let listener = door.listener.status
    report.records = listener.records
    report.received = listener.events
    report.torn = listener.torn
    report.malformed = listener.malformed
    report.kernelLost = listener.kernelLost
    report.socketDrops = listener.socketDrops
    report.restored = listener.restored
    report.switchedOnByLilium = door.keeper.isSwitchedOnByLilium
    do throws(Errno) {
      let status = try door.keeper.status()
      report.enabled = Int(status.enabled)
      report.backlogLimit = status.backlogLimit
      let listed = try door.keeper.listed()
      let wanted = door.keeper.wanted
      report.rules = wanted.count { rule in listed.contains { $0.matches(rule.rule) } }
      report.obstacles = AuditObstacle.survey(status: status, listed: listed, wanted: wanted).map(\.description)
    } catch {
      report.obstacles = ["the state of audit cannot be read: \(error)"]
    }
    return report
  }

  private var reports: AuditReports {
    AuditReports(
      changed: { [self] change in report(change) },
      lost: { [trail] what, count in trail.append(.loss(what: what, count: count)) })
  }

  func report(_ change: AuditChange) { trail.append(.sensingChanged(SensingChange(change))) }

  private func report(_ obstacle: AuditObstacle) {
    trail.append(.sensingChanged(SensingChange(what: "audit-obstacle", detail: obstacle.description, isProblem: true)))
  }
}

extension SensingPlan {
  /// What the policy needs of audit.
  init(_ policy: Policy, _ choice: SenseChoice) {
    self.init(
      Mechanism.allCases.filter { choice.sensors[$0] == .audit }.map { ($0, policy.requestFilter($0)) })
  }
}

extension SensingChange {
  init(_ change: AuditChange) {
    switch change {
    case .switchedOn:
      self.init(what: "audit-switched-on", detail: "auditing was off and is on from now", isProblem: false)
    case .backlogRaised(let from, let to):
      self.init(what: "audit-backlog-raised", detail: "from \(from) to \(to) records", isProblem: false)
    case .restored(let rules):
      self.init(
        what: "audit-rules-restored", detail: "somebody deleted \(rules) of Lilium's audit rules; they are back",
        isProblem: true)
    case .switchedOnAgain:
      self.init(
        what: "audit-switched-on", detail: "somebody switched auditing off; it is on again", isProblem: true)
    case .blind(let why): self.init(what: "audit-blind", detail: why, isProblem: true)
    }
  }
}
