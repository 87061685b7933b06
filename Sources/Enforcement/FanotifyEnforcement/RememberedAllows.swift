// Owns the allows that were handed to the kernel as ignore marks, and their end: when the file or its path changes,
// when trust or policy does, when mounts do.
// It must not judge whether an allow holds for every subject: the reference monitor proves that.

public import AccessModel
public import Fanotify
internal import Synchronization
public import SystemCalls

/// What became of allows that could have been remembered.
public struct RememberedCounts: Sendable, Hashable {
  /// Handed to the kernel.
  public var remembered: UInt64 = 0
  /// Taken back because the file changed.
  public var forgotten: UInt64 = 0
  /// Times when all were taken back at once.
  public var flushed: UInt64 = 0
  /// Not handed over: another than root may change the file, or something changed meanwhile.
  public var refused: UInt64 = 0
  /// Folders that are watched because a remembered file lies below them.
  public var folders = 0
}

/// The kernel's memory of allows for one permission group, and the watch on the files in it. Thread-safe.
///
/// A file is watched first, then ignored, then looked at again, all under the lock that `forgetAll` takes; so a request
/// that was read before `forgetAll` cannot add a mark after it.
public final class RememberedAllows: Sendable, ContentWatch {
  private struct State: ~Copyable {
    var group: PermissionGroup?
    var folders: GuardedFolders?
  }

  /// All that a change of content, rights or name tells, and nothing that reading does.
  static let changes: FileEvents = [.modify, .closeWrite, .attributes, .moved, .deleted]
  static let ignored: PermissionEvents = [.open, .execute]
  /// Nanoseconds. A change time comes from a clock that moves in steps of up to 10 ms: a file that was written again
  /// within one step looks unwritten. What was last changed so long before the request came is past that.
  static let clockStep: Int64 = 50_000_000

  let lasting = LastingFiles()
  /// Nil where the kernel cannot report file handles.
  let files: NotificationGroup?
  private let state: Mutex<State>
  private let memories = Mutex<[any ContentMemory]>([])
  private let generation = Atomic<UInt64>(1)
  private let counters = MemoryCounters()
  private let wakeUp: WakeUp
  /// Polls as an error when the mounts of the initial namespace change.
  private let mounts: Descriptor
  private let clock: ClockWatch
  private let folderDescriptor: Int32
  private let running = Atomic<Bool>(false)
  private let stopping = Atomic<Bool>(false)

  public init() throws(Errno) {
    wakeUp = try WakeUp()
    mounts = try Descriptor.open("/proc/self/mountinfo", 0)
    clock = try ClockWatch()
    var folders = PermissionGroup.canIgnore ? try? GuardedFolders() : nil
    folderDescriptor = folders?.group.descriptor ?? -1
    state = Mutex(State(group: nil, folders: folders.take()))
    files = PermissionGroup.canIgnore ? try? NotificationGroup() : nil
  }

  /// What lies beneath the file systems; forgets when mounts change.
  public var storage: StorageTable { lasting.storage }

  /// Whether this kernel can remember allows at all.
  public var isAvailable: Bool { files != nil && folderDescriptor >= 0 }

  public var counts: RememberedCounts {
    var counts = counters.values
    counts.folders = state.withLock { $0.folders?.count ?? 0 }
    return counts
  }

  /// Tells these, too, when a watched file changes. Before `start`.
  public func inform(_ memory: any ContentMemory) { memories.withLock { $0.append(memory) } }

  /// Allows are remembered in this group from now on; nil: in none. What the group before remembered goes with it.
  public func use(_ group: PermissionGroup?) {
    forgetAll()
    state.withLock { $0.group = group }
  }

  /// To be read when a request is read, before the policy that decides it is.
  public var epoch: UInt64 { generation.load(ordering: .acquiring) }

  /// Takes every remembered allow back; when this returns, every file is asked about again. Call it *after* the new
  /// policy or trust is in force.
  public func forgetAll() { takeBack(withWatches: false) }

