// Owns which inodes stand for the paths of the open rules, and keeping that and their marks up to date.
// It must not decide, must not run on the answer path but for `names`, and must not wait for a path without end.

public import AccessModel
public import Fanotify
internal import Inotify
internal import Synchronization
public import SystemCalls

/// A set of files that an open rule names.
public enum ProtectedPath: Sendable, Hashable {
  case file(String)
  /// Everything directly in a folder.
  case children(String)
  /// Every path that begins so.
  case prefix(String)

  var text: String {
    switch self {
    case .file(let text), .children(let text), .prefix(let text): text
    }
  }
}

/// The marks of one group. The folder that holds a protected name is marked for its children too: a file that is moved
/// or created under the name is asked about at its first open, before its inode is known here.
public final class ProtectedFiles: ProtectedNames {
  private struct State {
    var paths: [ProtectedPath] = []
    /// What each path named when it answered last.
    var named: [ProtectedPath: NamedFiles] = [:]
    var unanswered = 0
  }

  private let watch: FolderWatch
  private let looks: Errands<ProtectedPath, NamedFiles>
  private let stopMarking: @Sendable () -> Void
  private let files = Mutex<[FileIdentity: [[UInt8]]]>([:])
  private let state = Mutex(State())

  /// Without `marksFolders` folders are watched for new names and not marked: a file that comes under a name is not
  /// asked about until `update` has seen it.
  public convenience init(group: PermissionGroup, marksFolders: Bool = true) throws(Errno) {
    let watch = try FolderWatch()
    let marks = ProtectedMarks(group, watch, marksFolders: marksFolders)
    try self.init(watch, stopMarking: { marks.close() }, look: { marks.look(at: $0) })
  }

  init(
    _ watch: FolderWatch, patience: UInt64 = 2_000_000_000, stopMarking: @escaping @Sendable () -> Void = {},
    look: @escaping @Sendable (ProtectedPath) -> NamedFiles
  ) throws(Errno) {
    self.watch = watch
    self.stopMarking = stopMarking
    looks = try Errands("lilium-paths", patience: patience, work: look)
  }

  public func names(of file: FileIdentity) -> [[UInt8]] { files.withLock { $0[file] ?? [] } }

  /// Readable when names have changed; `update` clears it.
  public var changeDescriptor: Int32 { watch.descriptor }
  public var count: Int { files.withLock { $0.count } }
  /// Paths that had not answered when the last update ended.
  public var unanswered: Int { state.withLock { $0.unanswered } }

  /// Takes the paths of a new policy.
  public func replace(with paths: [ProtectedPath]) {
    var known: Set<ProtectedPath> = []
    let once = paths.filter { known.insert($0).inserted }
    state.withLock { $0.paths = once }
  }

  /// Sets no mark from now on. Before the group's questions are no longer read: whoever opens a file that is marked
  /// after that waits for ever.
  public func close() { stopMarking() }

  /// Looks up all paths again and marks what they name now. A file that lost its protected name keeps a mark, which
  /// costs a question and protects nothing, until it is closed for good. Sentences about what could not be marked.
  /// Takes two seconds at most: a path that has not answered by then is left to its thread, keeps what it named before,
  /// and is looked up again by the first update after it has answered.
  public func update() -> [String] {
    watch.clear()
    // Marks first, then names: a marked file without a name here is judged by its own verified path.
    let returned = looks.run(pathsInTurn())
    let (named, paths) = state.withLock { state in
      state.named.merge(returned.outcomes) { $1 }
      state.named = state.named.filter { state.paths.contains($0.key) }
      state.unanswered = returned.silent.count
      return (state.named, state.paths)
    }
    name(paths.compactMap { named[$0] })
    return paths.flatMap { path in
      (returned.silent.contains(path) ? [Self.silence(of: path, isKnown: named[path] != nil)] : [])
        + (named[path]?.problems ?? [])
    }
  }

  /// Those first that have answered before: where too many do not, the others must not suffer.
  private func pathsInTurn() -> [ProtectedPath] {
    state.withLock { state in
      let known = state.paths.filter { state.named[$0] != nil }
      return known + state.paths.filter { state.named[$0] == nil }
    }
  }

  private func name(_ all: [NamedFiles]) {
    var table: [FileIdentity: [[UInt8]]] = [:]
    for file in all.lazy.flatMap(\.files) where table[file.identity]?.contains(file.path.bytes) != true {
      table[file.identity, default: []].append(file.path.bytes)
    }
    files.withLock { $0 = table }
  }

  private static func silence(of path: ProtectedPath, isKnown: Bool) -> String {
    let rest = isKnown ? "what it named before stays protected, and nothing new is" : "not protected"
    return "\(path.text): its file system does not answer; \(rest) until it does"
  }
}
