// Owns setting and taking away the mark of one superblock, in the group that is meant for its kind.
// It must not choose what is marked; whoever calls it for a file system that may not answer does so from a spare thread.

internal import AccessModel
internal import Fanotify
internal import SystemCalls

struct FileSystemMarks: Sendable {
  enum Change: Sendable, Hashable {
    case add(CoverageTarget)
    case remove(MarkedFileSystem)
  }

  enum Outcome: Sendable {
    /// Something else is mounted over it, or in its place.
    case hidden
    /// The superblock had our mark before, or had none.
    case again, new
  }

  let group: PermissionGroup
  let guests: PermissionGroup
  let events: PermissionEvents

  /// What `add` and `remove` say.
  func make(_ change: Change) -> Result<Outcome, Errno> {
    do throws(Errno) {
      switch change {
      case .add(let target): return .success(try add(target))
      case .remove(let file): return .success(try remove(file))
      }
    } catch {
      return .failure(error)
    }
  }

  /// Marks through a descriptor of the very mount: the path alone may lead to what was mounted over it.
  func add(_ target: CoverageTarget) throws(Errno) -> Outcome {
    let place = try Descriptor.open(target.path, Mounts.pathOnly)
    let status = try FileStatus.of(descriptor: place.rawValue)
    guard status.mount == 0 || status.mount == target.mount else { return .hidden }
    let path = "/proc/self/fd/\(place.rawValue)"
    let outcome = isMarked(path) ? Outcome.again : .new
    try group(for: target.type, isForeign: target.isForeign).markFileSystem(events, of: path)
    return outcome
  }

  /// By either group: whose mounts show a superblock may have changed.
  private func isMarked(_ path: String) -> Bool {
    [group, guests].contains { (try? $0.marksFileSystem(of: path)) ?? true }
  }

  /// Takes the mark off a file system that is still mounted; with an unmounted one it is gone already.
  func remove(_ file: MarkedFileSystem) throws(Errno) -> Outcome {
    let place = try Descriptor.open(PathBytes(file.mountPoint), Mounts.pathOnly)
    let status = try FileStatus.of(descriptor: place.rawValue)
    guard status.deviceMajor == file.device.major, status.deviceMinor == file.device.minor else { return .hidden }
    try group(for: file.type, isForeign: file.isForeign)
      .unmarkFileSystem(events, of: "/proc/self/fd/\(place.rawValue)")
    return .again
  }

  private func group(for type: [UInt8], isForeign: Bool) -> PermissionGroup {
    isForeign || !FileSystemKinds.isLocal(type) ? guests : group
  }
}
