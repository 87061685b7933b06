// Owns at which hooks of the kernel liliumd itself is protected, and the programs that stand there.
// It must not know who is kin: bpf/guard.bpf.h and the daemon do. The order is that of enum lil_guard (a test holds it).

internal import CBPFLSM

/// A place where the kernel asks before somebody reaches for liliumd, its files or its maps.
public struct GuardHook: Sendable, Hashable {
  /// What is reached for there.
  public enum Object: Sendable, Hashable { case signal, trace, limits, file, mount, map }

  /// The kernel's name for it, as in `task_kill`.
  public let name: String
  public let object: Object
  /// What is done there, as in `unlink`; a verb's noun or a system call's name.
  public let deed: String

  private init(_ name: String, _ object: Object, _ deed: String) {
    (self.name, self.object, self.deed) = (name, object, deed)
  }

  /// The program's name.
  public var program: String { "guard_\(name)" }

  /// Whether the running kernel has it.
  public var isInKernel: Bool { unsafe lil_kernel_has_hook(name) == 1 }

  /// In the order of their numbers.
  public static let all = [
    GuardHook("task_kill", .signal, "kill"), GuardHook("ptrace_access_check", .trace, "trace"),
    GuardHook("task_setrlimit", .limits, "setrlimit"), GuardHook("task_setscheduler", .limits, "sched_setscheduler"),
    GuardHook("task_setnice", .limits, "setpriority"), GuardHook("task_setioprio", .limits, "ioprio_set"),
    GuardHook("task_movememory", .limits, "migrate_pages"),
    GuardHook("file_open", .file, "open to write"), GuardHook("path_truncate", .file, "truncate"),
    GuardHook("path_chmod", .file, "chmod"), GuardHook("path_chown", .file, "chown"),
    GuardHook("inode_create", .file, "create"), GuardHook("inode_link", .file, "link"),
    GuardHook("inode_unlink", .file, "unlink"), GuardHook("inode_symlink", .file, "symlink"),
    GuardHook("inode_mkdir", .file, "mkdir"), GuardHook("inode_rmdir", .file, "rmdir"),
    GuardHook("inode_mknod", .file, "mknod"), GuardHook("inode_rename", .file, "rename"),
    GuardHook("sb_mount", .mount, "mount"), GuardHook("move_mount", .mount, "move_mount"),
    GuardHook("bpf_map", .map, "bpf"),
  ]

  /// Whether an event is about self-protection, and at which hook it was.
  public static func of(mechanism: UInt8, hook: UInt8) -> GuardHook? {
    guard mechanism == UInt8(LIL_MECHANISMS.rawValue), all.indices.contains(Int(hook)) else { return nil }
    return all[Int(hook)]
  }
}
