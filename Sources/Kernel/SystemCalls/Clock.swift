// Owns readings of the kernel's clocks, in nanoseconds, and the news that one was set.
// It must not format a time.

internal import CSystemCalls
internal import Glibc

public enum Clock {
  /// CLOCK_MONOTONIC in nanoseconds (clock_gettime(2)); never set back.
  public static func monotonic() -> UInt64 { UInt64(bitPattern: read(CLOCK_MONOTONIC)) }

  /// CLOCK_REALTIME in nanoseconds since the epoch.
  public static func realtime() -> Int64 { read(CLOCK_REALTIME) }

  /// CLOCK_BOOTTIME: since boot, sleep included; what start times of processes count from (proc_pid_stat(5)).
  public static func sinceBoot() -> Int64 { read(CLOCK_BOOTTIME) }

  /// Clock ticks a second, as proc_pid_stat(5) counts them (sysconf(3), _SC_CLK_TCK).
  public static let ticksPerSecond = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Sleeps; an interrupting signal ends it early.
  public static func sleep(nanoseconds: UInt64) {
    var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    unsafe nanosleep(&time, nil)
  }
}

/// Tells when CLOCK_REALTIME is set, by whatever step (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). What is slewed
/// never goes back and is not told.
public final class ClockWatch: Sendable {
  private let owned: Descriptor
  public init() throws(Errno) { owned = Descriptor(owning: try shimCall { lil_clock_watch() }) }

  /// For poll(2), input.
  public var descriptor: Int32 { owned.rawValue }

  /// Whether the clock was set since this was asked last.
  public func takeJump() throws(Errno) -> Bool { try shimCall { lil_clock_was_set(owned.rawValue) } == 1 }
}
