// Owns which superblocks carry Lilium's marks, and keeps that in line with the mounts as they come and go.
// It must not run on the answer path: it reads paths, and a path may wait.

public import AccessModel
public import Fanotify
public import ProcFS
internal import Synchronization
public import SystemCalls

/// One marked superblock.
public struct MarkedFileSystem: Sendable, Hashable {
  public var device: DeviceNumber
  public var type: [UInt8]
  public var mountPoint: [UInt8]
  /// Reached through the mount namespace of another process.
  public var isForeign: Bool
}

/// What changed.
public enum MarkChange: Sendable {
  case marked(MarkedFileSystem)
  case gone(MarkedFileSystem)
  case failed(MarkedFileSystem, String)
}

/// The marks of one group. `update` is called by one thread at a time.
public final class FileSystemCoverage: Sendable {
  private struct State {
    var marked: [UInt64: MarkedFileSystem] = [:]
    var failed: [UInt64: String] = [:]
  }

  private let group: PermissionGroup
  private let events: PermissionEvents
  private let asked: Mutex<(scope: CoverageScope, exclude: [String])>
  private let mounts: MountTable
  private let state = Mutex(State())

  public init(
    group: PermissionGroup, events: PermissionEvents, scope: CoverageScope, exclude: [String], mounts: MountTable
  ) {
    self.group = group
    self.events = events
    asked = Mutex((scope, exclude))
    self.mounts = mounts
  }

  /// Takes what a new configuration asks for; the next `update` carries it out.
  public func replace(scope: CoverageScope, exclude: [String]) { asked.withLock { $0 = (scope, exclude) } }

  public var marked: [MarkedFileSystem] {
    state.withLock { $0.marked.values.sorted { $0.mountPoint.lexicographicallyPrecedes($1.mountPoint) } }
  }

  /// File systems that should be marked and could not be, with the reason.
  public var failures: [String] { state.withLock { $0.failed.values.sorted() } }

  /// Reads the mounts and marks what is to be marked. Marks are set again each time: one is lost in silence when its
  /// file system is unmounted and mounted again. With `foreign`, other mount namespaces are looked through too.
  public func update(foreign: Bool) throws(SystemCallError) -> [MarkChange] {
    let entries = try Mounts.own()
    mounts.replace(with: entries)
    var wanted: [UInt64: [CoverageTarget]] = [:]
    let (scope, exclude) = asked.withLock { $0 }
    switch scope {
    case .local:
      let excluded = Set(exclude.compactMap { Mounts.device(of: $0, in: entries) })
      for entry in entries { collect(entry, prefix: "", excluded, into: &wanted) }
      if foreign {
        for (pid, entry) in Mounts.foreign() {
          collect(entry, prefix: "/proc/\(pid)/root", excluded, into: &wanted)
        }
      }
    case .paths(let paths):
      for path in paths {
        guard let entry = Mounts.entry(of: path, in: entries) else {
          throw SystemCallError("stat", path, .noEntry)
        }
        var target = CoverageTarget(entry, prefix: "")
        target.mountPoint = Array(path.utf8)
        wanted[target.device, default: []].append(target)
      }
    }
    return apply(wanted, keepsForeign: !foreign)
  }

  private func collect(
    _ entry: MountEntry, prefix: String, _ excluded: Set<UInt64>, into wanted: inout [UInt64: [CoverageTarget]]
  ) {
    let target = CoverageTarget(entry, prefix: prefix)
    guard FileSystemKinds.isLocal(entry.type), !excluded.contains(target.device) else { return }
    wanted[target.device, default: []].append(target)
  }

  private func apply(_ wanted: [UInt64: [CoverageTarget]], keepsForeign: Bool) -> [MarkChange] {
    var changes: [MarkChange] = []
    for (device, targets) in wanted {
      let mark = MarkedFileSystem(targets[0])
      let known = state.withLock { $0.marked[device] != nil }
      switch markFirst(of: targets) {
      case .marked:
        state.withLock {
          $0.marked[device] = mark
          $0.failed[device] = nil
        }
        if !known { changes.append(.marked(mark)) }
      // Nobody can reach it by a path; it is marked when what hides it goes.
      case .hidden: break
      case .failed(let failure):
        let isNews = state.withLock { $0.failed.updateValue(failure, forKey: device) != failure }
        if isNews { changes.append(.failed(mark, failure)) }
      }
    }
    let gone = state.withLock { state in
      let lost = state.marked.filter { wanted[$0.key] == nil && !(keepsForeign && $0.value.isForeign) }
      for key in lost.keys { state.marked[key] = nil }
      for key in state.failed.keys where wanted[key] == nil { state.failed[key] = nil }
      return lost.values
    }
    for file in gone {
      unmark(file)
      changes.append(.gone(file))
    }
    return changes
  }

  private enum Marking {
    case marked, hidden
    case failed(String)
  }

  /// Tries the mounts of one superblock in turn: another mount may hide one.
  private func markFirst(of targets: [CoverageTarget]) -> Marking {
    var outcome = Marking.hidden
    for target in targets {
      do throws(Errno) {
        if try mark(target) { return .marked }
      } catch {
        outcome = .failed("fanotify_mark \(target.path): \(error)")
      }
    }
    return outcome
  }

  /// Marks through a descriptor of the very mount: the path alone may lead to what was mounted over it. False where it
  /// does.
  private func mark(_ target: CoverageTarget) throws(Errno) -> Bool {
    let place = try Descriptor.open(target.path, Mounts.pathOnly)
    let status = try FileStatus.of(descriptor: place.rawValue)
    guard status.mount == 0 || target.prefix != "" || status.mount == target.mount else { return false }
    try group.markFileSystem(events, of: "/proc/self/fd/\(place.rawValue)")
    return true
  }
}

extension FileSystemCoverage {
  /// Takes the mark off a file system that is still mounted; with an unmounted one it is gone already.
  private func unmark(_ file: MarkedFileSystem) {
    guard !file.isForeign, let place = try? Descriptor.open(PathBytes(file.mountPoint), Mounts.pathOnly),
      let status = try? FileStatus.of(descriptor: place.rawValue),
      status.deviceMajor == file.device.major, status.deviceMinor == file.device.minor
    else { return }
    try? group.unmarkFileSystem(events, of: "/proc/self/fd/\(place.rawValue)")
  }
}

extension MarkedFileSystem {
  init(_ target: CoverageTarget) {
    self.init(
      device: DeviceNumber(major: target.major, minor: target.minor), type: target.type,
      mountPoint: target.mountPoint, isForeign: target.prefix != "")
  }
}
