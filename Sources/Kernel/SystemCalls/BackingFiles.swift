// Owns the question what lies beneath a file system, as far as it bears on who can change it unseen: its kind, and the
// files behind its block device (statfs(2), sysfs(5), loop(4)).
// It must not be asked for each request: it reads folders of sysfs; `StorageTable` remembers.

internal import CSystemCalls
internal import Glibc
internal import Synchronization

/// Kinds of file systems by what can change their files behind the kernel's back.
public enum StorageKind: Sendable, Hashable {
  /// Changed through this file system alone, or through its device.
  case own
  /// The same, and never written: a file has no writers.
  case readOnly
  /// A layer over another file system, where its files may be changed.
  case layered
  /// Another process or host answers for it, or the kind is not known.
  case foreign

  /// By statfs(2)'s f_type (include/uapi/linux/magic.h).
  public init(magic: UInt64) {
    switch UInt32(truncatingIfNeeded: magic) {
    // ext4, xfs, btrfs, tmpfs, ramfs, f2fs, bcachefs, zfs, vfat, exfat, ntfs3, jfs, nilfs2, udf
    case 0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x8584_58f6, 0xf2f5_2010, 0xca45_1a4e, 0x2fc1_2fc1, 0x4d44,
      0x2011_bab0, 0x7366_746e, 0x3153_464a, 0x3434, 0x1501_3346:
      self = .own
    // squashfs, erofs, iso9660, cramfs
    case 0x7371_7368, 0xe0f5_e1e2, 0x9660, 0x28cd_3d45: self = .readOnly
    // overlay, ecryptfs
    case 0x794c_7630, 0xf15f: self = .layered
    default: self = .foreign
    }
  }
}

/// Which block devices stand on files that somebody else than root can write. Thread-safe.
public final class StorageTable: Sendable {
  private let known = Mutex<[UInt64: (answer: Bool, until: UInt64)]>([:])
  /// Nanoseconds.
  private static let shortly: UInt64 = 100_000_000

  public init() {}

  /// Whether nobody but root can change a file by what lies beneath its file system. `descriptor` is open on the file,
  /// or on a folder of its file system, not as O_PATH; the numbers are those of the device that the file shows. False
  /// where that cannot be known. Remembered until `forget`; a tenth of a second for loop devices and for file systems
  /// without a device of their own, because another may come under the same number at any time.
  public func isRootsAlone(_ descriptor: Int32, _ system: FileSystemStatus, major: UInt32, minor: UInt32) -> Bool {
    if FileSystemKind.isInMemory(system) { return true }
    let device = UInt64(major) << 32 | UInt64(minor)
    let now = Clock.monotonic()
    if let entry = known.withLock({ $0[device] }), entry.until > now { return entry.answer }
    var walk = StorageWalk()
    let answer = walk.isRootsAlone(descriptor, system, major, minor)
    let until = walk.isFleeting ? now + Self.shortly : .max
    known.withLock { $0[device] = (answer, until) }
    return answer
  }

  /// Mounts or devices have changed.
  public func forget() { known.withLock { $0 = [:] } }
}

private enum FileSystemKind {
  static let btrfs: UInt32 = 0x9123_683e
  static let zfs: UInt32 = 0x2fc1_2fc1

  /// tmpfs and ramfs stand on nothing.
  static func isInMemory(_ system: FileSystemStatus) -> Bool {
    magic(system) == 0x0102_1994 || magic(system) == 0x8584_58f6
  }

  static func magic(_ system: FileSystemStatus) -> UInt32 { UInt32(truncatingIfNeeded: system.type) }
}

/// One way down from a device to what it stands on.
private struct StorageWalk {
  /// Whether the answer may soon be another, without a sign.
  var isFleeting = false
  private var steps = 0
  /// More devices and files than any sane stack has.
  private static let most = 256
  private static let pathOnly: Int32 = 0o10000000