  /// The watches go under the same lock as the marks: what is remembered in between would be watched no longer.
  private func takeBack(withWatches: Bool) {
    state.withLock { state in
      generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
      try? state.group?.forgetInodes()
      state.folders?.reset()
      if withWatches { try? files?.stopWatchingAll() }
    }
    counters.add(.flushed)
  }

  /// From now on a change of this open file's content is told to whom `inform` named. False for a file that somebody
  /// else than root can change: a change time can be kept still by who may write the file (stores into a mapping on
  /// tmpfs, exchanged extents on ext4 and xfs).
  public func watch(_ descriptor: Int32) -> Bool {
    guard running.load(ordering: .acquiring), let files, let status = try? FileStatus.of(descriptor: descriptor),
      let system = try? FileSystemStatus.of(descriptor: descriptor), lasting.holds(descriptor, status, system)
    else { return false }
    return (try? files.watch(descriptor, Self.changes, evictable: true)) != nil
  }

  /// Hands an allow to the kernel. `facts` are those that the decision rests on, `received` and `epoch` say when its
  /// request was read. False where that cannot be done safely.
  @discardableResult
  func remember(_ descriptor: Int32, _ facts: Facts, received: UInt64, epoch: UInt64) -> Bool {
    let isDone = handOver(descriptor, facts, received: received, epoch: epoch)
    counters.add(isDone ? .remembered : .refused)
    return isDone
  }

  private func handOver(_ descriptor: Int32, _ facts: Facts, received: UInt64, epoch: UInt64) -> Bool {
    guard running.load(ordering: .acquiring), let files, epoch == self.epoch,
      let status = try? FileStatus.of(descriptor: descriptor), Self.wasStill(status, facts, received),
      let system = try? FileSystemStatus.of(descriptor: descriptor), lasting.holds(descriptor, status, system)
    else { return false }
    let isFull = state.withLock { $0.folders?.isFull ?? true }
    if isFull {
      // Begin anew: what is used often is soon remembered again.
      forgetAll()
      return false
    }
    return state.withLock { state in
      guard epoch == self.epoch, let group = state.group else { return false }
      if facts.present.contains(.objectPath) {
        guard facts.object.pathVerified, isOnlyPlace(facts.object.path),
          state.folders?.guardPath(
            facts.object.path, to: status, rights: facts.present.contains(.objectDirectory)) == true
        else { return false }
      }
      guard (try? files.watch(descriptor, Self.changes, evictable: true)) != nil,
        (try? group.ignore(Self.ignored, descriptor)) != nil
      else { return false }
      if (try? FileStatus.of(descriptor: descriptor)) == status { return true }
      try? group.stopIgnoring(Self.ignored, descriptor)
      return false
    }
  }

  /// The kernel's mark holds for the file under each name and in each mount.
  private func isOnlyPlace(_ path: [UInt8]) -> Bool {
    guard let named = try? FileStatus.of(path: PathBytes(path), followingLinks: false) else { return false }
    return lasting.isOnlyPlace(path, mount: named.mount, links: named.links)
  }

  /// Whether the file was last changed well before the request came, and is what the decision saw.
  private static func wasStill(_ status: FileStatus, _ facts: Facts, _ received: UInt64) -> Bool {
    let waited = Int64(clamping: Clock.monotonic() &- received)
    guard status.changeTime < Clock.realtime() - waited - clockStep else { return false }
    guard facts.present.contains(.objectStatus) else { return true }
    let seen = facts.object
    return seen.identity == FileIdentity(status) && seen.size == status.size && seen.changeTime == status.changeTime
  }
}

// MARK: - What the kernel tells

extension RememberedAllows {
  /// Starts the thread that hears of changes; nothing is remembered before.
  public func start() throws(Errno) -> Thread {
    look()
    forgetAll()
    running.store(true, ordering: .releasing)
    do throws(Errno) { return try Thread.start("lilium-memory") { [self] in run() } } catch {
      running.store(false, ordering: .releasing)
      throw error
    }
  }

