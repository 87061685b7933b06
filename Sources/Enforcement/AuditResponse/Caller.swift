// Owns the process that made a recorded call, if it can still be found: proven to be the same, and held by a pidfd.
// It must not guess: a number that may have been given to another process since is nobody.

internal import AccessModel
internal import ProcFS
internal import SystemCalls

/// The living caller of a call.
struct Caller: ~Copyable {
  private let handle: ProcessHandle
  let pid: Int32
  /// In clock ticks since boot.
  let startTime: UInt64
  let isKernelThread: Bool

  /// Start times are cut to ticks and record times to milliseconds: so far a process may seem to have called before
  /// it began. That a number comes round within that time takes a whole round of numbers.
  private static let tolerance: Int64 = 20_000_000

  /// Nil where the process is gone, or has begun after `time` (nanoseconds since the epoch).
  init?(pid: Int32, at time: Int64) {
    // Before anything is read: what is read while it lives is about the process that the pidfd holds.
    guard let handle = try? ProcessHandle(pid: pid) else { return nil }
    guard let stat = Self.read(pid), handle.isAlive else { return nil }
    let boot = Clock.realtime() - Clock.sinceBoot()
    let (seconds, ticks) = Int64(clamping: stat.startTime).quotientAndRemainder(dividingBy: Clock.ticksPerSecond)
    let start = boot + seconds * 1_000_000_000 + ticks * (1_000_000_000 / Clock.ticksPerSecond)
    guard start <= time + Self.tolerance else { return nil }
    self.handle = handle
    self.pid = pid
    startTime = stat.startTime
    isKernelThread = stat.isKernelThread
  }

  var isAlive: Bool { handle.isAlive }

  func kill() throws(Errno) { try handle.kill() }

  private static func read(_ pid: Int32) -> ProcessStat? {
    var buffer = InlineArray<1024, UInt8>(repeating: 0)
    var span = buffer.mutableSpan
    return unsafe span.withUnsafeMutableBytes { bytes in
      guard let count = try? unsafe ProcessFile.stat.read(pid: pid, into: bytes) else { return nil }
      return unsafe ProcessStat(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
  }
}
