// Owns a pidfd: a process that can be watched and ended without mistaking another for it (pidfd_open(2)).
// It must not decide who is ended.

internal import CSystemCalls

/// A process for as long as it lives, whoever may get its number afterwards.
public struct ProcessHandle: ~Copyable, Sendable {
  private let descriptor: Descriptor

  /// The process that has this number now; ESRCH where none has. A thread's number that is not its process's gives
  /// EINVAL or ENOENT.
  public init(pid: Int32) throws(Errno) { descriptor = Descriptor(owning: try shimCall { lil_pidfd_open(pid) }) }

  /// Takes a pidfd that the kernel gave.
  init(owning pidfd: Int32) { descriptor = Descriptor(owning: pidfd) }

  public var isAlive: Bool {
    let events = try? waitForEvents([(descriptor.rawValue, PollEvents.input)], milliseconds: 0)
    return events == [0]
  }

  /// SIGKILL. ESRCH where the process has ended; EPERM where it may not be signalled.
  public func kill() throws(Errno) { _ = try shimCall { lil_pidfd_kill(descriptor.rawValue) } }

  /// Any signal; ESRCH where the process has ended.
  public func signal(_ number: Int32) throws(Errno) {
    _ = try shimCall { lil_pidfd_signal(descriptor.rawValue, number) }
  }

  /// For poll(2): readable once the process has ended. Valid as long as the handle.
  public var endDescriptor: Int32 { descriptor.rawValue }
}
