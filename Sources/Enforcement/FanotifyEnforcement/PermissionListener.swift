// Owns the threads that read permission events of one group, and the promise that one of them is always free.
// It must not decide, log or open a file: a mediator decides and records.

public import AccessModel
public import Fanotify
internal import Synchronization
public import SystemCalls

/// How a listener behaves.
public struct ListenerSettings: Sendable, Hashable {
  /// Threads that read at once while events queue up; two do while they do not.
  public var threads: Int
  /// A request that is older is answered by `on_failure`, in nanoseconds.
  public var deadline: UInt64
  /// Threads at the most, those that wait for file content included.
  public var mostThreads = 128

  public init(threads: Int, deadline: UInt64) {
    self.threads = threads
    self.deadline = deadline
  }
}

/// What a listener is doing.
public struct ListenerStatus: Sendable, Hashable {
  public var threads: Int
  /// Threads that wait for file content or are overdue.
  public var waiting: Int
  /// Events in the kernel's queue.
  public var pendingEvents: Int
  public var openRequests: Int
}

/// Several identical threads, each of which reads one event, has it decided and answers it on the spot. A thread that
/// must wait enters the waiting room, and another takes its place.
public final class PermissionListener<Handler: Mediator>: Sendable {
  public let mechanism: Mechanism
  public let group: PermissionGroup
  public let losses = ListenerLosses()
  private let handler: Handler
  private let settings: ListenerSettings
  private let memory: RememberedAllows?
  private let unasked: UnaskedReaders?
  private let ownPID = ProcessSetup.processID
  private let workers = Mutex<[(thread: Thread, slot: RequestSlot)]>([])
  private let crew: ReaderCrew
  private let stopping = Atomic<Bool>(false)
  /// Counts answers, for a watchdog.
  private let answered = Atomic<UInt64>(0)

  /// With a `memory`, allows that hold for every subject are handed to the kernel while the listener runs; one listener
  /// has it at a time.
  public init(
    mechanism: Mechanism, group: PermissionGroup, handler: Handler, settings: ListenerSettings,
    memory: RememberedAllows? = nil, unasked: UnaskedReaders? = nil
  ) throws(Errno) {
    self.unasked = unasked
    self.mechanism = mechanism
    self.group = group
    self.handler = handler
    self.settings = settings
    self.memory = memory
    crew = try ReaderCrew(busiest: settings.threads, most: settings.mostThreads)
  }

  /// Starts the threads; the deadline thread first, so that no request is ever without it.
  public func start() throws(Errno) {
    try Signals.makeInterrupting()
    _ = try Thread.start("lilium-deadline") { [self] in watchDeadlines() }
    for _ in 0..<ReaderCrew.quietest { try addWorker() }
    memory?.use(group)
  }

  public var progress: UInt64 { answered.load(ordering: .relaxed) }

  public var status: ListenerStatus {
    let open = workers.withLock { $0.count { $0.slot.openSince != nil } }
    return ListenerStatus(
      threads: crew.running, waiting: crew.waiting, pendingEvents: (try? group.pendingEvents()) ?? 0, openRequests: open
    )
  }

  /// Starts a thread that counts as a reader from now on.
  private func addWorker() throws(Errno) {
    let slot = RequestSlot()
    crew.join()
    do throws(Errno) {
      let thread = try Thread.start("lilium-\(mechanism.name)") { [self] in work(slot) }
      workers.withLock { $0.append((thread, slot)) }
    } catch {
      crew.quit()
      throw error
    }
  }

  private func work(_ slot: RequestSlot) {
    let room = WorkerRoom(slot, enter: { [self] in enter() }, leave: { [self] in crew.comeBack() })
    let desk = handler.makeDesk(for: mechanism, room: room)
    var pace = ReaderPace()
    while true {
      let event: FanotifyEvent
      do throws(Errno) { event = try group.nextEvent() } catch {
        if endsWork(error) { break }
        continue
      }
      // Before a policy is looked at: what is decided by an older one is not remembered.
      let epoch = memory?.epoch ?? 0
      let received = Clock.monotonic()
      let advice = pace.advice(received)
      take(event, slot, desk, received, epoch)
      pace.finished(Clock.monotonic())
      switch advice {
      case .stay: break
      case .callAnother: if crew.readers < settings.threads { promote() }
      case .rest: crew.rest { stopping.load(ordering: .acquiring) }
      }
    }
    crew.quit()
  }

  /// What the busiest host needs for its requests at once.
  private static var leastDescriptors: UInt64 { 65536 }

  /// Whether the thread is to end; counts what an event's loss means.
  private func endsWork(_ error: Errno) -> Bool {
    switch error {
    case .interrupted: return false
    case .again:
      if stopping.load(ordering: .acquiring), (try? group.pendingEvents()) ?? 0 == 0 { return true }
      // Denied by the kernel: somebody holds a write lease on the file, and was told to give way.
      losses.count(.leased)
      return false
    case .tooManyFiles, .systemTooManyFiles:
      // The kernel has denied the event. Descriptors come free as requests are answered: do not spin meanwhile.
      losses.count(.outOfDescriptors)
      // Somebody may have lowered the limit under a running daemon.
      _ = try? ProcessSetup.raiseDescriptorLimit(to: Self.leastDescriptors)
      handler.noteFailure(.outOfDescriptors, of: mechanism, pid: 0, operation: .open, nanoseconds: 0)
      Clock.sleep(nanoseconds: 1_000_000)
      return false
    case .badDescriptor: return true
    default:
      losses.count(.unreadable)
      Clock.sleep(nanoseconds: 1_000_000)
      return false
    }
  }

