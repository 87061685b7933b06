// Owns looking up what rules name and the kernel knows by number: files, control groups, system calls.
// It must not follow a symbolic link: no file is called by the path of one.

public import AccessModel
internal import AuditNetlink
internal import ProcFS
internal import SystemCalls

/// What is asked of the host when a policy is put in force. Tests have one of their own.
public protocol KernelNameLookup {
  /// Device and inode, as the kernel's file system has them, of the file with this path; nil where there is none.
  func file(at path: [UInt8]) -> FileIdentity?
  /// Inode of the control group with this path in the cgroup2 hierarchy; nil where there is none.
  func controlGroup(at path: [UInt8]) -> UInt64?
  /// Number of a system call; nil where the architecture has none of that name. Both as `CallFacts` names them.
  func call(_ name: String, on architecture: String) -> UInt32?
}

/// The host as it is at the time of each question. May wait for a file system: not for an answer path.
public struct HostNames: KernelNameLookup {
  /// The device of each mount by its id.
  private let devices: [UInt64: DeviceNumber]

  /// Reads mountinfo once. Without it, files are looked up by the device that statx(2) shows.
  public init() {
    let mounts = (try? MountInfo.read()) ?? []
    devices = Dictionary(mounts.map { ($0.id, DeviceNumber(major: $0.major, minor: $0.minor)) }) { $1 }
  }

  public func file(at path: [UInt8]) -> FileIdentity? {
    guard Self.hasNoLink(path), let status = Self.status(path) else { return nil }
    // Btrfs shows another device for each subvolume; the programs see that of the file system, as mountinfo does.
    let device = devices[status.mount] ?? DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor)
    return FileIdentity(device: device, inode: status.inode)
  }

  public func controlGroup(at path: [UInt8]) -> UInt64? {
    // Systemd's mixed set-up has the hierarchy in a folder of its own.
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
    guard let root = roots.first(where: { Self.status([UInt8]("\($0)/cgroup.controllers".utf8)) != nil }) else {
      return nil
    }
    guard let status = Self.status([UInt8](root.utf8) + path), status.isDirectory else { return nil }
    return status.inode
  }

  public func call(_ name: String, on architecture: String) -> UInt32? {
    AuditArchitecture.known.first { $0.machine == architecture }.flatMap { CallName.number(named: name, on: $0) }
  }

  private static func status(_ path: [UInt8]) -> FileStatus? {
    try? FileStatus.of(path: PathBytes(path), followingLinks: false)
  }

  /// Whether no folder on the way is a symbolic link: the kernel never calls a file by a path with one.
  private static func hasNoLink(_ path: [UInt8]) -> Bool {
    var folder = PathBytes(path).folder
    while folder.bytes.count > 1 {
      guard let status = status(folder.bytes), status.isDirectory else { return false }
      folder = folder.folder
    }
    return true
  }
}
