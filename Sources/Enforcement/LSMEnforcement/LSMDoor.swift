// Owns the doors at the kernel's LSM hooks, open: the programs, the policy that they go by, the threads beside them.
// It must not decide: the kernel has, by the time that anything is read here.

public import AccessModel
public import BPFLSM
internal import CBPFLSM
internal import Synchronization
public import SystemCalls

/// One set of loaded programs, for one scope. Thread-safe; policies come from one thread at a time.
public final class LSMDoor<Recorder: DecisionRecorder>: Sendable {
  private let programs: LSMPrograms
  private let reader: LSMReader<EventReader<Recorder>>
  private let policies: PolicyGenerations
  private let inForce = Mutex<PolicyInForce?>(nil)
  private let stopping: WakeUp
  private let running = Mutex<[Thread]>([])

  /// What rules ask for by name may name another file or control group now.
  private static var lookAgainMilliseconds: Int32 { 2000 }

  /// Loads the programs of `hooks` (see `LSMReport`); none is asked until a policy is put in force. `groups` are open
  /// folders of the cgroup2 hierarchy to which the doors are limited; none for the whole host.
  public init(hooks: Set<String>, limitedTo groups: [Int32], recorder: Recorder) throws(LSMReport.Fault) {
    programs = try LSMPrograms(hooks: hooks, limitedTo: groups)
    policies = PolicyGenerations()
    do throws(Errno) { stopping = try WakeUp() } catch { throw LSMReport.Fault(error: error) }
    reader = LSMReader(programs, EventReader(recorder: recorder, policies: policies), until: stopping)
  }

  /// Starts reading events, and looking names up again. Once.
  public func start() throws(Errno) {
    let threads = [
      try Thread.start("lsm-events") { [reader] in reader.run() },
      try Thread.start("lsm-names") { [self] in keepNames() },
    ]
    running.withLock { $0 = threads }
  }

  /// Puts a policy in force for these mechanisms, and attaches their hooks' programs and no others. Allows of `logging`
  /// are recorded too. `rules` are all of the policy's, in their order.
  public func guardDoors(
    _ mechanisms: MechanismSet, _ program: KernelProgram, _ settings: PolicySettings, rules: [RuleReference],
    logging: MechanismSet
  ) throws(Errno) {
    let policy = PolicyInForce(
      program: program, settings: settings, mechanisms: mechanisms, logging: logging,
      generation: UInt64(bitPattern: Clock.realtime()))
    policies.keep(rules, as: policy.generation)
    try inForce.withLock { current throws(Errno) in
      current = policy
      try put(policy)
    }
    try programs.attach(LSMHook.names(of: mechanisms.members.map(\.rawValue)).intersection(programs.hooks))
  }

  private func put(_ policy: PolicyInForce) throws(Errno) {
    let image = PolicyImage(
      policy.program, policy.settings, of: policy.mechanisms, logging: policy.logging, generation: policy.generation,
      names: HostNames())
    try unsafe image.withPolicy { image throws(Errno) in try unsafe programs.replace(with: image) }
  }

  /// Names in rules stand for what has them now.
  private func keepNames() {
    while isRunning(Self.lookAgainMilliseconds) {
      inForce.withLock { current in
        guard let policy = current, policy.program.names.contains(where: \.mayChange) else { return }
        try? put(policy)
      }
    }
  }

  private func isRunning(_ milliseconds: Int32) -> Bool {
    let woken = try? waitForEvents([(stopping.descriptor, PollEvents.input)], milliseconds: milliseconds)
    return woken?.first == 0
  }

  /// Detaches everything, then records what was decided before. The threads have ended when it returns.
  public func stop() {
    try? programs.attach([])
    stopping.wake()
    let threads = running.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in threads { thread.join() }
  }

  /// Maps that nobody else is to write, by the kernel's numbers.
  public var mapIDs: [UInt32] { (try? programs.mapIDs()) ?? [] }

  /// Hooks whose programs are asked now.
  public var attached: Set<String> { programs.attached }

  /// What the kernel counted since the programs were loaded; nil where it cannot be read.
  public var counts: LSMCounts? {
    guard let tally = try? programs.tally() else { return nil }
    return LSMCounts(tally, malformed: reader.malformed)
  }
}

/// What a policy is made of, so that its names can be looked up again.
private struct PolicyInForce: Sendable {
  let program: KernelProgram
  let settings: PolicySettings
  let mechanisms: MechanismSet
  let logging: MechanismSet
  let generation: UInt64
}

extension KernelName {
  /// Files and control groups come and go; numbers of calls do not.
  fileprivate var mayChange: Bool {
    switch self {
    case .device, .inode, .controlGroup: true
    case .callNumber, .architecture: false
    }
  }
}

extension LSMHook {
  /// Names of the hooks that guard these mechanisms, by number.
  static func names(of mechanisms: [UInt8]) -> Set<String> {
    Set(all.filter { hook in hook.mechanisms.contains { mechanisms.contains($0) } }.map(\.name))
  }
}