  private func take(
    _ event: FanotifyEvent, _ slot: RequestSlot, _ desk: Handler.Desk, _ received: UInt64, _ epoch: UInt64
  ) {
    guard event.isPermission, event.descriptor >= 0 else {
      if event.isOverflow { losses.count(.overflow) }
      event.closeDescriptors()
      return
    }
    // Before anything else: the program that comes next was not admitted.
    if event.isExecute { unasked?.drop(pid: event.pid) }
    let request = PermissionRequest(
      event, mechanism: mechanism, group: group, slot: slot, received: received, ifDropped: .allow, losses: losses,
      memory: memory, epoch: epoch)
    if event.pid == ownPID || unasked?.contains(pid: event.pid) == true {
      // Lilium's own process would wait for itself; who vouches for files reads them.
      request.answer(.allow)
    } else {
      handler.mediate(request, at: desk)
    }
    _ = slot.close()
    if slot.takeCounted() { crew.comeBack() }
    answered.wrappingAdd(1, ordering: .relaxed)
  }
}

// MARK: - Waiting and deadlines

extension PermissionListener {
  /// A reader is about to wait. False where no other can take its place.
  private func enter() -> Bool {
    if crew.leaveForWaiting() || promote() { return true }
    crew.comeBack()
    return false
  }

  /// Wakes a resting thread, or starts a new one. False where there may be no more.
  @discardableResult
  private func promote() -> Bool {
    if crew.wakeOne() { return true }
    guard crew.mayGrow else { return false }
    do throws(Errno) {
      try addWorker()
      return true
    } catch {
      return false
    }
  }

  /// Looks at all requests a few times within each deadline. A late one is answered, and its thread counts as waiting
  /// until it comes back.
  private func watchDeadlines() {
    let pause = min(max(settings.deadline / 8, 5_000_000), 50_000_000)
    var before: UInt64 = 0
    while !(stopping.load(ordering: .acquiring) && crew.running == 0) {
      Clock.sleep(nanoseconds: pause)
      let now = Clock.monotonic()
      guard now > settings.deadline else { continue }
      for (_, slot) in workers.withLock({ $0 }) {
        guard let late = slot.takeLate(before: now - settings.deadline) else { continue }
        answerLate(late, slot, now)
      }
      // Every reader is held up by something that nobody foresaw: do not let others wait for the deadline.
      if progress == before, (try? group.pendingEvents()) ?? 0 > 0 { promote() }
      before = progress
      if crew.readers < 1 { answerWithoutThreads() }
    }
  }

  /// Every thread waits and no more may be started: the host must go on all the same.
  private func answerWithoutThreads() {
    while crew.readers < 1, let pending = try? group.pendingEvents(), pending > 0 {
      guard let event = try? group.nextEvent() else { return }
      if event.isExecute { unasked?.drop(pid: event.pid) }
      if event.descriptor >= 0 {
        let allow = event.pid == ownPID || handler.failureAnswer(mechanism) == .allow
        do throws(Errno) { try group.answer(event.descriptor, allow: allow) } catch { losses.noteAnswer(error) }
        losses.count(.outOfThreads)
        handler.noteFailure(
          .outOfThreads, of: mechanism, pid: event.pid, operation: event.isExecute ? .execute : .open, nanoseconds: 0)
      }
      event.closeDescriptors()
    }
  }

  private func answerLate(_ late: RequestSlot.Late, _ slot: RequestSlot, _ now: UInt64) {
    let allow = handler.failureAnswer(mechanism) == .allow
    do throws(Errno) { try group.answer(late.descriptor, allow: allow) } catch { losses.noteAnswer(error) }
    // Before the thread may come back and be counted again. One in the waiting room is counted already.
    var hasOthers = true
    if !slot.isWaiting {
      slot.noteCounted()
      hasOthers = crew.leaveForWaiting()
    }
    slot.finishLate()
    losses.count(.deadline)
    answered.wrappingAdd(1, ordering: .relaxed)
    if !hasOthers { promote() }
    handler.noteFailure(
      .deadline, of: mechanism, pid: late.pid, operation: late.executes ? .execute : .open,
      nanoseconds: now - late.received)
  }

  /// Takes the marks away, lets every event that waits be decided, and ends the threads. What is still open when the
  /// time is over is answered by the deadline. True where every thread ended.
  public func stop(nanoseconds: UInt64) -> Bool {
    memory?.use(nil)
    try? group.removeAllMarks()
    stopping.store(true, ordering: .releasing)
    try? group.makeNonblocking()
    let end = Clock.monotonic() + nanoseconds
    while crew.running > 0, Clock.monotonic() < end {
      for (thread, _) in workers.withLock({ $0 }) { thread.interrupt() }
      Clock.sleep(nanoseconds: 1_000_000)
    }
    return crew.running == 0
  }
}

/// One thread's way into the waiting room.
private final class WorkerRoom: WaitingRoom {
  private let slot: RequestSlot
  private let goIn: @Sendable () -> Bool
  private let comeOut: @Sendable () -> Void

  init(_ slot: RequestSlot, enter: @escaping @Sendable () -> Bool, leave: @escaping @Sendable () -> Void) {
    self.slot = slot
    goIn = enter
    comeOut = leave
  }

  func enter() -> Bool {
    guard goIn() else { return false }
    slot.isWaiting = true
    return true
  }

  func leave() {
    slot.isWaiting = false
    comeOut()
  }
}
