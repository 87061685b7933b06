// Owns the bounded queue between the threads that decide and the one that writes.
// It must not block, do I/O or build a record: the answer path puts in here.

internal import DecisionRecord
internal import Synchronization
internal import SystemCalls

/// A ring of events. What does not fit is counted, never waited for.
final class RecordQueue: Sendable {
  struct Item: Sendable {
    let event: TrailEvent
    /// Nanoseconds since the epoch.
    let time: Int64
  }

  struct Counts: Sendable {
    var accepted: UInt64 = 0
    /// Taken out and dealt with.
    var finished: UInt64 = 0
    var dropped: UInt64 = 0
  }

  private struct State {
    var slots: [Item?]
    var head = 0
    var count = 0
    var counts = Counts()
    var unreportedDrops: UInt64 = 0
    var writerSleeps = false
    var isClosed = false
    var isAbandoned = false
  }

  /// Kept free for events that are no decisions: a flood of decisions must not hide a change of policy.
  private static let reserve = 64

  private let capacity: Int
  private let state: Mutex<State>
  private let wakeUp: WakeUp

  init(capacity: Int) throws(Errno) {
    self.capacity = max(1, capacity)
    wakeUp = try WakeUp()
    state = Mutex(State(slots: Array(repeating: nil, count: self.capacity + Self.reserve)))
  }

  /// Puts an event in, or counts it as dropped. Wakes the writer only where it sleeps.
  func put(_ item: Item) {
    let isDecision = item.event.kind == .decision
    let mustWake = state.withLock { state in
      guard !state.isClosed, state.count < (isDecision ? capacity : state.slots.count) else {
        state.counts.dropped += 1
        state.unreportedDrops += 1
        return false
      }
      state.slots[(state.head + state.count) % state.slots.count] = item
      state.count += 1
      state.counts.accepted += 1
      defer { state.writerSleeps = false }
      return state.writerSleeps
    }
    if mustWake { wakeUp.wake() }
  }

  /// Moves up to `limit` items out, in their order.
  func take(_ limit: Int, into batch: inout [Item]) {
    state.withLock { state in
      while state.count > 0, batch.count < limit {
        if let item = state.slots[state.head] { batch.append(item) }
        state.slots[state.head] = nil
        state.head = (state.head + 1) % state.slots.count
        state.count -= 1
      }
    }
  }

  /// Says that an item which was taken out is dealt with.
  func finishOne() { state.withLock { $0.counts.finished += $0.isAbandoned ? 0 : 1 } }

  /// The drops that no record has told of yet.
  func takeUnreportedDrops() -> UInt64 {
    state.withLock { state in
      defer { state.unreportedDrops = 0 }
      return state.unreportedDrops
    }
  }

  /// Sleeps until something is put in, the queue is closed, or the time is over. For the writer alone.
  func sleep(milliseconds: Int32) {
    let maySleep = state.withLock { state in
      state.writerSleeps = state.count == 0 && !state.isClosed
      return state.writerSleeps
    }
    guard maySleep else { return }
    // A failure to wait is a shorter sleep.
    _ = try? waitForEvents([(wakeUp.descriptor, PollEvents.input)], milliseconds: milliseconds)
    wakeUp.clear()
    state.withLock { $0.writerSleeps = false }
  }

  /// From now on everything is dropped; what is in the queue stays to be taken.
  func close() {
    state.withLock { $0.isClosed = true }
    wakeUp.wake()
  }

  /// Gives up what is not yet dealt with, what the writer has in its hands included: it counts as dropped.
  func abandon() {
    state.withLock { state in
      let left = state.counts.accepted - state.counts.finished
      state.counts.dropped += left
      state.counts.accepted -= left
      state.isAbandoned = true
      for index in state.slots.indices { state.slots[index] = nil }
      state.count = 0
    }
  }

  var isClosed: Bool { state.withLock { $0.isClosed } }
  var queued: Int { state.withLock { $0.count } }
  var counts: Counts { state.withLock { $0.counts } }
}
