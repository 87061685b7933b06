// Owns looking one protected path up and marking what it names, for as long as its group is in use.
// It must not be waited for: a path may lead into a file system that never answers.

internal import AccessModel
internal import Fanotify
internal import Inotify
internal import Synchronization
internal import SystemCalls

/// What one protected path named when it was looked up.
struct NamedFiles: Sendable {
  var files: [(path: PathBytes, identity: FileIdentity)] = []
  var problems: [String] = []
}

final class ProtectedMarks: Sendable {
  /// Nil once it is closed. A thread that comes back after that holds the group no longer than for one mark: with its
  /// last owner the kernel takes the mark away and allows who waits, where nobody reads the group's questions any more.
  private let group: Mutex<PermissionGroup?>
  private let watch: FolderWatch
  private let marksFolders: Bool

  init(_ group: PermissionGroup, _ watch: FolderWatch, marksFolders: Bool) {
    self.group = Mutex(group)
    self.watch = watch
    self.marksFolders = marksFolders
  }

  /// Marks nothing from now on.
  func close() { group.withLock { $0 = nil } }

  func look(at path: ProtectedPath) -> NamedFiles {
    var resolution = Resolution()
    resolution.resolve(path)
    for folder in resolution.folders.sorted() { mark(folder, children: true, &resolution.problems) }
    for file in resolution.files { mark(file.path, children: false, &resolution.problems) }
    return NamedFiles(files: resolution.files, problems: resolution.problems)
  }

  private func mark(_ path: PathBytes, children: Bool, _ problems: inout [String]) {
    guard let group = group.withLock({ $0 }) else { return }
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
