// Owns the records on their way from the thread that publishes to the thread that serves.
// It must not block whoever publishes.

internal import Synchronization
internal import SystemCalls

final class WatchQueue: Sendable {
  private struct Waiting {
    var lines: [[UInt8]] = []
    var bytes = 0
    var lost: UInt64 = 0
  }

  private let waiting = Mutex(Waiting())
  private let watchers = Atomic<Int>(0)
  private let wakeUp: WakeUp

  /// Bytes that may wait for the serving thread.
  private static let longest = 1 << 20

  init(_ wakeUp: WakeUp) { self.wakeUp = wakeUp }

  var watcherCount: Int {
    get { watchers.load(ordering: .relaxed) }
    set { watchers.store(newValue, ordering: .relaxed) }
  }

  func publish(_ line: [UInt8]) {
    guard watcherCount > 0 else { return }
    let isFirst = waiting.withLock { waiting in
      let isFirst = waiting.lines.isEmpty && waiting.lost == 0
      if waiting.bytes + line.count > Self.longest {
        waiting.lost += 1
      } else {
        waiting.bytes += line.count
        waiting.lines.append(line)
      }
      return isFirst
    }
    if isFirst { wakeUp.wake() }
  }

  /// What has been published since, and how many records found no room behind them.
  func take() -> (lines: [[UInt8]], lost: UInt64) {
    waiting.withLock { waiting in
      let taken = (waiting.lines, waiting.lost)
      waiting = Waiting()
      return taken
    }
  }
}
