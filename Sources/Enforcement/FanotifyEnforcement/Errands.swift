// Owns work that may never end: the threads that do it and can be left behind, and a wait for it that has an end.
// It must not know what the work is, and nothing on the answer path may wait for it.

internal import Synchronization
internal import SystemCalls

/// The same work for each of many keys. A path that leads into a file system whose server is gone holds whoever looks
/// it up for ever, so a key that is under way has its thread to itself and is not begun a second time.
final class Errands<Key: Hashable & Sendable, Outcome: Sendable>: Sendable {
  struct Returned: Sendable {
    var outcomes: [Key: Outcome] = [:]
    /// What has not come back, whether it was begun now, earlier, or not yet for want of threads.
    var silent: Set<Key> = []
  }

  private struct State {
    /// The next one is the last.
    var waiting: [Key] = []
    var underWay: Set<Key> = []
    /// What this run waits for.
    var due: Set<Key> = []
    var outcomes: [Key: Outcome] = [:]
    var threads = 0
  }

  private let name: String
  private let patience: UInt64
  private let work: @Sendable (Key) -> Outcome
  private let turn = Mutex(())
  private let state = Mutex(State())
  private let allBack: WakeUp
  private static var mostThreads: Int { 64 }
  /// Milliseconds after which one more thread takes part.
  private static var step: Int32 { 20 }

  /// `patience` in nanoseconds. The name is that of the threads.
  init(_ name: String, patience: UInt64 = 2_000_000_000, work: @escaping @Sendable (Key) -> Outcome) throws(Errno) {
    self.name = name
    self.patience = patience
    self.work = work
    allBack = try WakeUp()
  }

  /// Does the work for each key, the first ones first, and waits until all are back or the patience is at its end. A
  /// key that is under way since an earlier run is not waited for; what it brought in between is handed over.
  func run(_ keys: [Key]) -> Returned {
    turn.withLock { _ in
      allBack.clear()
      state.withLock { state in
        state.waiting = keys.reversed().filter { !state.underWay.contains($0) }
        state.due = Set(state.waiting)
      }
      wait()
      return state.withLock { state in
        defer {
          state.waiting = []
          state.due = []
          state.outcomes = [:]
        }
        let asked = Set(keys)
        return Returned(
          outcomes: state.outcomes.filter { asked.contains($0.key) },
          silent: asked.intersection(state.underWay.union(state.waiting)))
      }
    }
  }

  /// One thread does it all as a rule. While some still wait for their turn, others join it: it may be held.
  private func wait() {
    let end = Clock.monotonic() + patience
    while Clock.monotonic() < end {
      if state.withLock({ $0.due.isEmpty }) { return }
      addThread()
      _ = try? waitForEvents([(allBack.descriptor, PollEvents.input)], milliseconds: Self.step)
    }
  }

  private func addThread() {
    let isWanted = state.withLock { state in
      guard !state.waiting.isEmpty, state.threads < Self.mostThreads else { return false }
      state.threads += 1
      return true
    }
    guard isWanted else { return }
    do throws(Errno) { try Thread.start(name) { [self] in serve() }.detach() } catch {
      state.withLock { $0.threads -= 1 }
    }
  }

  private func serve() {
    while let key = next() { finish(key, work(key)) }
  }

  private func next() -> Key? {
    state.withLock { state in
      guard let key = state.waiting.popLast() else {
        state.threads -= 1
        return nil
      }
      state.underWay.insert(key)
      return key
    }
  }

  private func finish(_ key: Key, _ outcome: Outcome) {
    let isLast = state.withLock { state in
      state.underWay.remove(key)
      state.outcomes[key] = outcome
      return state.due.remove(key) != nil && state.due.isEmpty
    }
    if isLast { allBack.wake() }
  }
}
