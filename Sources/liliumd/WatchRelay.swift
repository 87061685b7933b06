// Owns handing records to those who watch over the control socket, for as long as somebody does.
// It must not filter or queue: the control server does.

import ControlSocket
import Synchronization
import TrailSinks

final class WatchRelay: Sendable {
  private let trail: Trail
  private let server = Mutex<ControlServer?>(nil)
  private let token = Mutex<WatchToken?>(nil)

  /// Called when allows begin or cease to be recorded.
  private let changed: @Sendable () -> Void

  init(_ trail: Trail, changed: @escaping @Sendable () -> Void) {
    self.trail = trail
    self.changed = changed
  }

  func connect(to server: ControlServer) { self.server.withLock { $0 = server } }

  /// Subscribed only while somebody watches: a watched trail records allowed decisions too.
  func watchers(_ count: Int) {
    token.withLock { token in
      if count > 0, token == nil {
        token = trail.subscribe { [self] line in server.withLock { $0 }?.publish(line) }
        changed()
      } else if count == 0, let subscribed = token {
        trail.unsubscribe(subscribed)
        token = nil
        changed()
      }
    }
  }
}
