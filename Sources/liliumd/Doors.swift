// Owns the doors that are open for business: the listener and the marks of each mechanism that is on.
// It must not decide or load a policy; it is changed by one thread at a time, under the daemon's lock.

import AccessModel
import AuditResponse
import Configuration
import ControlProtocol
import DecisionRecord
import Fanotify
import FanotifyEnforcement
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import Synchronization
import SystemCalls
import TrailSinks

typealias Monitor = ReferenceMonitor<Trail>

/// Why a mechanism cannot be switched on here.
struct DoorError: Error, CustomStringConvertible {
  let mechanism: Mechanism
  let reason: String
  var description: String { "\(mechanism.name) cannot be switched on: \(reason)" }
}

final class Doors: Sendable {
  struct Exec: Sendable {
    let listener: PermissionListener<Monitor>
    /// For file systems behind which another process or host may stand.
    let guests: PermissionListener<Monitor>
    let coverage: FileSystemCoverage
    let foreign: ForeignScanner
  }

  struct Open: Sendable {
    let listener: PermissionListener<Monitor>
    let files: ProtectedFiles
  }

  private let monitor: Monitor
  private let trail: Trail
  private let information: InformationFactory
  /// Nil where this kernel cannot remember allows.
  private let memory: RememberedAllows?
  /// Processes that read files to vouch for them.
  let unasked = UnaskedReaders()
  /// The daemon that takes over, or that is taken over from: it reads what it protects.
  let relatives = UnaskedReaders()
  private let exec = Mutex<Exec?>(nil)
  private let open = Mutex<Open?>(nil)
  private let reported = Mutex<Set<String>>([])
  let calls: CallDoors
  private let watcher = Mutex<(thread: Thread, watch: CoverageThread)?>(nil)

  init(
    monitor: Monitor, trail: Trail, information: InformationFactory, stateFolder: String, predecessor: Predecessor?
  ) {
    self.monitor = monitor
    calls = CallDoors(
      monitor: monitor, trail: trail, processes: information.processes, stateFolder: stateFolder,
      shared: predecessor != nil, inherited: predecessor?.takeCalls())
    self.trail = trail
    self.information = information
    memory = information.memory
    guard let offer = predecessor?.offer else { return }
    calls.kinship.begin(offer.pid)
    _ = relatives.admit(pid: offer.pid)
    for reader in offer.state.readers { _ = unasked.admit(pid: reader) }
  }

  var execDoor: Exec? { exec.withLock { $0 } }
  var openDoor: Open? { open.withLock { $0 } }
  var listeners: [PermissionListener<Monitor>] {
    [execDoor?.listener, execDoor?.guests, openDoor?.listener].compactMap { $0 }
  }

  /// Opens what the settings want open and closes the rest. Where something cannot be opened, what was changed before
  /// stays changed: the caller goes back to the policy that it came from.
  func change(to policy: Policy, _ configuration: Configuration) throws(DoorError) {
    let settings = policy.settings
    let listening = ListenerSettings(configuration)
    if settings[.exec].mode != .off { try changeExec(listening, configuration.coverage) }
    if settings[.open].mode != .off { try changeOpen(listening, policy.openAnchors) }
    try calls.change(to: policy, configuration)
    for listener in listeners { listener.group.auditsDenials = configuration.log.sinks.contains(.audit) }
    memory?.use(configuration.trust.remembersAllows ? execDoor?.listener.group : nil)
    if settings[.exec].mode == .off { closeExec() }
    if settings[.open].mode == .off { closeOpen() }
    try rewatch()
  }

  private func changeExec(_ settings: ListenerSettings, _ coverage: CoverageSettings) throws(DoorError) {
    let scope = CoverageScope(coverage.fileSystems)
    if let door = execDoor {
      door.coverage.replace(scope: scope, exclude: coverage.exclude)
      return try cover(door.coverage)
    }
    let group = try makeGroup(.exec)
    let guestGroup = try makeGroup(.exec)
    let marks: FileSystemCoverage
    do throws(Errno) {
      marks = try FileSystemCoverage(
        group: group, guests: guestGroup, events: [.open, .execute], scope: scope, exclude: coverage.exclude,
        mounts: information.mounts, memory: memory)
    } catch {
      throw DoorError(mechanism: .exec, reason: "eventfd: \(error)")
    }
    let door = Exec(
      listener: try listener(.exec, group, settings, memory), guests: try listener(.exec, guestGroup, settings),
      coverage: marks, foreign: ForeignScanner(marks) { [self] changes in report(changes) })
    try start(door.listener)
    do throws(DoorError) {
      try start(door.guests)
      try cover(marks)
    } catch {
      _ = door.listener.stop(nanoseconds: 2_000_000_000)
      _ = door.guests.stop(nanoseconds: 2_000_000_000)
      throw error
    }
    door.foreign.scan()
    exec.withLock { $0 = door }
  }

  /// Marks now, before anybody is told that the door is guarded.
  private func cover(_ coverage: FileSystemCoverage) throws(DoorError) {
    do throws(SystemCallError) { report(try coverage.update()) } catch {
      throw DoorError(mechanism: .exec, reason: "coverage.filesystems: \(error)")
    }
    if coverage.marked.isEmpty {
      let why = coverage.failures.first ?? "no file system to mark; see coverage.filesystems and coverage.exclude"
      throw DoorError(mechanism: .exec, reason: why)
    }
  }

