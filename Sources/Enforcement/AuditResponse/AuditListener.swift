// Owns the thread that reads the kernel's audit records, and the meters of what it could not read.
// It must not decide: a mediator does. Whoever is slow here loses records, and no process waits for it.

public import AccessModel
internal import AuditNetlink
internal import Synchronization
public import SystemCalls

/// How it goes.
public struct AuditListenerStatus: Sendable, Hashable {
  /// Records that were read.
  public var records: UInt64 = 0
  /// Events that were put together.
  public var events: UInt64 = 0
  /// Calls that were handed on for a decision.
  public var requests: UInt64 = 0
  /// Events of which a part was missing.
  public var torn: UInt64 = 0
  /// Records that could not be read.
  public var malformed: UInt64 = 0
  /// Messages that did not fit, or were none.
  public var truncated: UInt64 = 0
  /// Messages that somebody else than the kernel sent.
  public var foreign: UInt64 = 0
  /// New processes that were gone before their namespaces could be compared with their parents'.
  public var unseen: UInt64 = 0
  /// Records that the kernel lost since the start, by its own count.
  public var kernelLost: UInt64 = 0
  /// Records for which the socket had no room.
  public var socketDrops: UInt64 = 0
  /// How often deleted rules were put back.
  public var restored: UInt64 = 0
}

/// Takes what the listener has to say beside requests. Called on its thread; must not block.
public struct AuditReports: Sendable {
  public var changed: @Sendable (AuditChange) -> Void
  public var lost: @Sendable (_ what: String, _ count: UInt64) -> Void

  public init(
    changed: @escaping @Sendable (AuditChange) -> Void,
    lost: @escaping @Sendable (_ what: String, _ count: UInt64) -> Void
  ) {
    self.changed = changed
    self.lost = lost
  }
}

public final class AuditListener<Handler: Mediator>: Sendable {
  private let handler: Handler
  private let chronicle: any SubjectChronicle
  private let kinship: Kinship
  private let keeper: RuleKeeper
  private let reports: AuditReports
  private let stream: AuditStream
  private let wakeUp: WakeUp
  private let stopping = Atomic<Bool>(false)
  /// Another daemon reads on, and the rules stay.
  private let isLeaving = Atomic<Bool>(false)
  private let turns = Atomic<UInt64>(0)
  private let plan: Mutex<SensingPlan>
  private let counts = Mutex(AuditListenerStatus())
  private let thread = Mutex<Thread?>(nil)

  /// What is needed of all that the kernel sends.
  private static var types: Set<UInt16> {
    [
      AuditType.syscall, AuditType.path, AuditType.cwd, AuditType.objPID, AuditType.kernModule, AuditType.capset,
      AuditType.proctitle, AuditType.eoe, AuditType.configChange,
    ]
  }

  /// Joins the kernel's multicast at once, so that nothing is missed once rules are there. `receiveBuffer` in bytes.
  public init(
    handler: Handler, chronicle: any SubjectChronicle, keeper: RuleKeeper, reports: AuditReports, plan: SensingPlan,
    receiveBuffer: Int, kinship: Kinship = Kinship()
  ) throws(Errno) {
    self.kinship = kinship
    self.handler = handler
    self.chronicle = chronicle
    self.keeper = keeper
    self.reports = reports
    self.plan = Mutex(plan)
    stream = try AuditStream(receiveBuffer: receiveBuffer, types: Self.types)
    wakeUp = try WakeUp()
  }

  public var status: AuditListenerStatus { counts.withLock { $0 } }
  /// Counts the thread's turns, for a watchdog.
  public var progress: UInt64 { turns.load(ordering: .relaxed) }
  /// Bytes that may wait in the socket.
  public var receiveBuffer: Int { stream.receiveBuffer }

  public func replace(plan new: SensingPlan) {
    plan.withLock { $0 = new }
    wakeUp.wake()
  }

  public func start() throws(Errno) {
    let mounts = try MountLedger()
    let baseline = try keeper.status().lost
    let started = try Thread.start("lilium-audit") { [self] in
      let sensor = CallSensor(plan: plan.withLock { $0 }, chronicle: chronicle, mounts: mounts, kinship: kinship)
      var turn = Turn(sensor: sensor, lost: baseline)
      while !stopping.load(ordering: .acquiring) { run(&turn) }
      // What was called before the rules went away is still to be told; others' rules may make records without end.
      // With another reader, it is enough to have found nothing waiting once.
      let end = Clock.monotonic() + Self.patience
      let enough = isLeaving.load(ordering: .acquiring) ? Self.batch : 1
      while Clock.monotonic() < end, drain(&turn) >= enough { decide(&turn) }
      turn.assembler.flush()
      repeat { decide(&turn) } while turn.isBehind && Clock.monotonic() < end
      measure(&turn)
    }
    thread.withLock { $0 = started }
  }

  /// Reads what has come, decides it, and returns. Call after the rules are gone, or when another reads.
  public func stop(leaving: Bool = false) {
    isLeaving.store(leaving, ordering: .releasing)
    stopping.store(true, ordering: .releasing)
    wakeUp.wake()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
  }
}

/// What the thread keeps from turn to turn.
private struct AuditTurn<Desk> {
  var assembler = EventAssembler()
  var sensor: CallSensor
  var desks: [Mechanism: Desk] = [:]
  var buffer = [UInt8](repeating: 0, count: AuditStream.recordCapacity)
  var records: UInt64 = 0
  var lastLost: UInt32
  var lastDrops: UInt64 = 0
  var measured: UInt64 = 0
  var checked: UInt64 = 0
  /// Somebody changed rules or switches.
  var isDoubtful = false
  /// Events that are whole wait to be decided.
  var isBehind = false

