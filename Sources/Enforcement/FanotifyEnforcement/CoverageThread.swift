// Owns the thread that keeps marks in line with the host: mounts that come and go, and files that open rules name.
// It must not answer requests.

internal import Fanotify
internal import Synchronization
public import SystemCalls

/// Watches mountinfo (which polls as an error when the mounts change) and looks through other mount namespaces every
/// two seconds, because nothing announces a mount there.
public final class CoverageThread: Sendable {
  private let wakeUp: WakeUp
  private let stopping = Atomic<Bool>(false)
  private let update: @Sendable (_ everything: Bool) -> Void
  private let watched: [Int32]
  private static let pause: Int32 = 2000

  /// `update` is told whether other mount namespaces are due too. `watched` are further descriptors whose input means
  /// that an update is due; `update` empties them.
  public init(watched: [Int32], update: @escaping @Sendable (_ everything: Bool) -> Void) throws(Errno) {
    wakeUp = try WakeUp()
    self.watched = watched
    self.update = update
  }

  public func start() throws(Errno) -> Thread {
    try Thread.start("lilium-coverage") { [self] in run() }
  }

  public func stop() {
    stopping.store(true, ordering: .releasing)
    wakeUp.wake()
  }

  private func run() {
    guard let mounts = try? Descriptor.open("/proc/self/mountinfo", 0) else { return }
    let inputs =
      [(wakeUp.descriptor, PollEvents.input), (mounts.rawValue, PollEvents.priority)]
      + watched.map { ($0, PollEvents.input) }
    var lookedEverywhere: UInt64 = 0
    while !stopping.load(ordering: .acquiring) {
      _ = try? waitForEvents(inputs, milliseconds: Self.pause)
      wakeUp.clear()
      if stopping.load(ordering: .acquiring) { return }
      // By the clock: who keeps the watched folders busy must not keep Lilium from the other namespaces.
      let isDue = Clock.monotonic() &- lookedEverywhere >= UInt64(Self.pause) * 1_000_000
      update(isDue)
      if isDue { lookedEverywhere = Clock.monotonic() }
    }
  }
}
