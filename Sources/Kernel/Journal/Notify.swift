// Owns what the service tells its manager (sd_notify(3)): ready, status, watchdog, reloading, stopping.
// It must not decide when; and it is not for the answer path, because a send may wait for the manager.

internal import CSystemd
internal import SystemCalls

/// Notifications to systemd. Without systemd (no NOTIFY_SOCKET) each does nothing and gives false.
public enum Notify {
  /// READY=1: start-up or reload is complete.
  @discardableResult
  public static func ready() -> Bool { send("READY=1") }

  /// STATUS=: one line for `systemctl status`.
  @discardableResult
  public static func status(_ text: String) -> Bool { send("STATUS=\(singleLine(text))") }

  /// WATCHDOG=1: still alive.
  @discardableResult
  public static func watchdog() -> Bool { send("WATCHDOG=1") }

  /// RELOADING=1 with the time that systemd asks for; `ready()` ends it.
  @discardableResult
  public static func reloading() -> Bool {
    send("RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonic() / 1000)")
  }

  /// MAINPID=: another process of the service is its main process from now on, and alone may notify.
  @discardableResult
  public static func mainProcess(_ pid: Int32) -> Bool { send("MAINPID=\(pid)") }

  /// STOPPING=1: shutdown has begun.
  @discardableResult
  public static func stopping() -> Bool { send("STOPPING=1") }

  /// Within how many microseconds the manager wants each next `watchdog()`; nil where it wants none
  /// (sd_watchdog_enabled(3)). Notify in half that time.
  public static func watchdogInterval() -> UInt64? {
    var microseconds: UInt64 = 0
    let enabled = unsafe sd_watchdog_enabled(0, &microseconds)
    return enabled > 0 ? microseconds : nil
  }

  private static func send(_ state: String) -> Bool { unsafe sd_notify(0, state) > 0 }

  /// A line end would begin another assignment, such as MAINPID=.
  private static func singleLine(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 < 0x20 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
  }
}
