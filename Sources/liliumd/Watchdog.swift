// Owns when systemd's watchdog is fed: only while requests that wait are being answered.
// It must not judge how fast.

import Journal

final class Watchdog {
  /// Milliseconds between two looks.
  let pause: Int32
  private var progress = Progress()

  /// `interval` in microseconds, as the manager wants it.
  init(interval: UInt64) { pause = Int32(clamping: max(100, interval / 2000)) }

  /// Feeds, unless a listener or the reader of audit stands still.
  func feed(_ daemon: Daemon) {
    if !progress.isStuck(daemon.doors, audit: pause > 1500) { Notify.watchdog() }
  }
}
