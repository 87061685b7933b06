// Owns who watches the records live.
// It must not filter or format: a watcher gets each record's JSON.

internal import Synchronization

/// Names one subscription.
public struct WatchToken: Sendable, Hashable {
  fileprivate let number: UInt64
}

final class Watchers: Sendable {
  typealias Body = @Sendable ([UInt8]) -> Void

  private struct State {
    var bodies: [(token: WatchToken, body: Body)] = []
    var next: UInt64 = 0
  }

  private let state = Mutex(State())
  private let number = Atomic(0)

  /// Cheap: asked on the answer path.
  var isEmpty: Bool { number.load(ordering: .relaxed) == 0 }

  func add(_ body: @escaping Body) -> WatchToken {
    state.withLock { state in
      let token = WatchToken(number: state.next)
      state.next += 1
      state.bodies.append((token, body))
      number.store(state.bodies.count, ordering: .relaxed)
      return token
    }
  }

  func remove(_ token: WatchToken) {
    state.withLock { state in
      state.bodies.removeAll { $0.token == token }
      number.store(state.bodies.count, ordering: .relaxed)
    }
  }

  /// Calls outside the lock, so that a watcher may unsubscribe in its own call.
  func publish(_ json: [UInt8]) {
    guard !isEmpty else { return }
    for entry in state.withLock({ $0.bodies }) { entry.body(json) }
  }
}
