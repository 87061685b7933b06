// Owns a second process that kills this one when it no longer gives a sign of life.
// It must not judge what a sign of life is, nor be asked by anything on the answer path.

internal import CStallGuard
internal import Glibc
internal import Synchronization
public import SystemCalls

/// A listener of permission events that stands still, stopped or stuck, holds every process of the host that opens a
/// file, systemd's own among them, which then can neither feed nor end it. The guard opens no file and so never waits:
/// it kills, the kernel allows what waits, and the service manager starts the daemon anew.
@safe public final class StallGuard: Sendable {
  /// The C side owns the page; it stays for the life of the process.
  private nonisolated(unsafe) let page: OpaquePointer
  private let pid = Mutex<Int32>(0)

  /// Forks the guard. Before other threads run and before permission groups are opened, if it can be so: until the
  /// guard has closed what it inherits, it holds them. It never acts until `watch`.
  public init() throws(Errno) {
    guard let page = unsafe lil_guard_page() else { throw Errno(ENOMEM) }
    unsafe self.page = unsafe page
    try start()
  }

  /// From now on a time without `pulse` of this many milliseconds is the end; 0 lets the process stand still.
  public func watch(milliseconds: UInt32) { unsafe lil_guard_limit(page, milliseconds) }

  /// This process goes on.
  public func pulse() { unsafe lil_guard_pulse(page) }

  /// The guard's process id.
  public var processID: Int32 { pid.withLock { $0 } }

  /// Starts another guard where the last one has ended, however it did. True where that was so.
  public func renew() throws(Errno) -> Bool {
    let last = processID
    guard (try? shimCall { lil_guard_runs(last) }) != 1 else { return false }
    try start()
    return true
  }

  private func start() throws(Errno) {
    let child = try shimCall { unsafe lil_guard_start(page) }
    pid.withLock { $0 = child }
  }
}
