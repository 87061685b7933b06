// Owns which inodes stand for the paths of the open rules, their marks, and keeping both up to date.
// It must not decide, and it must not run on the answer path but for `names`.

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
}

/// The marks of one group. The folder that holds a protected name is marked for its children too: a file that is moved
/// or created under the name is asked about at its first open, before its inode is known here.
public final class ProtectedFiles: ProtectedNames {
  private let group: PermissionGroup
  private let watch: FolderWatch
  private let files = Mutex<[FileIdentity: [[UInt8]]]>([:])
  private let paths = Mutex<[ProtectedPath]>([])
  private let marksFolders: Bool
  private static let mostFiles = 65536

  /// Without `marksFolders` folders are watched for new names and not marked: a file that comes under a name is not
  /// asked about until `update` has seen it.
  public init(group: PermissionGroup, marksFolders: Bool = true) throws(Errno) {
    self.group = group
    self.marksFolders = marksFolders
    watch = try FolderWatch()
  }

  public func names(of file: FileIdentity) -> [[UInt8]] { files.withLock { $0[file] ?? [] } }

  /// Readable when names have changed; `update` clears it.
  public var changeDescriptor: Int32 { watch.descriptor }
  public var count: Int { files.withLock { $0.count } }

  /// Takes the paths of a new policy.
  public func replace(with paths: [ProtectedPath]) { self.paths.withLock { $0 = paths } }

  /// Looks up all paths again and marks what they name now. A file that lost its protected name keeps a mark, which
  /// costs a question and protects nothing, until it is closed for good. Sentences about what could not be marked.
  public func update() -> [String] {
    watch.clear()
    var resolution = Resolution()
    for path in paths.withLock({ $0 }) { resolution.resolve(path) }
    // Marks first, then names: a marked file without a name here is judged by its own verified path.
    for folder in resolution.folders.sorted() { mark(folder, children: true, &resolution.problems) }
    for file in resolution.files { mark(file.path, children: false, &resolution.problems) }
    files.withLock { table in
      table = [:]
      for file in resolution.files { table[file.identity, default: []].append(file.path.bytes) }
    }
    if resolution.files.count >= Self.mostFiles {
      resolution.problems.append("open rules name more than \(Self.mostFiles) files; narrow them")
    }
    return resolution.problems
  }

  private func mark(_ path: PathBytes, children: Bool, _ problems: inout [String]) {
    do throws(Errno) {
      // The mark first: it must not depend on a watch that the host has no room for.
      if marksFolders || !children { try group.markInode(.open, of: path, children: children) }
      if children { try watch.add(path) }
    } catch {
      // What went away between looking and marking is looked for again at once: the watch tells.
      if error != .noEntry { problems.append("\(path): \(error)") }
    }
  }
}
