// Owns which other process is Lilium itself, while one daemon takes over from another: its calls are not sensed.
// It must not speak for a number any longer than the process has it.

internal import Synchronization

/// The daemon that is beside this one. What it calls, as to contain, is nobody's attack. Thread-safe.
public final class Kinship: Sendable {
  private struct Kin {
    var pid: Int32
    /// Nanoseconds since the epoch; nil while it lives.
    var end: Int64?
  }

  private let kin = Mutex<Kin?>(nil)

  public init() {}

  /// The process with this number, which has not been waited for, is Lilium.
  public func begin(_ pid: Int32) { kin.withLock { $0 = Kin(pid: pid, end: nil) } }

  /// It has ended by now: what is said to be called later is another's.
  public func end(at time: Int64) {
    kin.withLock { if $0 != nil, $0?.end == nil { $0?.end = time } }
  }

  /// Whether a call at this time was its.
  func covers(_ pid: Int32, at time: Int64) -> Bool {
    kin.withLock { kin in
      guard let kin, kin.pid == pid else { return false }
      return kin.end.map { time <= $0 } ?? true
    }
  }
}
