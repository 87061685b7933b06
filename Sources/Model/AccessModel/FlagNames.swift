// Owns the names of the flags that calls take, as the manual and the kernel's headers have them (include/uapi/linux).
// It must not judge what a flag means.

/// Bits and what they are called. The values are those of the kernel's headers on the machines that Lilium knows.
public struct FlagNames: Sendable {
  /// In the order in which a record lists them; a name of several bits stands before those of its parts.
  public let names: [(bit: UInt64, name: String)]

  private init(_ names: [(bit: UInt64, name: String)]) { self.names = names }

  /// The names of the bits that are set; what has no name stands as one hexadecimal number at the end.
  public func text(_ flags: UInt64) -> [[UInt8]] {
    var rest = flags
    var found: [[UInt8]] = []
    for entry in names where entry.bit != 0 && rest & entry.bit == entry.bit {
      found.append([UInt8](entry.name.utf8))
      rest &= ~entry.bit
    }
    if rest != 0 { found.append([UInt8](("0x" + String(rest, radix: 16)).utf8)) }
    return found
  }

  /// mmap(2), mprotect(2).
  public static let protection = FlagNames([
    (1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"), (0x0100_0000, "PROT_GROWSDOWN"),
    (0x0200_0000, "PROT_GROWSUP"),
  ])

  /// mmap(2); MAP_SHARED_VALIDATE is both of the first two.
  public static let map = FlagNames([
    (3, "MAP_SHARED_VALIDATE"), (1, "MAP_SHARED"), (2, "MAP_PRIVATE"), (0x10, "MAP_FIXED"), (0x20, "MAP_ANONYMOUS"),
    (0x100, "MAP_GROWSDOWN"), (0x800, "MAP_DENYWRITE"), (0x1000, "MAP_EXECUTABLE"), (0x2000, "MAP_LOCKED"),
    (0x4000, "MAP_NORESERVE"), (0x8000, "MAP_POPULATE"), (0x1_0000, "MAP_NONBLOCK"), (0x2_0000, "MAP_STACK"),
    (0x4_0000, "MAP_HUGETLB"), (0x8_0000, "MAP_SYNC"), (0x10_0000, "MAP_FIXED_NOREPLACE"), (0x40, "MAP_32BIT"),
  ])

  /// mount(2). MS_MGC_VAL in the upper half is a magic number of old programs, not a flag.
  public static let mount = FlagNames([
    (1, "MS_RDONLY"), (2, "MS_NOSUID"), (4, "MS_NODEV"), (8, "MS_NOEXEC"), (0x10, "MS_SYNCHRONOUS"),
    (0x20, "MS_REMOUNT"), (0x40, "MS_MANDLOCK"), (0x80, "MS_DIRSYNC"), (0x100, "MS_NOSYMFOLLOW"),
    (0x400, "MS_NOATIME"), (0x800, "MS_NODIRATIME"), (0x1000, "MS_BIND"), (0x2000, "MS_MOVE"), (0x4000, "MS_REC"),
    (0x8000, "MS_SILENT"), (0x1_0000, "MS_POSIXACL"), (0x2_0000, "MS_UNBINDABLE"), (0x4_0000, "MS_PRIVATE"),
    (0x8_0000, "MS_SLAVE"), (0x10_0000, "MS_SHARED"), (0x20_0000, "MS_RELATIME"), (0x80_0000, "MS_I_VERSION"),
    (0x100_0000, "MS_STRICTATIME"), (0x200_0000, "MS_LAZYTIME"),
  ])

  /// umount2(2).
  public static let unmount = FlagNames([
    (1, "MNT_FORCE"), (2, "MNT_DETACH"), (4, "MNT_EXPIRE"), (8, "UMOUNT_NOFOLLOW"),
  ])

  /// open_tree(2), mount_setattr(2): AT_* and OPEN_TREE_*.
  public static let tree = FlagNames([
    (1, "OPEN_TREE_CLONE"), (0x100, "AT_SYMLINK_NOFOLLOW"), (0x800, "AT_NO_AUTOMOUNT"), (0x1000, "AT_EMPTY_PATH"),
    (0x8000, "AT_RECURSIVE"), (0x8_0000, "OPEN_TREE_CLOEXEC"),
  ])

  /// fsmount(2), its third argument.
  public static let mountAttributes = FlagNames([
    (1, "MOUNT_ATTR_RDONLY"), (2, "MOUNT_ATTR_NOSUID"), (4, "MOUNT_ATTR_NODEV"), (8, "MOUNT_ATTR_NOEXEC"),
    (0x10, "MOUNT_ATTR_NOATIME"), (0x20, "MOUNT_ATTR_STRICTATIME"), (0x80, "MOUNT_ATTR_NODIRATIME"),
    (0x20_0000, "MOUNT_ATTR_NOSYMFOLLOW"),
  ])

  /// clone(2), unshare(2); the low byte of clone(2) is the exit signal.
  public static let clone = FlagNames([
    (0x80, "CLONE_NEWTIME"), (0x100, "CLONE_VM"), (0x200, "CLONE_FS"), (0x400, "CLONE_FILES"),
    (0x800, "CLONE_SIGHAND"), (0x1000, "CLONE_PIDFD"), (0x2000, "CLONE_PTRACE"), (0x4000, "CLONE_VFORK"),
    (0x8000, "CLONE_PARENT"), (0x1_0000, "CLONE_THREAD"), (0x2_0000, "CLONE_NEWNS"), (0x4_0000, "CLONE_SYSVSEM"),
    (0x8_0000, "CLONE_SETTLS"), (0x10_0000, "CLONE_PARENT_SETTID"), (0x20_0000, "CLONE_CHILD_CLEARTID"),
    (0x40_0000, "CLONE_DETACHED"), (0x80_0000, "CLONE_UNTRACED"), (0x100_0000, "CLONE_CHILD_SETTID"),
    (0x200_0000, "CLONE_NEWCGROUP"), (0x400_0000, "CLONE_NEWUTS"), (0x800_0000, "CLONE_NEWIPC"),
    (0x1000_0000, "CLONE_NEWUSER"), (0x2000_0000, "CLONE_NEWPID"), (0x4000_0000, "CLONE_NEWNET"),
    (0x8000_0000, "CLONE_IO"),
  ])

  /// finit_module(2).
  public static let module = FlagNames([
    (1, "MODULE_INIT_IGNORE_MODVERSIONS"), (2, "MODULE_INIT_IGNORE_VERMAGIC"), (4, "MODULE_INIT_COMPRESSED_FILE"),
  ])

  /// delete_module(2): flags of open(2).
  public static let unload = FlagNames([(0x200, "O_TRUNC"), (0x800, "O_NONBLOCK")])

  /// kexec_load(2); the upper half names the architecture.
  public static let kexec = FlagNames([
    (1, "KEXEC_ON_CRASH"), (2, "KEXEC_PRESERVE_CONTEXT"), (4, "KEXEC_UPDATE_ELFCOREHDR"),
    (8, "KEXEC_CRASH_HOTPLUG_SUPPORT"),
  ])
}

/// Kinds of namespace by the flag that creates one, as rules and records name them.
public enum NamespaceKind {
  /// Name, CLONE_NEW* flag, and the link in /proc/PID/ns.
  public static let all: [(name: String, flag: UInt64)] = [
    ("cgroup", 0x200_0000), ("ipc", 0x800_0000), ("mount", 0x2_0000), ("net", 0x4000_0000), ("pid", 0x2000_0000),
    ("time", 0x80), ("user", 0x1000_0000), ("uts", 0x400_0000),
  ]

  /// The kinds that CLONE_NEW* flags name (clone(2)), in the order of the table.
  public static func names(_ flags: UInt64) -> [[UInt8]] {
    all.filter { flags & $0.flag != 0 }.map { [UInt8]($0.name.utf8) }
  }

  /// The link in /proc/PID/ns that shows the kind (namespaces(7)). A new pid or time namespace is first the children's.
  public static func link(_ name: String) -> String {
    switch name {
    case "mount": "mnt"
    case "pid": "pid_for_children"
    case "time": "time_for_children"
    default: name
    }
  }
}
