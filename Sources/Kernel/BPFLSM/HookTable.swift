// Owns which hook of the kernel guards which door, and the program that stands there.
// It must not know what a program asks: bpf/ has them. The order is that of enum lil_hook (a test holds it).

internal import CBPFLSM

/// A program at one hook (include/linux/lsm_hook_defs.h), which has the hook's name.
public struct LSMHook: Sendable, Hashable {
  public let name: String
  /// Numbers of enum lil_mechanism; several where the call tells which door it is.
  public let mechanisms: [UInt8]
  /// What the kernel lacks it for has no such door: `file_ioctl_compat` before Linux 6.8.
  public let isNeeded: Bool

  private init(_ name: String, _ mechanisms: [lil_mechanism], isNeeded: Bool = true) {
    self.name = name
    self.mechanisms = mechanisms.map { UInt8($0.rawValue) }
    self.isNeeded = isNeeded
  }

  /// In the order of their numbers.
  public static let all = [
    LSMHook("ptrace_access_check", [LIL_PTRACE]), LSMHook("ptrace_traceme", [LIL_PTRACE]),
    LSMHook("mmap_file", [LIL_MPROTECT]), LSMHook("file_mprotect", [LIL_MPROTECT]),
    LSMHook("kernel_read_file", [LIL_MODULE, LIL_KEXEC]), LSMHook("kernel_load_data", [LIL_MODULE, LIL_KEXEC]),
    LSMHook("kernel_module_request", [LIL_MODULE]),
    LSMHook("sb_mount", [LIL_MOUNT]), LSMHook("sb_umount", [LIL_MOUNT]), LSMHook("sb_pivotroot", [LIL_MOUNT]),
    LSMHook("move_mount", [LIL_MOUNT]),
    LSMHook("userns_create", [LIL_CLONE]), LSMHook("capable", [LIL_MODULE, LIL_MOUNT, LIL_CLONE]),
    LSMHook("file_ioctl", [LIL_IOCTL]), LSMHook("file_ioctl_compat", [LIL_IOCTL], isNeeded: false),
  ]
}
