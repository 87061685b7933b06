// Owns what is known about the object of a request: a file. Texts are bytes, as the kernel gives them.
// It must not read anything: Information fills it.

/// What a file's content says it is.
public enum ContentKind: UInt8, CaseIterable, Sendable, Hashable {
  /// An ELF program.
  case elfExecutable
  /// An ELF dynamic object that a loader maps into a program, the loader itself included.
  case elfLibrary
  /// Any other ELF file: an object file, a core.
  case elfOther
  /// Begins with `#!`.
  case script
  case other

  public var name: String {
    switch self {
    case .elfExecutable: "elf-executable"
    case .elfLibrary: "elf-library"
    case .elfOther: "elf-other"
    case .script: "script"
    case .other: "other"
    }
  }

  public var isELF: Bool { self == .elfExecutable || self == .elfLibrary || self == .elfOther }
}

/// Mount and file system flags (statfs(2), ST_*).
public struct MountFlags: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let readOnly = MountFlags(rawValue: 1)
  public static let noSetuid = MountFlags(rawValue: 2)
  public static let noDevices = MountFlags(rawValue: 4)
  public static let noExec = MountFlags(rawValue: 8)

  /// The flags' names as mount(8) spells them.
  public static let names: [(flag: MountFlags, name: String)] = [
    (.readOnly, "ro"), (.noSetuid, "nosuid"), (.noDevices, "nodev"), (.noExec, "noexec"),
  ]
}

/// A device number as (major, minor); records and rules show it as `MAJOR:MINOR`.
public struct DeviceNumber: Sendable, Hashable {
  public var major: UInt32
  public var minor: UInt32
  public init(major: UInt32 = 0, minor: UInt32 = 0) {
    self.major = major
    self.minor = minor
  }
}

/// A file, and nothing else, is (device, inode); the change time and the size say whether it is still the same content.
public struct FileIdentity: Sendable, Hashable {
  public var device: DeviceNumber
  public var inode: UInt64
  public init(device: DeviceNumber = DeviceNumber(), inode: UInt64 = 0) {
    self.device = device
    self.inode = inode
  }
}

/// Facts about the object. Each field is valid only while its group is in `Facts.present`.
public struct ObjectFacts: Sendable {
  // objectStatus
  public var identity = FileIdentity()
  public var size: UInt64 = 0
  public var owner: UInt32 = 0
  public var group: UInt32 = 0
  /// Permission bits with setuid, setgid and sticky: mode & 07777.
  public var mode: UInt16 = 0
  public var links: UInt32 = 0
  /// Change time in nanoseconds since the epoch.
  public var changeTime: Int64 = 0

  // objectPath
  public var path: [UInt8] = []
  /// The path resolves, in the initial mount namespace, to this very device and inode.
  public var pathVerified = false
  /// Mechanism `open`: every path of the open rules that names this file; `path` is the one that is being decided.
  public var protectedNames: [[UInt8]] = []

  // objectContent
  public var kind = ContentKind.other
  /// An ELF dynamic object without an interpreter segment: code whoever opens it.
  public var isLoadableLibrary = false
  /// The program that a script's `#!` names; empty for anything else.
  public var interpreter: [UInt8] = []

  // objectFileSystem
  public var fileSystemType: [UInt8] = []
  public var mountFlags: MountFlags = []

  // objectDirectory
  /// The folder that holds the object can be written by everybody (sticky or not).
  public var directoryWorldWritable = false

  // objectDigest
  public var digest = ContentHash()

  // objectTrust
  public var trust = TrustState.unknown

  public init() {}
}
