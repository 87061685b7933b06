// Owns how many threads of a listener read, wait or rest.
// It must not start a thread or read an event: the listener does.

internal import Synchronization
internal import SystemCalls

/// The kernel wakes every thread that blocks in read(2) on a fanotify group, for one event: three readers made a round
/// trip 3.5 µs longer than one, eight 11 µs. So two read while there is little to do, more when events queue up, and the
/// rest rests elsewhere.
final class ReaderCrew: Sendable {
  /// One may be held up by something that nobody foresaw; the other reads on.
  static let quietest = 2

  private let most: Int
  private let bed: Semaphore
  /// Threads that exist.
  private let all = Atomic<Int>(0)
  /// Threads that read or mediate without waiting.
  private let reading = Atomic<Int>(0)
  private let resting = Atomic<Int>(0)

  init(busiest: Int, most: Int) throws(Errno) {
    self.most = max(most, Self.quietest)
    bed = try Semaphore()
  }

  var running: Int { all.load(ordering: .acquiring) }
  var readers: Int { reading.load(ordering: .acquiring) }
  var waiting: Int { max(0, running - readers - resting.load(ordering: .relaxed)) }
  var mayGrow: Bool { running < most }

  /// A new thread counts as a reader.
  func join() {
    all.wrappingAdd(1, ordering: .acquiringAndReleasing)
    reading.wrappingAdd(1, ordering: .acquiringAndReleasing)
  }

  func quit() {
    reading.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    all.wrappingSubtract(1, ordering: .acquiringAndReleasing)
  }

  /// A reader that is about to wait. True where enough others read on.
  func leaveForWaiting() -> Bool {
    reading.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue >= 1
  }

  func comeBack() { reading.wrappingAdd(1, ordering: .acquiringAndReleasing) }

  /// The calling reader rests until it is woken, unless it is needed.
  func rest(unless stopping: () -> Bool) {
    var count = reading.load(ordering: .acquiring)
    while count > Self.quietest {
      let (won, now) = reading.compareExchange(
        expected: count, desired: count - 1, ordering: .acquiringAndReleasing)
      if won { break }
      count = now
    }
    guard count > Self.quietest else { return }
    resting.wrappingAdd(1, ordering: .acquiringAndReleasing)
    while true {
      if bed.wait() { return }
      // Interrupted: a thread that ends counts itself among the readers first, as one that is woken is counted.
      if stopping(), takeRester() {
        reading.wrappingAdd(1, ordering: .acquiringAndReleasing)
        return
      }
    }
  }

  /// Wakes a resting thread, which counts as a reader from now on. False where none rests.
  func wakeOne() -> Bool {
    guard takeRester() else { return false }
    reading.wrappingAdd(1, ordering: .acquiringAndReleasing)
    bed.post()
    return true
  }

  private func takeRester() -> Bool {
    var count = resting.load(ordering: .acquiring)
    while count > 0 {
      let (won, now) = resting.compareExchange(
        expected: count, desired: count - 1, ordering: .acquiringAndReleasing)
      if won { return true }
      count = now
    }
    return false
  }
}

/// One reader's view of how busy the group is: an event that was there at once means that others wait.
struct ReaderPace {
  enum Advice {
    case stay, callAnother, rest
  }

  private static let atOnce: UInt64 = 2_000
  private static let busyRounds = 16
  private static let quietRounds = 256

  private var finishedAt: UInt64 = 0
  private var busy = 0
  private var quiet = 0

  /// Notes an event that was read at `now`, in monotonic nanoseconds.
  mutating func advice(_ now: UInt64) -> Advice {
    if now &- finishedAt < Self.atOnce {
      quiet = 0
      busy += 1
      if busy < Self.busyRounds { return .stay }
      busy = 0
      return .callAnother
    }
    busy = 0
    quiet += 1
    if quiet < Self.quietRounds { return .stay }
    quiet = 0
    return .rest
  }

  /// Notes when the event was done with.
  mutating func finished(_ now: UInt64) { finishedAt = now }
}
