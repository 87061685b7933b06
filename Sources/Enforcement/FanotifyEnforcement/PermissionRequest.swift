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

  public consuming func answer(_ verdict: Verdict, _ facts: Facts) -> Answered {
    answer(verdict, rule: facts.decidingRule)
  }

  /// The kernel is told the verdict, whatever is known of the subject; a denial with its rule's number.
  consuming func answer(_ verdict: Verdict, rule: UInt32 = 0) -> Answered {
    let isInTime = Self.give(verdict, rule, event, group, slot, received, losses)
    isAnswered = true
    guard isInTime else { return .late }
    return .done(verdict == .deny ? .prevented : .logged)
  }

  deinit {
    if isAnswered { return }
    _ = Self.give(ifDropped, 0, event, group, slot, received, losses)
    losses.count(.dropped)
  }

  /// Claims, answers, then closes: the descriptor's number names the event until then.
  private static func give(
    _ verdict: Verdict, _ rule: UInt32, _ event: FanotifyEvent, _ group: PermissionGroup, _ slot: RequestSlot,
    _ received: UInt64, _ losses: ListenerLosses
  ) -> Bool {
    let claimed = slot.claim(received: received)
    if claimed {
      do throws(Errno) {
        if verdict == .allow {
          try group.answer(event.descriptor, allow: true)
        } else {
          try group.deny(event.descriptor, rule: rule)
        }
      } catch {
        losses.noteAnswer(error)
      }
    }
    event.closeDescriptors()
    return claimed
  }
}
