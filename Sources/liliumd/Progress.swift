// Owns whether the daemon still answers: what waits, and what was answered between two looks.
// It must not judge how fast, nor do anything about it.

import AuditResponse
import FanotifyEnforcement

struct Progress {
  private var answered: [UInt64] = []

  /// Whether a listener has events waiting and has answered none since the last look. With `audit` its reader counts
  /// too, which turns every second, whether records wait or not: ask less often than that.
  mutating func isStuck(_ doors: Doors, audit: Bool) -> Bool {
    let listeners = doors.listeners
    let reader = audit ? doors.calls.door?.listener : nil
    let now = listeners.map(\.progress) + [reader?.progress].compactMap { $0 }
    let waits = listeners.map { $0.status.pendingEvents > 0 } + (reader == nil ? [] : [true])
    defer { answered = now }
    return now.count == answered.count && zip(zip(now, answered), waits).contains { $0.0 == $0.1 && $1 }
  }
}