  private func changeOpen(_ settings: ListenerSettings, _ anchors: [PathAnchor]) throws(DoorError) {
    let paths = anchors.map(ProtectedPath.init)
    if let door = openDoor {
      door.files.replace(with: paths)
      return report(door.files.update())
    }
    let group = try makeGroup(.open)
    let files: ProtectedFiles
    do throws(Errno) { files = try ProtectedFiles(group: group) } catch {
      throw DoorError(mechanism: .open, reason: "inotify: \(error)")
    }
    information.protect(with: files)
    let door = Open(listener: try listener(.open, group, settings), files: files)
    try start(door.listener)
    files.replace(with: paths)
    report(files.update())
    open.withLock { $0 = door }
  }

  private func makeGroup(_ mechanism: Mechanism) throws(DoorError) -> PermissionGroup {
    do throws(Errno) { return try PermissionGroup() } catch {
      throw DoorError(
        mechanism: mechanism, reason: "fanotify_init: \(error); run liliumctl doctor to see what this kernel offers")
    }
  }

  private func listener(
    _ mechanism: Mechanism, _ group: PermissionGroup, _ settings: ListenerSettings, _ memory: RememberedAllows? = nil
  ) throws(DoorError) -> PermissionListener<Monitor> {
    do throws(Errno) {
      return try PermissionListener(
        mechanism: mechanism, group: group, handler: monitor, settings: settings, memory: memory,
        unasked: mechanism == .exec ? unasked : relatives)
    } catch {
      throw DoorError(mechanism: mechanism, reason: "eventfd: \(error)")
    }
  }

  private func start(_ listener: PermissionListener<Monitor>) throws(DoorError) {
    do throws(Errno) { try listener.start() } catch {
      throw DoorError(mechanism: listener.mechanism, reason: "a thread cannot be started: \(error)")
    }
  }

  private func closeExec() {
    guard let door = execDoor else { return }
    exec.withLock { $0 = nil }
    _ = door.listener.stop(nanoseconds: Self.patience)
    _ = door.guests.stop(nanoseconds: Self.patience)
    report(door.coverage.marked.map { .gone($0) })
  }

  private func closeOpen() {
    guard let door = openDoor else { return }
    open.withLock { $0 = nil }
    door.files.close()
    _ = door.listener.stop(nanoseconds: Self.patience)
  }

  /// How long a listener may take to decide what is queued; what is late by then the deadline has answered.
  private static let patience: UInt64 = 5_000_000_000

  /// Takes all marks away and answers what waits. True where every thread ended. To leave them to another daemon,
  /// calls come first: until then both record them.
  func closeAll(leaving: Bool = false) -> Bool {
    stopWatching()
    let first = leaving ? calls.close() : true
    let ended = listeners.map { $0.stop(nanoseconds: Self.patience) }
    return first && calls.close() && !ended.contains(false)
  }
}

// MARK: - Keeping marks up to date

extension Doors {
  /// One thread looks after all marks; it is started anew when a door opens or closes.
  private func rewatch() throws(DoorError) {
    stopWatching()
    let doors = (execDoor, openDoor)
    let witnessed = calls.door?.witnessed
    if doors.0 == nil, doors.1 == nil, witnessed == nil { return }
    do throws(Errno) {
      let watched = [doors.1?.files.changeDescriptor, witnessed?.changeDescriptor].compactMap { $0 }
      let watch = try CoverageThread(watched: watched) { [self] everything in
        if let changes = try? doors.0?.coverage.update() { report(changes) }
        if everything { doors.0?.foreign.scan() }
        if let files = doors.1?.files { report(files.update()) }
        _ = witnessed?.update()
      }
      let thread = try watch.start()
      watcher.withLock { $0 = (thread, watch) }
    } catch {
      throw DoorError(mechanism: .exec, reason: "the coverage thread cannot be started: \(error)")
    }
  }

  private func stopWatching() {
    let running = watcher.withLock { running in
      defer { running = nil }
      return running
    }
    running?.watch.stop()
    running?.thread.join()
  }

  private func report(_ changes: [MarkChange]) {
    for change in changes { trail.append(.coverageChanged(CoverageChange(change))) }
  }

  /// A sentence is reported once for as long as it stays true: names are looked up again every two seconds.
  private func report(_ problems: [String]) {
    let news = reported.withLock { reported in
      defer { reported = Set(problems) }
      return problems.filter { !reported.contains($0) }
    }
    for problem in news {
      trail.append(
        .coverageChanged(
          CoverageChange(
            state: .failed, device: DeviceNumber(), fileSystemType: [], mountPoint: [], why: "open rules: \(problem)")))
    }
  }
}

extension ListenerSettings {
  init(_ configuration: Configuration) {
    self.init(
      threads: min(max(2, ProcessSetup.processorCount + 1), 16),
      deadline: UInt64(configuration.answerDeadlineMilliseconds) * 1_000_000)
  }
}

extension CoverageScope {
  init(_ fileSystems: CoverageSettings.FileSystems) {
    switch fileSystems {
    case .local: self = .local
    case .holding(let paths): self = .paths(paths)
    }
  }
}

extension ProtectedPath {
  init(_ anchor: PathAnchor) {
    let path = String(decoding: anchor.path, as: UTF8.self)
    switch anchor.kind {
    case .exact: self = .file(path)
    case .children: self = .children(path)
    case .prefix: self = .prefix(path)
    }
  }
}

extension CoverageChange {
  init(_ change: MarkChange) {
    switch change {
    case .marked(let file): self.init(.marked, file)
    case .gone(let file): self.init(.unmarked, file)
    case .failed(let file, let why): self.init(.failed, file, why)
    }
  }

  private init(_ state: State, _ file: MarkedFileSystem, _ why: String? = nil) {
    self.init(state: state, device: file.device, fileSystemType: file.type, mountPoint: file.mountPoint, why: why)
  }
}
