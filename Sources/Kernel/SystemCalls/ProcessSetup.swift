// Owns what a process asks the kernel for itself: limits, memory, dumpability, descriptors' flags.
// It must not decide whether a refusal matters.

internal import CSystemCalls
internal import Glibc

public enum ProcessSetup {
  /// This process's id.
  public static var processID: Int32 { getpid() }
  public static var effectiveUserID: UInt32 { geteuid() }

  /// No core dump, no ptrace by the same user (prctl(2), PR_SET_DUMPABLE): a dump's pipe handler would wait for us.
  public static func makeUndumpable() throws(Errno) { _ = try shimCall { lil_undumpable() } }

  /// Pages stay in memory once touched (mlockall(2)).
  public static func lockMemory() throws(Errno) { _ = try shimCall { lil_lock_memory() } }

  /// Blocks of 128 KiB and more are given back to the system when they are freed (mallopt(3)): by itself glibc keeps as
  /// much as was freed before.
  public static func returnLargeBlocks() { lil_return_large_blocks(128 << 10) }

  /// Raises the soft limit of descriptors towards `wanted`; the limit in force.
  public static func raiseDescriptorLimit(to wanted: UInt64) throws(Errno) -> UInt64 {
    var limit: UInt64 = 0
    _ = try shimCall { unsafe lil_descriptor_limit(wanted, &limit) }
    return limit
  }

  /// Processors that are online.
  public static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  public static func changeDirectory(_ path: String) throws(Errno) { _ = try systemCall { unsafe chdir(path) } }

  public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// mkdir(2); an existing folder is fine.
  public static func makeDirectory(_ path: String, mode: UInt32) throws(Errno) {
    do { _ = try systemCall { unsafe mkdir(path, mode) } } catch .exists {}
  }

  public static func removeFile(_ path: String) throws(Errno) { _ = try systemCall { unsafe unlink(path) } }

  /// An exclusive lock for as long as the descriptor lives (flock(2)); EAGAIN where somebody holds it.
  public static func lock(_ descriptor: borrowing Descriptor) throws(Errno) {
    let number = descriptor.rawValue
    _ = try systemCall { flock(number, LOCK_EX | LOCK_NB) }
  }

  /// A group's id by name, or nil (getgrnam_r(3)). Not after start: it may load NSS modules.
  public static func groupID(named name: String) -> UInt32? {
    var entry = unsafe group()
    var found: UnsafeMutablePointer<group>?
    var buffer = [CChar](repeating: 0, count: 16384)
    let error = unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found)
    return unsafe error == 0 && found != nil ? entry.gr_gid : nil
  }

  public static func changeMode(_ path: String, _ mode: UInt32) throws(Errno) {
    _ = try systemCall { unsafe chmod(path, mode) }
  }

  public static func changeOwner(_ path: String, group: UInt32) throws(Errno) {
    _ = try systemCall { unsafe chown(path, uid_t.max, group) }
  }
}
