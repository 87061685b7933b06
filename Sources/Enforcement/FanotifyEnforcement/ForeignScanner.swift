// Owns looking through other mount namespaces on a thread that may hang, and is then left behind.
// It must not be waited for: whoever owns a mount there may never answer.

internal import Synchronization
internal import SystemCalls

public final class ForeignScanner: Sendable {
  private struct State {
    /// Which scan is under way; a thread that was left behind carries an older number.
    var generation: UInt64 = 0
    var startedAt: UInt64?
    var leftBehind = 0
  }

  private let coverage: FileSystemCoverage
  private let report: @Sendable ([MarkChange]) -> Void
  private let state = Mutex(State())
  private static let patience: UInt64 = 5_000_000_000
  private static let mostLeftBehind = 16

  public init(_ coverage: FileSystemCoverage, report: @escaping @Sendable ([MarkChange]) -> Void) {
    self.coverage = coverage
    self.report = report
  }

  /// Threads that never came back; after 16 of them no other namespace is looked through any more.
  public var leftBehind: Int { state.withLock { $0.leftBehind } }

  /// Begins a scan unless one is under way; leaves one behind that takes too long. Never waits.
  public func scan() {
    let now = Clock.monotonic()
    let isOverdue = state.withLock { state in
      guard let since = state.startedAt, now - since > Self.patience else { return false }
      state.leftBehind += 1
      state.startedAt = nil
      return true
    }
    if isOverdue, let change = coverage.skipCurrent() { report([change]) }
    let generation: UInt64? = state.withLock { state in
      guard state.startedAt == nil, state.leftBehind < Self.mostLeftBehind else { return nil }
      state.generation += 1
      state.startedAt = now
      return state.generation
    }
    guard let generation else { return }
    do throws(Errno) {
      let thread = try Thread.start("lilium-foreign") { [self] in
        let changes = coverage.updateForeign()
        let isCurrent = state.withLock { state in
          guard state.generation == generation else { return false }
          state.startedAt = nil
          return true
        }
        if isCurrent { report(changes) }
      }
      thread.detach()
    } catch {
      state.withLock { $0.startedAt = nil }
    }
  }
}