  init(sensor: CallSensor, lost: UInt32) {
    self.sensor = sensor
    lastLost = lost
  }
}

extension AuditListener {
  private typealias Turn = AuditTurn<Handler.Desk>

  private static var second: UInt64 { 1_000_000_000 }
  /// How long what waits may take at the end.
  private static var patience: UInt64 { 5 * second }

  private func run(_ turn: inout Turn) {
    _ = try? waitForEvents(
      [(stream.descriptor, PollEvents.input), (wakeUp.descriptor, PollEvents.input)], milliseconds: pause(&turn))
    wakeUp.clear()
    turn.sensor.plan = plan.withLock { $0 }
    drain(&turn)
    decide(&turn)
    let now = Clock.monotonic()
    if now &- turn.measured >= Self.second {
      turn.measured = now
      measure(&turn)
    }
    // At once when somebody changed the rules, and every so often in case that record was lost.
    if turn.isDoubtful || now &- turn.checked >= 10 * Self.second {
      turn.checked = now
      turn.isDoubtful = false
      restore()
    }
  }

  /// Milliseconds until something is due without a record.
  private func pause(_ turn: inout Turn) -> Int32 {
    if turn.isBehind { return 0 }
    guard let deadline = [turn.assembler.nextDeadline, turn.sensor.nextDue].compactMap({ $0 }).min() else {
      return 1000
    }
    let now = Clock.monotonic()
    return deadline <= now ? 0 : Int32(min(1000, (deadline - now) / 1_000_000 + 1))
  }

  /// Takes what waits into the assembler; so many at once that events in between are decided in time. The rest waits in
  /// the socket, which is bounded and counts what it has no room for.
  @discardableResult
  private func drain(_ turn: inout Turn) -> Int {
    if turn.isBehind { return Self.batch }
    for count in 0..<Self.batch {
      guard let received = next(&turn.buffer) else { return count }
      turn.records += 1
      if received.type == AuditType.configChange { turn.isDoubtful = true }
      let now = Clock.monotonic()
      unsafe turn.buffer.withUnsafeBytes { bytes in
        unsafe turn.assembler.add(
          type: received.type, text: UnsafeRawBufferPointer(rebasing: bytes[received.text]), now: now)
      }
    }
    wakeUp.wake()
    return Self.batch
  }

  private static var batch: Int { 4096 }
  /// How long a turn may decide before it looks after everything else.
  private static var share: UInt64 { second / 2 }

  private func next(_ buffer: inout [UInt8]) -> AuditStream.Received? {
    unsafe buffer.withUnsafeMutableBytes { bytes in try? unsafe stream.receive(into: bytes) }
  }

  private func decide(_ turn: inout Turn) {
    let end = Clock.monotonic() + Self.share
    var sum = AuditListenerStatus()
    turn.isBehind = false
    while !turn.isBehind, let event = turn.assembler.takeReady(now: Clock.monotonic()) {
      turns.wrappingAdd(1, ordering: .relaxed)
      sum.events += 1
      if let record = CallRecord(event) {
        hand(on: turn.sensor.sense(record, received: Clock.monotonic()), &turn, &sum)
        turn.sensor.remember(record)
      }
      turn.isBehind = Clock.monotonic() >= end
    }
    turns.wrappingAdd(1, ordering: .relaxed)
    while hand(on: turn.sensor.takeDue(Clock.monotonic()), &turn, &sum) {}
    let counters = turn.assembler.counters
    counts.withLock {
      $0.events += sum.events
      $0.requests += sum.requests
      $0.unseen += sum.unseen
      $0.records = turn.records
      $0.torn = counters.torn
      $0.malformed = counters.malformed
      $0.truncated = stream.truncatedCount
      $0.foreign = stream.strangerCount
    }
  }

  /// False where there was no request.
  @discardableResult
  private func hand(
    on finding: consuming CallSensor.Finding, _ turn: inout Turn, _ sum: inout AuditListenerStatus
  ) -> Bool {
    switch consume finding {
    case .request(let request):
      sum.requests += 1
      let desk = desk(for: request.mechanism, &turn)
      let isMount = request.mechanism == .mount
      handler.mediate(request, at: desk)
      // What was undone is to be gone here too: the next mount may get its id and its device.
      if isMount { turn.sensor.lookAgain() }
      return true
    case .unseen:
      sum.unseen += 1
      return false
    case .none: return false
    }
  }

  private func desk(for mechanism: Mechanism, _ turn: inout Turn) -> Handler.Desk {
    if let desk = turn.desks[mechanism] { return desk }
    let desk = handler.makeDesk(for: mechanism, room: NoWaiting())
    turn.desks[mechanism] = desk
    return desk
  }

  /// One report for each gap: what was lost since the last look.
  private func measure(_ turn: inout Turn) {
    if let status = try? keeper.status() {
      // Somebody may have set the kernel's count back to 0.
      let more = status.lost >= turn.lastLost ? UInt64(status.lost - turn.lastLost) : UInt64(status.lost)
      turn.lastLost = status.lost
      if more > 0 {
        counts.withLock { $0.kernelLost += more }
        reports.lost("audit-kernel", more)
      }
    }
    guard let drops = try? stream.drops(), drops > turn.lastDrops else { return }
    reports.lost("audit-socket", drops - turn.lastDrops)
    turn.lastDrops = drops
    counts.withLock { $0.socketDrops = drops }
  }

  private func restore() {
    guard let changes = try? keeper.restore() else { return }
    for change in changes {
      if case .restored = change { counts.withLock { $0.restored += 1 } }
      reports.changed(change)
    }
  }
}

/// Nothing that a call's facts need is waited for.
private struct NoWaiting: WaitingRoom {
  func enter() -> Bool { true }
  func leave() {}
}
