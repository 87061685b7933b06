// Owns statx(2), statfs(2), readlink(2) and file handles on paths and descriptors, as values.
// It must not open a file by path.

internal import CSystemCalls
public import Glibc

/// What the kernel says of a file (statx(2)).
public struct FileStatus: Sendable, Hashable {
  public var deviceMajor: UInt32
  public var deviceMinor: UInt32
  public var inode: UInt64
  /// In bytes.
  public var size: UInt64
  public var owner: UInt32
  public var group: UInt32
  public var links: UInt32
  /// Mount id as mountinfo shows it; 0 where the kernel does not say (before 5.8).
  public var mount: UInt64
  /// File type and permission bits (inode(7)).
  public var mode: UInt16
  /// Change time in nanoseconds since the epoch.
  public var changeTime: Int64

  init(_ raw: lil_status) {
    deviceMajor = raw.device_major
    deviceMinor = raw.device_minor
    inode = raw.inode
    size = raw.size
    owner = raw.owner
    group = raw.group
    links = raw.links
    mount = raw.mount
    mode = raw.mode
    changeTime = raw.change_seconds &* 1_000_000_000 &+ Int64(raw.change_nanoseconds)
  }

  public var isRegular: Bool { mode & 0o170000 == 0o100000 }
  public var isDirectory: Bool { mode & 0o170000 == 0o040000 }
  /// Nobody but root may write it: root's own, no write bit for group or others. An access control list shows as the
  /// group's bits, which are the most that it can grant (acl(5), "mask").
  public var isWrittenByRootAlone: Bool { owner == 0 && mode & 0o022 == 0 }

  public func isSameFile(as other: FileStatus) -> Bool {
    inode == other.inode && deviceMajor == other.deviceMajor && deviceMinor == other.deviceMinor
  }

  /// The status of an open file.
  public static func of(descriptor: Int32) throws(Errno) -> FileStatus {
    var raw = lil_status()
    _ = try shimCall { unsafe lil_statx(descriptor, "", 1, &raw) }
    return FileStatus(raw)
  }

  /// The status of what a path names. Raises no permission event; does not ask a file server anew.
  public static func of(
    path: UnsafePointer<CChar>, at directory: Int32 = AT_FDCWD, followingLinks: Bool = true
  ) throws(Errno) -> FileStatus {
    var raw = lil_status()
    _ = try shimCall { unsafe lil_statx(directory, path, followingLinks ? 1 : 0, &raw) }
    return FileStatus(raw)
  }
}

/// Type and flags of the file system that holds a file (statfs(2)).
public struct FileSystemStatus: Sendable, Hashable {
  /// f_type: a magic number.
  public var type: UInt64
  /// f_flags: ST_RDONLY and so on.
  public var flags: UInt64
  /// f_fsid: what fanotify(7) names the file system by.
  public var identity: UInt64

  public static func of(descriptor: Int32) throws(Errno) -> FileSystemStatus {
    var raw = lil_filesystem()
    _ = try shimCall { unsafe lil_fstatfs(descriptor, &raw) }
    return FileSystemStatus(type: raw.type, flags: raw.flags, identity: raw.identity)
  }
}

extension FileStatus {
  /// The id of the mount that an open file is on, which no other mount has had since boot; nil where the kernel does not
  /// say (before 6.8). Not the id that mountinfo shows: that may come again as soon as its mount is gone.
  public static func uniqueMount(of descriptor: Int32) -> UInt64? {
    var id: UInt64 = 0
    return unsafe lil_unique_mount(descriptor, &id) == 0 ? id : nil
  }
}

/// readlink(2) into the caller's buffer: the count of bytes; a link as long as the buffer may be cut.
public func readLink(
  _ path: UnsafePointer<CChar>, into buffer: UnsafeMutableRawBufferPointer, at directory: Int32 = AT_FDCWD
) throws(Errno) -> Int {
  guard let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self) else { return 0 }
  return try systemCall { unsafe readlinkat(directory, path, start, buffer.count) }
}

/// readlink(2) as bytes; for what is not on the answer path.
public func readLink(_ path: String) throws(Errno) -> [UInt8] {
  var failed: Errno?
  let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
    do throws(Errno) { count = try unsafe readLink(path, into: UnsafeMutableRawBufferPointer(buffer)) } catch {
      failed = error
      count = 0
    }
  }
  if let failed { throw failed }
  return bytes
}

/// A file handle (name_to_handle_at(2)): names a file whatever path leads to it.
public struct FileHandle {
  private var raw = lil_handle()

  /// The handle of an open file.
  public init(of descriptor: Int32) throws(Errno) {
    _ = try shimCall { unsafe lil_handle_of(descriptor, &raw) }
  }

  /// A handle that the kernel reported by its parts; EOVERFLOW where there are more bytes than a handle has.
  public init(type: Int32, bytes: UnsafeRawBufferPointer) throws(Errno) {
    guard let start = bytes.baseAddress else { throw .invalid }
    _ = try shimCall { unsafe lil_handle_from(type, start, bytes.count, &raw) }
  }

  /// Type and bytes of the handle, for comparison: a file that is made anew under an old inode number has another one.
  public var bytes: [UInt8] {
    unsafe withUnsafeBytes(of: raw.words) { words in
      // handle_bytes, handle_type, then the bytes.
      let count = Int(unsafe words.loadUnaligned(as: UInt32.self))
      return unsafe [UInt8](words[4..<min(8 + count, words.count)])
    }
  }

  /// Opens with O_PATH, which raises no permission event. `mount` is an open file on the same file system, or
  /// AT_FDCWD for that of the working directory. Needs CAP_DAC_READ_SEARCH.
  public mutating func openPath(mount: Int32) throws(Errno) -> Descriptor {
    Descriptor(owning: try shimCall { unsafe lil_open_handle(mount, &raw) })
  }
}
