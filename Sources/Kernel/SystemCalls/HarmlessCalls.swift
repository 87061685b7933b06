// Owns system calls that leave everything as it is, for a program that wants to see who hears of them.
// It must not make one that could take effect, whatever the caller's rights: each is wrong in a way that the kernel
// refuses first, or touches the calling process alone.

internal import CSystemCalls

/// Each gives the error with which the kernel refused, nil where it did what was asked. EPERM and ENOSYS are possible
/// everywhere.
public enum HarmlessCalls {
  /// ptrace(2), PTRACE_ATTACH of pid 0, which is nobody's.
  public static func attachNobody() -> Errno? { error(of: lil_attach_nobody()) }
  /// mmap(2) of a page of zeroes that may be executed, which goes at once.
  public static func mapCode() -> Errno? { error(of: lil_map_code()) }
  /// delete_module(2) of a module that does not exist.
  public static func deleteNoModule() -> Errno? { error(of: lil_delete_no_module()) }
  /// kexec_load(2) with impossible flags and segments.
  public static func loadNoKernel() -> Errno? { error(of: lil_load_no_kernel()) }
  /// umount2(2) with impossible flags and a path that does not exist.
  public static func unmountNothing() -> Errno? { error(of: lil_unmount_nothing()) }
  /// unshare(2), CLONE_NEWUTS: the calling process gets a host name of its own.
  public static func unshareHostName() -> Errno? { error(of: lil_unshare_hostname()) }
  /// ioctl(2) on no descriptor.
  public static func controlNothing(request: UInt64) -> Errno? {
    error(of: lil_control_nothing(UInt(truncatingIfNeeded: request)))
  }

  private static func error(of result: Int32) -> Errno? { result < 0 ? Errno(-result) : nil }
}