  mutating func isRootsAlone(_ descriptor: Int32, _ system: FileSystemStatus, _ major: UInt32, _ minor: UInt32) -> Bool
  {
    if FileSystemKind.isInMemory(system) { return true }
    if major != 0 { return isRootsAlone("/sys/dev/block/\(major):\(minor)") }
    // The number is made up at each mount.
    isFleeting = true
    switch FileSystemKind.magic(system) {
    case FileSystemKind.btrfs:
      guard let members = Self.btrfsMembers(descriptor), !members.isEmpty else { return false }
      return areRootsAlone(members)
    // No image can be mounted: root imports a pool whole, and zfs alone knows from what.
    case FileSystemKind.zfs: return true
    // A file without a device (erofs), or devices that nobody names.
    default: return false
    }
  }

  private mutating func areRootsAlone(_ folders: [String]) -> Bool {
    for folder in folders where !isRootsAlone(folder) { return false }
    return true
  }

  /// A block device by its folder in sysfs; a partition's disk lies above it.
  private mutating func isRootsAlone(_ folder: String) -> Bool {
    steps += 1
    guard steps < Self.most, Self.exists(folder) else { return false }
    if Self.exists(folder + "/partition") {
      guard let disk = resolvedPath(folder + "/..") else { return false }
      return isRootsAlone(disk)
    }
    if Self.exists(folder + "/loop") {
      isFleeting = true
      guard let file = Self.line(of: folder + "/loop/backing_file") else { return false }
      return isRootsAlone(file: file)
    }
    return areRootsAlone(Self.names(in: folder + "/slaves").map { "/sys/class/block/\($0)" })
  }

  private mutating func isRootsAlone(file: PathBytes) -> Bool {
    // A path that does not name the file any more (deleted, or of another namespace) tells nothing of it.
    guard let place = try? Descriptor.open(file, Self.pathOnly | O_NOFOLLOW),
      let status = try? FileStatus.of(descriptor: place.rawValue), status.isRegular, status.isWrittenByRootAlone,
      let system = try? FileSystemStatus.of(descriptor: place.rawValue)
    else { return false }
    let kind = StorageKind(magic: system.type)
    guard kind == .own || kind == .readOnly else { return false }
    // Its folder answers for it: to open the file itself would be an event, which waits for an answer.
    guard let folder = try? Descriptor.open(file.folder, O_RDONLY | O_DIRECTORY),
      (try? FileSystemStatus.of(descriptor: folder.rawValue).identity) == system.identity
    else { return false }
    return isRootsAlone(folder.rawValue, system, status.deviceMajor, status.deviceMinor)
  }

  private static func exists(_ path: String) -> Bool { (try? FileStatus.of(path: PathBytes(path))) != nil }

  /// The devices of the btrfs that holds an open file, as sysfs folders; nil where it does not say which one it is. Its
  /// f_fsid would not do: a crafted image can bear another's.
  private static func btrfsMembers(_ descriptor: Int32) -> [String]? {
    var uuid = [UInt8](repeating: 0, count: Int(LIL_UUID_BYTES))
    guard unsafe lil_btrfs_uuid(descriptor, &uuid) == 0 else { return nil }
    var name = ""
    for (index, byte) in uuid.enumerated() {
      if [4, 6, 8, 10].contains(index) { name += "-" }
      name += String(byte >> 4, radix: 16) + String(byte & 0xf, radix: 16)
    }
    return names(in: "/sys/fs/btrfs/\(name)/devices").map { "/sys/class/block/\($0)" }
  }

  private static func names(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe _ = closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  private static func line(of path: String) -> PathBytes? {
    guard let text = try? Descriptor.open(path, O_RDONLY).readAll(limit: 65536), text.last == 0x0a else { return nil }
    return PathBytes(Array(text.dropLast()))
  }

}

/// realpath(3); nil where the path names nothing.
public func resolvedPath(_ path: String) -> String? {
  guard let found = unsafe realpath(path, nil) else { return nil }
  defer { unsafe free(found) }
  return unsafe String(cString: found)
}
