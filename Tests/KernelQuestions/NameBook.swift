// Owns a small made-up host: which files and control groups there are, which numbers calls have.
// It must not be the real one.

public import AccessModel

/// Looks names up on a host that never changes.
public struct NameBook: Sendable {
  public init() {}

  /// Devices and inodes by path; some share one of the two, and one inode uses all bits.
  public static let files: [String: FileIdentity] = [
    "/usr/bin/gdb": FileIdentity(device: DeviceNumber(major: 8, minor: 1), inode: 100),
    "/usr/bin/strace": FileIdentity(device: DeviceNumber(major: 8, minor: 1), inode: .max - 3),
    "/dev/tty1": FileIdentity(device: DeviceNumber(major: 0, minor: 6), inode: 100),
    "/srv/tool": FileIdentity(device: DeviceNumber(major: 259, minor: 1_048_575), inode: 7),
  ]

  public static let controlGroups: [String: UInt64] = ["/system.slice/x.service": 500, "/user.slice": 501, "/": 1]

  public static let architectures: [String: UInt64] = [
    "x86_64": 0xC000_003E, "i386": 0x4000_0003, "aarch64": 0xC000_00B7, "arm": 0x4000_0028,
  ]

  /// The numbers differ by architecture, and some mean different calls there.
  public static func number(_ call: String, _ architecture: String) -> UInt64? {
    let place = calls.firstIndex(of: call).map(UInt64.init)
    switch architecture {
    case "x86_64", "aarch64": return place
    default: return call == "kexec_file_load" ? nil : place.map { UInt64(calls.count) - $0 }
    }
  }

  public static let calls = [
    "ptrace", "process_vm_writev", "mmap", "mprotect", "init_module", "finit_module", "delete_module", "kexec_load",
    "kexec_file_load", "mount", "umount2", "open_tree", "fsmount", "move_mount", "clone", "unshare", "setns", "ioctl",
  ]

  /// The number of a name; nil where it names nothing.
  public func number(_ name: KernelName) -> UInt64? {
    switch name {
    case .device(let path): Self.files[Self.text(path)].map { UInt64($0.device.major) << 20 | UInt64($0.device.minor) }
    case .inode(let path): Self.files[Self.text(path)]?.inode
    case .controlGroup(let path): Self.controlGroups[Self.text(path)]
    case .callNumber(let call, let architecture): Self.number(Self.text(call), architecture)
    case .architecture(let name): Self.architectures[name]
    }
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
