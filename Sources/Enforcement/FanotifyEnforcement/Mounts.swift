// Owns reading the mounts of this mount namespace and of others (proc_pid_mountinfo(5)).
// It must not choose among them.

internal import ProcFS
internal import SystemCalls

extension MountEntry {
  var device: UInt64 { UInt64(major) << 32 | UInt64(minor) }

  /// Where in the superblock lies what this mount shows at `path`; nil where the path is not below the mount.
  func inside(_ path: [UInt8]) -> [UInt8]? {
    guard Self.holds(mountPoint, path) else { return nil }
    let rest = mountPoint == [0x2f] ? path[...] : path.dropFirst(mountPoint.count)
    return root == [0x2f] ? Array(rest) : root + rest
  }

  /// Whether this mount shows what lies there in the superblock: its root is that, or a folder above it.
  func shows(_ inside: [UInt8]) -> Bool { Self.holds(root, inside) }

  private static func holds(_ folder: [UInt8], _ path: [UInt8]) -> Bool {
    folder == [0x2f] || (path.starts(with: folder) && (path.count == folder.count || path[folder.count] == 0x2f))
  }
}

enum Mounts {
  /// O_PATH: names a place without opening it, raises no event.
  static let pathOnly: Int32 = 0o10000000

  static func own() throws(SystemCallError) -> [MountEntry] {
    do throws(Errno) { return try MountInfo.read() } catch {
      throw SystemCallError("read", "/proc/self/mountinfo", error)
    }
  }

  /// The ids of the mounts of this namespace that show owners as they are: a mount that shows others says `idmapped`
  /// among its options (the sixth field; names have their blanks escaped).
  static func plain() -> Set<UInt64> {
    guard let text = try? Descriptor.open("/proc/self/mountinfo", 0).readAll(limit: MountInfo.limit) else { return [] }
    return plain(in: text)
  }

  static func plain(in text: [UInt8]) -> Set<UInt64> {
    var ids: Set<UInt64> = []
    for line in text.split(separator: 0x0a) {
      let fields = line.split(separator: 0x20, maxSplits: 6)
      guard fields.count > 6, let id = UInt64(String(decoding: fields[0], as: UTF8.self)) else { continue }
      let options = fields[5].split(separator: 0x2c)
      if !options.contains(where: { $0.elementsEqual("idmapped".utf8) }) { ids.insert(id) }
    }
    return ids
  }

  /// What `path` names; nil where that is nothing. May wait for ever where a file system on the way does not answer.
  static func status(of path: String) -> FileStatus? {
    guard let place = try? Descriptor.open(path, pathOnly) else { return nil }
    return try? FileStatus.of(descriptor: place.rawValue)
  }

  /// The mount that holds what has this status, by its mount id.
  static func entry(holding status: FileStatus, in entries: [MountEntry]) -> MountEntry? {
    entries.last {
      status.mount != 0 ? $0.id == status.mount : $0.major == status.deviceMajor && $0.minor == status.deviceMinor
    }
  }

  /// The file system that is mounted at this very path, on top where there are several. A path below a mount names
  /// none: what is mounted there later may not be there yet, and the file system that stands in for it, `/` as a rule,
  /// was not meant. Looks at no file: it may be on a file system that does not answer.
  static func device(mountedAt path: String, in entries: [MountEntry]) -> UInt64? {
    entries.last { $0.mountPoint.elementsEqual(path.utf8) }?.device
  }

  /// Whether the way to this path leads over a file system whose server may never answer.
  static func mayWait(_ path: [UInt8], in entries: [MountEntry]) -> Bool {
    entries.contains { !FileSystemKinds.isLocal($0.type) && $0.inside(path) != nil }
  }

  /// The mounts of every other mount namespace that a process lives in, each with a process that lives there.
  static func foreign() -> [(pid: Int32, entry: MountEntry)] {
    guard let own = try? ProcessFile.mountNamespace.status(pid: ProcessSetup.processID).inode else { return [] }
    var seen: Set<UInt64> = [own]
    var found: [(Int32, MountEntry)] = []
    for pid in ProcessList.pids() {
      guard let namespace = try? ProcessFile.mountNamespace.status(pid: pid).inode, seen.insert(namespace).inserted
      else { continue }
      for entry in (try? MountInfo.read(pid: pid)) ?? [] { found.append((pid, entry)) }
    }
    return found
  }
}
