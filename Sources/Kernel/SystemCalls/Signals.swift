// Owns which signals the process takes, and how it reads them: by descriptor, never in a handler.
// It must not say what a signal means.

internal import CSystemCalls
internal import Glibc

public enum Signals {
  public static let hangup = SIGHUP
  public static let interrupt = SIGINT
  public static let terminate = SIGTERM
  public static let kill = SIGKILL
  /// Only wakes a thread from a blocking call.
  public static let interrupting = SIGUSR2

  /// Blocks the signals in this thread and those started later, and gives a descriptor that reads them
  /// (signalfd(2)). Call before the first thread starts.
  public static func descriptor(for signals: [Int32]) throws(Errno) -> Descriptor {
    Descriptor(owning: try shimCall { unsafe lil_signalfd(signals, UInt32(signals.count)) })
  }

  /// As in `SIGKILL`; the number where the signal has no name.
  public static func name(_ signal: Int32) -> String {
    guard let name = unsafe lil_signal_name(signal) else { return "signal \(signal)" }
    return unsafe "SIG" + String(cString: name)
  }

  /// The next signal on such a descriptor; EAGAIN where there is none.
  public static func read(_ descriptor: borrowing Descriptor) throws(Errno) -> Int32 {
    let number = descriptor.rawValue
    return try shimCall { lil_signalfd_read(number) }
  }

  /// Lets `Thread.interrupt` work, and a closed pipe or socket give EPIPE instead of ending the process.
  public static func makeInterrupting() throws(Errno) {
    lil_ignore_signal(SIGPIPE)
    _ = try shimCall { lil_interrupting_signal(interrupting) }
  }

  /// Lets `Thread.interrupt` reach the calling thread, whatever mask the process was started with.
  static func acceptInterrupts() { _ = lil_unblock_signal(interrupting) }
}
