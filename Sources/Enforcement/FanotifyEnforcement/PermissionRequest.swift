// Owns one permission event from the moment it is read until it is answered: its descriptors, its claim, its answer.
// It must not decide.

public import AccessModel
internal import Fanotify
internal import SystemCalls

/// A held open or exec. Answered exactly once; dropped without an answer, it gives the failure answer.
public struct PermissionRequest: AccessRequest, ~Copyable {
  public let mechanism: Mechanism
  public let received: UInt64
  private let event: FanotifyEvent
  private let group: PermissionGroup
  private let slot: RequestSlot
  private let ifDropped: Verdict
  private let losses: ListenerLosses
  private let memory: RememberedAllows?
  /// What the memory's epoch was when the event was read.
  private let epoch: UInt64
  private var isAnswered = false

  init(
    _ event: FanotifyEvent, mechanism: Mechanism, group: PermissionGroup, slot: RequestSlot, received: UInt64,
    ifDropped: Verdict, losses: ListenerLosses, memory: RememberedAllows?, epoch: UInt64
  ) {
    self.event = event
    self.mechanism = mechanism
    self.group = group
    self.slot = slot
    self.received = received
    self.ifDropped = ifDropped
    self.losses = losses
    self.memory = memory
    self.epoch = epoch
    slot.open(
      descriptor: event.descriptor, pid: event.pid, executes: event.isExecute, received: received)
  }

  public var subjectPID: Int32 { event.pid }
  public var operation: Operation { event.isExecute ? .execute : .open }
  public var objectHandle: Int32 { event.descriptor }

  /// The event says nothing that the information points do not find out by themselves.
  public func describe(into facts: Facts) {}

  /// What was read while the process was held is about it, unless it was killed meanwhile: its number may then stand
  /// for another. A pidfd is readable once its process has ended (pidfd_open(2)).
  public func settleIdentity(in facts: Facts) {
    facts.subject.identity = .uncertain
    guard event.pidDescriptor >= 0 else { return }
    let events = try? waitForEvents([(event.pidDescriptor, PollEvents.input)], milliseconds: 0)
    if events == [0] { facts.subject.identity = .certain }
  }

  /// An allow that holds for every subject is handed to the kernel, by the event's descriptor, which stays open so long.
  public consuming func answer(_ verdict: Verdict, _ facts: Facts, remembers: () -> Bool) -> Answered {
    let isInTime = give(verdict, rule: facts.decidingRule)
    isAnswered = true
    if isInTime, verdict == .allow, let memory, remembers() {
      memory.remember(event.descriptor, facts, received: received, epoch: epoch)
    }
    event.closeDescriptors()
    guard isInTime else { return .late }
    return .done(verdict == .deny ? .prevented : .logged)
  }

  /// The kernel is told the verdict, whatever is known of the subject, and remembers nothing.
  consuming func answer(_ verdict: Verdict) {
    _ = give(verdict, rule: 0)
    isAnswered = true
    event.closeDescriptors()
  }

  deinit {
    if isAnswered { return }
    _ = give(ifDropped, rule: 0)
    event.closeDescriptors()
    losses.count(.dropped)
  }

  /// Claims, then answers; a denial with its rule's number. False where the deadline has answered. The descriptors are
  /// closed afterwards: the object's number names the event until then.
  private borrowing func give(_ verdict: Verdict, rule: UInt32) -> Bool {
    guard slot.claim(received: received) else { return false }
    do throws(Errno) {
      if verdict == .allow {
        try group.answer(event.descriptor, allow: true)
      } else {
        try group.deny(event.descriptor, rule: rule)
      }
    } catch {
      losses.noteAnswer(error)
    }
    return true
  }
}
