// Owns when systemd's watchdog is fed: only while requests that wait are being answered.
// It must not judge how fast.

import AuditResponse
import FanotifyEnforcement
import Journal

final class Watchdog {
  /// Milliseconds between two looks.
  let pause: Int32
  private var answered: [UInt64] = []

  /// `interval` in microseconds, as the manager wants it.
  init(interval: UInt64) { pause = Int32(clamping: max(100, interval / 2000)) }

  /// Feeds, unless a listener has events waiting and has answered none since the last look, or the reader of audit
  /// stands still.
  func feed(_ daemon: Daemon) {
    let audit = daemon.doors.calls.door?.listener
    let now = daemon.doors.listeners.map(\.progress) + [audit?.progress].compactMap { $0 }
    // The reader of audit turns every second, whether records wait or not.
    let waits = daemon.doors.listeners.map { $0.status.pendingEvents > 0 } + (audit == nil ? [] : [pause > 1500])
    let isStuck = now.count == answered.count && zip(zip(now, answered), waits).contains { $0.0 == $0.1 && $1 }
    answered = now
    if !isStuck { Notify.watchdog() }
  }
}
