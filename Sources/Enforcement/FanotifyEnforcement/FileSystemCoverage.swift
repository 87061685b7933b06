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
    /// The foreign mount that is being looked at, and those that never answered.
    var current: CoverageTarget?
    var skipped: Set<UInt64> = []
  }

  private let group: PermissionGroup
  private let guests: PermissionGroup
  private let events: PermissionEvents
  private let asked: Mutex<(scope: CoverageScope, exclude: [String])>
  private let mounts: MountTable
  private let memory: RememberedAllows?
  private let state = Mutex(State())

  /// `guests` is the group for file systems behind which another process or host may stand: the kernel opens a file
  /// for each event, and a file system that does not answer then holds the reader, which must be nobody else's. `memory`
  /// is what `group` remembers, and is taken back when marks change.
  public init(
    group: PermissionGroup, guests: PermissionGroup, events: PermissionEvents, scope: CoverageScope, exclude: [String],
    mounts: MountTable, memory: RememberedAllows? = nil
  ) {
    self.group = group
    self.guests = guests
    self.events = events
    asked = Mutex((scope, exclude))
    self.mounts = mounts
    self.memory = memory
  }

  /// Takes what a new configuration asks for; the next `update` carries it out.
  public func replace(scope: CoverageScope, exclude: [String]) { asked.withLock { $0 = (scope, exclude) } }

  public var marked: [MarkedFileSystem] {
    state.withLock { $0.marked.values.sorted { $0.mountPoint.lexicographicallyPrecedes($1.mountPoint) } }
  }

  /// File systems that should be marked and could not be, with the reason.
  public var failures: [String] { state.withLock { $0.failed.values.sorted() } }

  /// Reads the mounts of this namespace and marks what is to be marked. Marks are set again each time: one is lost in
  /// silence when its file system is unmounted and mounted again.
  public func update() throws(SystemCallError) -> [MarkChange] {
    let entries = try Mounts.own()
    mounts.replace(with: entries)
    var wanted: [UInt64: [CoverageTarget]] = [:]
    let (scope, exclude) = asked.withLock { $0 }
    switch scope {
    case .local:
      let excluded = Set(exclude.compactMap { Mounts.device(mountedAt: $0, in: entries) })
      for entry in entries { collect(entry, prefix: "", excluded, into: &wanted) }
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
    return apply(wanted, foreign: false)
  }

  /// The same for every other mount namespace. Whose mounts they are may see to it that looking at one never ends, so
  /// this is for a thread that nobody waits for.
  public func updateForeign() -> [MarkChange] {
    let (scope, exclude) = asked.withLock { $0 }
    guard scope == .local, let own = try? Mounts.own() else { return [] }
    let excluded = Set(exclude.compactMap { Mounts.device(mountedAt: $0, in: own) })
    let ours = Set(own.map { CoverageTarget($0, prefix: "").device })
    let skipped = state.withLock { $0.skipped }
    var wanted: [UInt64: [CoverageTarget]] = [:]
    for (pid, entry) in Mounts.foreign() where !skipped.contains(entry.id) {
      let target = CoverageTarget(entry, prefix: "/proc/\(pid)/root")
      if !ours.contains(target.device) { collect(entry, prefix: target.prefix, excluded, into: &wanted) }
    }
    return apply(wanted, foreign: true)
  }

  /// Leaves out from now on what `updateForeign` is still looking at.
  func skipCurrent() -> MarkChange? {
    state.withLock { state in
      guard let target = state.current else { return nil }
      state.skipped.insert(target.mount)
      state.current = nil
      let why = "\(target.path): does not answer, and is left out"
      state.failed[target.device] = why
      return .failed(MarkedFileSystem(target), why)
    }
  }

  private func collect(
    _ entry: MountEntry, prefix: String, _ excluded: Set<UInt64>, into wanted: inout [UInt64: [CoverageTarget]]
  ) {
    let target = CoverageTarget(entry, prefix: prefix)
    guard FileSystemKinds.isLocal(entry.type), !excluded.contains(target.device) else { return }
    wanted[target.device, default: []].append(target)
  }

  private func apply(_ wanted: [UInt64: [CoverageTarget]], foreign: Bool) -> [MarkChange] {
    var changes: [MarkChange] = []
    for (device, targets) in wanted {
      let mark = MarkedFileSystem(targets[0])
      let known = state.withLock { $0.marked[device] }
      switch markFirst(of: targets) {
      case .marked(let isNew):
        state.withLock {
          $0.marked[device] = mark
          $0.failed[device] = nil
        }
        // The device number of a file system that was unmounted is used again.
        if let known, isNew { changes.append(.gone(known)) }
        if isNew || known == nil { changes.append(.marked(mark)) }
      // Nobody can reach it by a path; it is marked when what hides it goes.
      case .hidden: break
      case .failed(let failure):
        let isNews = state.withLock { $0.failed.updateValue(failure, forKey: device) != failure }
        if isNews { changes.append(.failed(mark, failure)) }
      }
    }
    let gone = state.withLock { state in
      let lost = state.marked.filter { wanted[$0.key] == nil && $0.value.isForeign == foreign }
      for key in lost.keys { state.marked[key] = nil }
      if !foreign { for key in state.failed.keys where wanted[key] == nil { state.failed[key] = nil } }
      return lost.values
    }
    for file in gone {
      unmark(file)
      changes.append(.gone(file))
    }
    if !changes.isEmpty { memory?.forgetAll() }
    return changes
  }

  private enum Marking {
    /// New: nothing of ours was on the superblock before.
    case marked(isNew: Bool)
    case hidden
    case failed(String)
  }

  /// Tries the mounts of one superblock in turn: another mount may hide one.
  private func markFirst(of targets: [CoverageTarget]) -> Marking {
    var outcome = Marking.hidden
    for target in targets {
      do throws(Errno) {
        if let isNew = try mark(target) { return .marked(isNew: isNew) }
      } catch {
        outcome = .failed("fanotify_mark \(target.path): \(error)")
      }
    }
    return outcome
  }

  /// Marks through a descriptor of the very mount: the path alone may lead to what was mounted over it. Nil where it
  /// does; otherwise whether the superblock had no mark yet.
  private func mark(_ target: CoverageTarget) throws(Errno) -> Bool? {
    if target.isForeign { state.withLock { $0.current = target } }
    defer { if target.isForeign { state.withLock { $0.current = nil } } }
    let place = try Descriptor.open(target.path, Mounts.pathOnly)
    let status = try FileStatus.of(descriptor: place.rawValue)
    guard status.mount == 0 || status.mount == target.mount else { return nil }
    let group = target.isForeign || !FileSystemKinds.isLocal(target.type) ? guests : group
    let path = "/proc/self/fd/\(place.rawValue)"
    let isNew = !isMarked(path)
    try group.markFileSystem(events, of: path)
    return isNew
  }

  /// By either group: whose mounts show a superblock may have changed.
  private func isMarked(_ path: String) -> Bool {
    [group, guests].contains { (try? $0.marksFileSystem(of: path)) ?? true }
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
      mountPoint: target.mountPoint, isForeign: target.isForeign)
  }
}
