// Owns the watch on the folders above remembered files: one that moves takes all the paths below it along, of which no
// file below is told.
// It must not watch a whole file system: every rename of every file would be told then, and paid for.

internal import AccessModel
internal import Fanotify
internal import SystemCalls

/// Used under one lock, its owner's. A folder that is watched stays in the kernel's memory (about 1 KB).
struct GuardedFolders: ~Copyable {
  let group: NotificationGroup
  /// By handle, not by inode number: a removed folder's number may be given to a new one, which nobody watches.
  private var known: [Folder: FileEvents] = [:]
  static let most = 16384
  private static let changes: FileEvents = [.moved, .deleted, .ofFolder]

  private struct Folder: Hashable {
    /// f_fsid.
    var fileSystem: UInt64
    var handle: [UInt8]
  }

  init() throws(Errno) { group = try NotificationGroup() }

  var count: Int { known.count }
  var isFull: Bool { known.count >= Self.most }

  /// Watches all folders on `path`, and says whether the path then names the file. What moves before that is seen here,
  /// what moves afterwards is told. With `rights` a change of the nearest folder's permissions is told too.
  mutating func guardPath(_ path: [UInt8], to file: FileStatus, rights: Bool) -> Bool {
    var folder = PathBytes(path).folder
    var events = rights ? Self.changes.union(.attributes) : Self.changes
    while folder.bytes.count > 1 || events.contains(.attributes) {
      switch watch(folder, events) {
      case .known: return Self.names(path, file)
      case .failed: return false
      case .added: break
      }
      events = Self.changes
      if folder.bytes.count == 1 { break }
      folder = folder.folder
    }
    return Self.names(path, file)
  }

  /// Reads what is told; true where a path may have changed. A folder that is gone was empty.
  mutating func takeChanges() throws(Errno) -> Bool {
    var gone: [Folder] = []
    var hasMoved = false
    _ = try group.readEvents { event in
      if event.isDeletionOnly, let handle = event.handle {
        gone.append(Folder(fileSystem: event.fileSystem, handle: handle.bytes))
      } else {
        hasMoved = true
      }
    }
    for folder in gone { known[folder] = nil }
    return hasMoved
  }

  /// Ends all watches.
  mutating func reset() {
    known = [:]
    try? group.stopWatchingAll()
  }

  private enum Outcome {
    /// Then the folders above it are known too: it cannot have come under others without having moved.
    case known, added, failed
  }

  private mutating func watch(_ folder: PathBytes, _ events: FileEvents) -> Outcome {
    do throws(Errno) {
      let place = try Descriptor.open(folder, Mounts.pathOnly)
      let status = try FileStatus.of(descriptor: place.rawValue)
      let folder = Folder(
        fileSystem: try FileSystemStatus.of(descriptor: place.rawValue).identity,
        handle: try FileHandle(of: place.rawValue).bytes)
      let before = known[folder]
      if let before, before.isSuperset(of: events) { return .known }
      guard status.isDirectory, known.count < Self.most else { return .failed }
      try group.watch(at: "/proc/self/fd/\(place.rawValue)", events, evictable: false)
      known[folder] = (before ?? []).union(events)
      return before == nil ? .added : .known
    } catch {
      return .failed
    }
  }

  private static func names(_ path: [UInt8], _ file: FileStatus) -> Bool {
    (try? FileStatus.of(path: PathBytes(path), followingLinks: false))?.isSameFile(as: file) == true
  }
}

extension FileIdentity {
  init(_ status: FileStatus) {
    self.init(
      device: DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor), inode: status.inode)
  }
}