  /// Takes everything back and ends the thread.
  public func stop() {
    running.store(false, ordering: .releasing)
    stopping.store(true, ordering: .releasing)
    forgetEverything()
    wakeUp.wake()
  }

  private func run() {
    let inputs =
      [(mounts.rawValue, PollEvents.priority), (clock.descriptor, PollEvents.input)]
      + [wakeUp.descriptor, files?.descriptor ?? -1, folderDescriptor].filter { $0 >= 0 }
      .map { ($0, PollEvents.input) }
    while !stopping.load(ordering: .acquiring) {
      do throws(Errno) {
        let ready = try waitForEvents(inputs, milliseconds: -1)
        wakeUp.clear()
        if ready[0] != 0 { takeMounts() }
        // Set back, it may show a change time anew that was seen with another content.
        if ready[1] != 0, try clock.takeJump() { forgetEverything() }
        while try takeChanges() {}
      } catch {
        // Nobody would hear of changes any more.
        running.store(false, ordering: .releasing)
        forgetEverything()
        return
      }
    }
  }

  private func look() { lasting.replace(with: (try? Mounts.own()) ?? []) }

  /// Paths, owners and device numbers may mean something else now. Afterwards, so that what rests on the old picture is
  /// forgotten too.
  private func takeMounts() {
    look()
    forgetEverything()
  }

  /// True where there may be more.
  private func takeChanges() throws(Errno) -> Bool {
    let folderMoved = try state.withLock { state throws(Errno) in
      try state.folders?.takeChanges() ?? false
    }
    if folderMoved { forgetAll() }
    guard let files else { return false }
    var mount: OpenMount?
    var isLost = false
    let isMore = try files.readEvents { event in
      if !take(event, &mount) { isLost = true }
    }
    if isLost { forgetEverything() }
    return isMore
  }

  /// A folder that stays open for the events of one reading.
  private struct OpenMount: ~Copyable {
    let fileSystem: UInt64
    let descriptor: Descriptor
  }

  /// False where nobody can tell which file changed.
  private func take(_ event: FileEvent, _ mount: inout OpenMount?) -> Bool {
    guard !event.isOverflow, var handle = event.handle else { return false }
    if mount?.fileSystem != event.fileSystem {
      guard let place = lasting.place(of: event.fileSystem) else { return false }
      mount = OpenMount(fileSystem: event.fileSystem, descriptor: place)
    }
    guard let number = mount?.descriptor.rawValue else { return false }
    do throws(Errno) {
      let file = try handle.openPath(mount: number)
      try forget(file)
      return true
    } catch {
      // ESTALE: the file is gone, and its marks with it.
      return error == .stale
    }
  }

  /// Marks go first, then what others keep: whoever begins to keep it anew watches it anew.
  private func forget(_ file: borrowing Descriptor) throws(Errno) {
    let path = "/proc/self/fd/\(file.rawValue)"
    let identity = FileIdentity(try FileStatus.of(descriptor: file.rawValue))
    state.withLock { state in
      if (try? state.group?.stopIgnoring(Self.ignored, at: path)) != nil { counters.add(.forgotten) }
      // What is written again and again is not told of again and again.
      try? files?.stopWatching(at: path, Self.changes)
    }
    for memory in memories.withLock({ $0 }) { memory.forget(identity) }
  }

  private func forgetEverything() {
    takeBack(withWatches: true)
    for memory in memories.withLock({ $0 }) { memory.forget(nil) }
  }
}

/// Counts that any thread adds to.
private final class MemoryCounters: Sendable {
  enum Kind: Int { case remembered, forgotten, flushed, refused }

  private let cells: InlineArray<4, Atomic<UInt64>> = InlineArray { _ in Atomic(0) }

  func add(_ kind: Kind) { cells[kind.rawValue].wrappingAdd(1, ordering: .relaxed) }

  var values: RememberedCounts {
    RememberedCounts(
      remembered: value(.remembered), forgotten: value(.forgotten), flushed: value(.flushed), refused: value(.refused))
  }

  private func value(_ kind: Kind) -> UInt64 { cells[kind.rawValue].load(ordering: .relaxed) }
}
