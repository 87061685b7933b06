// Owns the question whether a process has CAP_SYS_ADMIN over the host, and not only in a user namespace of its own.
// It must not take a user number for a power, nor hold the process: whoever asks does.

public import SystemCalls

public enum HostAdministrator {
  /// CAP_SYS_ADMIN (linux/capability.h).
  private static let capability: UInt64 = 1 << 21
  /// PROC_USER_INIT_INO (include/linux/proc_ns.h): the initial user namespace, the same for every kernel.
  private static let initialUserNamespace: UInt64 = 0xEFFF_FFFD
  /// Bytes: a status of a process with as many groups as there may be is longer, and is refused.
  private static let limit = 65536

  /// Whether the main thread of the process that has this number now holds it in its effective set, in the initial user
  /// namespace. False where that cannot be read: an end, a namespace of process numbers that the process is not in.
  public static func holds(pid: Int32) -> Bool {
    guard pid > 0, (try? ProcessFile.userNamespace.status(pid: pid).inode) == initialUserNamespace else { return false }
    let text = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      // The buffer outlives the call that fills it.
      count = (try? unsafe ProcessFile.status.read(pid: pid, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
    }
    var status = ProcessStatus()
    // The text outlives the call that reads it.
    guard unsafe text.withUnsafeBytes({ unsafe status.read($0) }) else { return false }
    return status.effective & capability != 0
  }

  /// The same of a held process: its number is its own as long as it has not ended.
  public static func holds(_ process: borrowing ProcessHandle, pid: Int32) -> Bool {
    holds(pid: pid) && process.isAlive
  }
}
