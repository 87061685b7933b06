// Owns which superblocks carry Lilium's marks, and keeps that in line with the mounts as they come and go.
// It must not run on the answer path, and must not wait without end for a path: what answers it may be gone.

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

  private let marks: FileSystemMarks
  private let asked: Mutex<(scope: CoverageScope, exclude: [String])>
  private let mounts: MountTable
  private let memory: RememberedAllows?
  private let state = Mutex(State())
  private let places: Errands<String, FileStatus?>
  private let remote: Errands<FileSystemMarks.Change, Result<FileSystemMarks.Outcome, Errno>>

  /// `guests` is the group for file systems behind which another process or host may stand: the kernel opens a file
  /// for each event, and a file system that does not answer then holds the reader, which must be nobody else's. `memory`
  /// is what `group` remembers, and is taken back when marks change.
  public init(
    group: PermissionGroup, guests: PermissionGroup, events: PermissionEvents, scope: CoverageScope, exclude: [String],
    mounts: MountTable, memory: RememberedAllows? = nil
  ) throws(Errno) {
    let marks = FileSystemMarks(group: group, guests: guests, events: events)
    self.marks = marks
    places = try Errands("lilium-places") { Mounts.status(of: $0) }
    remote = try Errands("lilium-marks") { marks.make($0) }
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
      let returned = places.run(paths)
      for path in paths {
        guard let status = returned.outcomes[path] ?? nil, let entry = Mounts.entry(holding: status, in: entries) else {
          throw SystemCallError("stat", path, returned.silent.contains(path) ? .timedOut : .noEntry)
        }
        var target = CoverageTarget(entry, prefix: "")
        target.mountPoint = Array(path.utf8)
        wanted[target.device, default: []].append(target)
      }
    }
    return apply(wanted, foreign: false, among: entries)
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
    return apply(wanted, foreign: true, among: own)
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

  private func apply(
    _ wanted: [UInt64: [CoverageTarget]], foreign: Bool, among entries: [MountEntry]
  ) -> [MarkChange] {
    var changes: [MarkChange] = []
    for (device, targets) in wanted {
      let mark = MarkedFileSystem(targets[0])
      let known = state.withLock { $0.marked[device] }
      switch markFirst(of: targets, among: entries) {
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
      if !file.isForeign { _ = remote.run([.remove(file)]) }
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
  private func markFirst(of targets: [CoverageTarget], among entries: [MountEntry]) -> Marking {
    var outcome = Marking.hidden
    for target in targets {
      do throws(Errno) {
        switch try mark(target, among: entries) {
        case .hidden: break
        case .again: return .marked(isNew: false)
        case .new: return .marked(isNew: true)
        }
      } catch {
        outcome = .failed("fanotify_mark \(target.path): \(error)")
      }
    }
    return outcome
  }

  private func mark(_ target: CoverageTarget, among entries: [MountEntry]) throws(Errno) -> FileSystemMarks.Outcome {
    if target.isForeign {
      state.withLock { $0.current = target }
      defer { state.withLock { $0.current = nil } }
      return try marks.add(target)
    }
    guard Mounts.mayWait(target.mountPoint, in: entries) else { return try marks.add(target) }
    guard let outcome = remote.run([.add(target)]).outcomes[.add(target)] else { throw .timedOut }
    return try outcome.get()
  }
}

extension MarkedFileSystem {
  init(_ target: CoverageTarget) {
    self.init(
      device: DeviceNumber(major: target.major, minor: target.minor), type: target.type,
      mountPoint: target.mountPoint, isForeign: target.isForeign)
  }
}
