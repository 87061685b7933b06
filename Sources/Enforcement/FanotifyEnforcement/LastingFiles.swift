// Owns the question which files only root can change, and no one unseen: those alone may be remembered.
// It must not remember anything, and must not believe an owner that a mount makes up.

internal import ProcFS
internal import Synchronization
internal import SystemCalls

/// Rests on a picture of the mounts of the initial namespace, which `replace` renews.
final class LastingFiles: Sendable {
  private struct Picture {
    /// Mount ids that show owners as they are (no idmapped mounts, mount_setattr(2)).
    var plain: Set<UInt64> = []
    /// A mount point of each file system, by what fanotify names it by (f_fsid).
    var places: [UInt64: PathBytes] = [:]
    /// By mount id.
    var mounts: [UInt64: MountEntry] = [:]
    /// The mounts of each superblock, by its device as mountinfo shows it.
    var siblings: [UInt64: [MountEntry]] = [:]
  }

  private let picture = Mutex(Picture())
  let storage = StorageTable()
  private static let folderOnly: Int32 = 0o200000

  /// Reads nothing of a file system whose kind is not local, nor through one: it may not answer.
  func replace(with mounts: [MountEntry]) {
    var next = Picture()
    next.plain = Mounts.plain()
    for mount in mounts {
      next.mounts[mount.id] = mount
      next.siblings[mount.device, default: []].append(mount)
    }
    for mount in mounts where !Mounts.mayWait(mount.mountPoint, in: mounts) {
      let point = PathBytes(mount.mountPoint)
      guard let place = try? Descriptor.open(point, Mounts.pathOnly),
        let system = try? FileSystemStatus.of(descriptor: place.rawValue)
      else { continue }
      if next.places[system.identity] == nil || mount.root == [0x2f] { next.places[system.identity] = point }
    }
    picture.withLock { $0 = next }
    storage.forget()
  }

  /// A regular file with a name that nobody but root can write, on a file system that is changed in no other way.
  func holds(_ descriptor: Int32, _ status: FileStatus, _ system: FileSystemStatus) -> Bool {
    let kind = StorageKind(magic: system.type)
    return status.isRegular && status.links > 0 && status.isWrittenByRootAlone && (kind == .own || kind == .readOnly)
      && storage.isRootsAlone(descriptor, system, major: status.deviceMajor, minor: status.deviceMinor)
      && isOwnerTrue(descriptor, status, system)
  }

  /// Whether `path` is the file's only place in the initial namespace: it has no other name, and no other mount of its
  /// superblock shows it. `mount` is the id of the mount that the path leads to.
  func isOnlyPlace(_ path: [UInt8], mount: UInt64, links: UInt32) -> Bool {
    guard links == 1 else { return false }
    return picture.withLock { picture in
      guard let own = picture.mounts[mount], let inside = own.inside(path) else { return false }
      return picture.siblings[own.device, default: []].allSatisfy { $0.id == mount || !$0.shows(inside) }
    }
  }

  /// An idmapped mount may show another's file as root's. The mounts of the initial namespace are known; elsewhere the
  /// file is looked at through one of them.
  private func isOwnerTrue(_ descriptor: Int32, _ status: FileStatus, _ system: FileSystemStatus) -> Bool {
    if picture.withLock({ $0.plain.contains(status.mount) }) { return true }
    guard var handle = try? FileHandle(of: descriptor), let mount = place(of: system.identity),
      let found = try? handle.openPath(mount: mount.rawValue),
      let seen = try? FileStatus.of(descriptor: found.rawValue)
    else { return false }
    return picture.withLock { $0.plain.contains(seen.mount) } && seen.isSameFile(as: status)
      && seen.isWrittenByRootAlone
  }

  /// An open folder of the file system, through which file handles are opened; nil where none is mounted here. Not kept:
  /// it would hold the file system mounted.
  func place(of fileSystem: UInt64) -> Descriptor? {
    guard let point = picture.withLock({ $0.places[fileSystem] }),
      let place = try? Descriptor.open(point, Self.folderOnly),
      (try? FileSystemStatus.of(descriptor: place.rawValue).identity) == fileSystem
    else { return nil }
    return place
  }
}
