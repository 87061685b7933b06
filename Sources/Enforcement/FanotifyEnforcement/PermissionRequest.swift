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
  private var isAnswered = false

  init(
    _ event: FanotifyEvent, mechanism: Mechanism, group: PermissionGroup, slot: RequestSlot, received: UInt64,
    ifDropped: Verdict, losses: ListenerLosses
  ) {
    self.event = event
    self.mechanism = mechanism
    self.group = group
    self.slot = slot
    self.received = received
    self.ifDropped = ifDropped
    self.losses = losses
    slot.open(
      descriptor: event.descriptor, pid: event.pid, executes: event.isExecute, received: received)
  }

  public var subjectPID: Int32 { event.pid }
  public var operation: Operation { event.isExecute ? .execute : .open }
  public var objectHandle: Int32 { event.descriptor }

  /// A pidfd is readable once its process has ended (pidfd_open(2)).
  public var subjectIsAlive: Bool {
    guard event.pidDescriptor >= 0 else { return false }
    let events = try? waitForEvents([(event.pidDescriptor, PollEvents.input)], milliseconds: 0)
    return events == [0]
  }

  public consuming func answer(_ verdict: Verdict) -> Bool {
    let answered = Self.give(verdict, event, group, slot, received, losses)
    isAnswered = true
    return answered
  }

  deinit {
    if isAnswered { return }
    _ = Self.give(ifDropped, event, group, slot, received, losses)
    losses.count(.dropped)
  }

  /// Claims, answers, then closes: the descriptor's number names the event until then.
  private static func give(
    _ verdict: Verdict, _ event: FanotifyEvent, _ group: PermissionGroup, _ slot: RequestSlot, _ received: UInt64,
    _ losses: ListenerLosses
  ) -> Bool {
    let claimed = slot.claim(received: received)
    if claimed {
      do throws(Errno) { try group.answer(event.descriptor, allow: verdict == .allow) } catch {
        losses.noteAnswer(error)
      }
    }
    event.closeDescriptors()
    return claimed
  }
}
