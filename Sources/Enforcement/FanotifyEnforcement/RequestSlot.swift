// Owns who answers a request: the thread that mediates it or the deadline, exactly one of them.
// It must not write the answer.

internal import Synchronization

/// One thread's request, as the deadline thread sees it. A request is told from the next one in the same slot by the
/// time at which it was read.
final class RequestSlot: Sendable {
  private static let idle: UInt64 = 0
  private static let answeredInTime: UInt64 = .max
  private static let takenByDeadline: UInt64 = .max - 1
  private static let answeredByDeadline: UInt64 = .max - 2

  /// One of the words above, or the time of a request that is open.
  private let state = Atomic<UInt64>(RequestSlot.idle)
  private let event = Atomic<Int32>(-1)
  private let subject = Atomic<Int32>(0)
  private let executes = Atomic<Bool>(false)

  /// The request's thread is in the waiting room: counted there, and not again when it is late.
  private let waits = Atomic<Bool>(false)
  var isWaiting: Bool {
    get { waits.load(ordering: .acquiring) }
    set { waits.store(newValue, ordering: .releasing) }
  }

  /// Opens a request. `received` is monotonic nanoseconds, never 0.
  func open(descriptor: Int32, pid: Int32, executes isExecute: Bool, received: UInt64) {
    event.store(descriptor, ordering: .relaxed)
    subject.store(pid, ordering: .relaxed)
    executes.store(isExecute, ordering: .relaxed)
    state.store(received, ordering: .releasing)
  }

  /// True for the mediating thread if it may answer. False where the deadline has: its answer is then complete, so
  /// that the descriptor's number may be used again.
  func claim(received: UInt64) -> Bool {
    let (won, _) = state.compareExchange(
      expected: received, desired: Self.answeredInTime, ordering: .acquiringAndReleasing)
    if won { return true }
    while state.load(ordering: .acquiring) == Self.takenByDeadline {}
    return false
  }

  /// Ends the request; true where the deadline had answered it.
  func close() -> Bool { state.exchange(Self.idle, ordering: .acquiringAndReleasing) == Self.answeredByDeadline }

  /// The deadline counted the thread among those that wait; whoever ends the request counts it back. Noted before
  /// `finishLate`, for which the thread waits.
  private let counted = Atomic<Bool>(false)
  func noteCounted() { counted.store(true, ordering: .releasing) }
  func takeCounted() -> Bool { counted.exchange(false, ordering: .acquiringAndReleasing) }

  struct Late {
    var descriptor: Int32
    var pid: Int32
    var executes: Bool
    var received: UInt64
  }

  /// For the deadline thread: takes the request over if it was read before `limit`. Who takes it over answers, then
  /// calls `finishLate`.
  func takeLate(before limit: UInt64) -> Late? {
    let received = state.load(ordering: .acquiring)
    guard received != Self.idle, received < Self.answeredByDeadline, received < limit else { return nil }
    let late = Late(
      descriptor: event.load(ordering: .relaxed), pid: subject.load(ordering: .relaxed),
      executes: executes.load(ordering: .relaxed), received: received)
    let (won, _) = state.compareExchange(
      expected: received, desired: Self.takenByDeadline, ordering: .acquiringAndReleasing)
    return won ? late : nil
  }

  func finishLate() { state.store(Self.answeredByDeadline, ordering: .releasing) }

  /// Monotonic nanoseconds at which the open request was read; nil without one.
  var openSince: UInt64? {
    let received = state.load(ordering: .relaxed)
    return received == Self.idle || received >= Self.answeredByDeadline ? nil : received
  }
}
