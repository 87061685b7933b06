// Owns the thread that tells the guard that the daemon goes on, while requests that wait are being answered.
// It must not do work of another kind: what holds it up is taken for a daemon that stands still.

import DecisionRecord
import StallGuard
import Synchronization
import SystemCalls
import TrailSinks

final class Pulse: Sendable {
  private static let pause: UInt64 = 250_000_000
  /// Looks between two questions whether the guard itself still runs.
  private static let looks = 8
  /// Beyond the answer deadline, after which every request that was read has been answered in any case.
  private static let grace = 1000

  private let stallGuard: StallGuard
  private let ends = Atomic(false)

  init(_ stallGuard: StallGuard) { self.stallGuard = stallGuard }

  /// `deadline` in milliseconds; nil where nobody is to be killed.
  func guardAnswers(within deadline: Int?) {
    stallGuard.watch(milliseconds: deadline.map { UInt32(clamping: $0 + Self.grace) } ?? 0)
  }

  func start(_ daemon: Daemon) throws(Errno) -> Thread {
    stallGuard.pulse()
    daemon.protection.isWatched(by: stallGuard.processID)
    return try Thread.start("lilium-pulse") { [self] in beat(daemon) }
  }

  func stop() {
    stallGuard.watch(milliseconds: 0)
    ends.store(true, ordering: .releasing)
  }

  private func beat(_ daemon: Daemon) {
    var progress = Progress()
    var look = 0
    while !ends.load(ordering: .acquiring) {
      if !progress.isStuck(daemon.doors, audit: false) { stallGuard.pulse() }
      look += 1
      if look % Self.looks == 0 { renew(daemon) }
      Clock.sleep(nanoseconds: Self.pause)
    }
  }

  private func renew(_ daemon: Daemon) {
    guard let isNew = try? stallGuard.renew(), isNew else { return }
    daemon.protection.isWatched(by: stallGuard.processID)
    daemon.trail.append(
      .sensingChanged(
        SensingChange(
          what: "guard-restarted", detail: "the guard that ends a liliumd that stands still had ended itself",
          isProblem: false)))
  }
}
