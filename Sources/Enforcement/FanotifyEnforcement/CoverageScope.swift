// Owns the choice which mounted file systems are to be marked.
// It must not mark anything.

internal import ProcFS
internal import SystemCalls

/// What the configuration asks for.
public enum CoverageScope: Sendable, Hashable {
  /// Every local file system that can hold a program.
  case local
  /// The file systems that hold these paths.
  case paths([String])
}

enum FileSystemKinds {
  /// Made by the kernel; they hold no file that somebody could put there, or refuse permission marks.
  private static let synthetic: Set<String> = [
    "autofs", "bdev", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "debugfs", "devpts",
    "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "pipefs", "proc", "pstore", "resctrl", "rpc_pipefs",
    "securityfs", "selinuxfs", "smackfs", "sockfs", "sysfs", "tracefs",
  ]
  /// Their answers come from another host or another process: marked only where the configuration names them.
  private static let remote: Set<String> = [
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "smb3", "smbfs", "virtiofs",
  ]

  static func isLocal(_ type: [UInt8]) -> Bool {
    let name = String(decoding: type, as: UTF8.self)
    return !synthetic.contains(name) && !remote.contains(name) && name != "fuse" && !name.hasPrefix("fuse.")
      && name != "fuseblk"
  }
}

/// A superblock that is to be marked, and where it can be reached.
struct CoverageTarget: Hashable {
  var major: UInt32
  var minor: UInt32
  var type: [UInt8]
  /// Mount id as mountinfo shows it.
  var mount: UInt64
  var mountPoint: [UInt8]
  /// `/proc/PID/root` for a mount namespace that is not the daemon's own; empty for that.
  var prefix: String

  init(_ entry: MountEntry, prefix: String) {
    major = entry.major
    minor = entry.minor
    type = entry.type
    mount = entry.id
    mountPoint = entry.mountPoint
    self.prefix = prefix
  }

  var device: UInt64 { UInt64(major) << 32 | UInt64(minor) }
  var isForeign: Bool { prefix != "" }
  /// The path to mark.
  var path: PathBytes { PathBytes(Array(prefix.utf8) + mountPoint) }
}
