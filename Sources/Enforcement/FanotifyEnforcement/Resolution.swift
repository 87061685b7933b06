// Owns turning protected paths into the folders and files that they name now.
// It must not mark anything, and it must not follow a link out of a protected folder.

internal import AccessModel
internal import Glibc
internal import SystemCalls

struct Resolution {
  /// Folders whose names decide what is protected.
  var folders: Set<String> = []
  var files: [(path: String, identity: FileIdentity)] = []
  var problems: [String] = []
  private static let mostFiles = 65536
  private static let deepest = 64

  mutating func resolve(_ path: ProtectedPath) {
    switch path {
    case .file(let file):
      watch(folderOf(file))
      note(file)
    case .children(let folder): list(folder, prefix: "", depth: Self.deepest)
    case .prefix(let prefix):
      let folder = folderOf(prefix + "x")
      let name = String(prefix.utf8.suffix(prefix.utf8.count - min(prefix.utf8.count, folder.utf8.count + (folder == "/" ? 0 : 1))))
      list(folder, prefix: name ?? "", depth: 0)
    }
  }

  /// The folder part of an absolute path.
  private func folderOf(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: 0x2f), slash != path.utf8.startIndex else { return "/" }
    return String(path[..<slash])
  }

  /// A folder that is not there yet is awaited in the nearest one that is.
  private mutating func watch(_ folder: String) {
    var folder = folder
    while (try? unsafe FileStatus.of(path: folder))?.isDirectory != true {
      if folder == "/" { return }
      folder = folderOf(folder)
    }
    folders.insert(folder)
  }

  private mutating func note(_ path: String) {
    guard files.count < Self.mostFiles,
      let status = try? unsafe FileStatus.of(path: path), status.isRegular else { return }
    let device = DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor)
    files.append((path, FileIdentity(device: device, inode: status.inode)))
  }

  /// The files in a folder whose names begin with `prefix`, and all that lies in folders whose names do.
  private mutating func list(_ folder: String, prefix: String, depth: Int) {
    watch(folder)
    guard let stream = unsafe opendir(folder) else { return }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in unsafe name.prefix { $0 != 0 }.map { $0 } }
      names.append(String(decoding: bytes, as: UTF8.self))
    }
    unsafe closedir(stream)
    for name in names where name != "." && name != ".." && name.utf8.starts(with: prefix.utf8) {
      let path = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
      guard let status = try? unsafe FileStatus.of(path: path, followingLinks: false) else { continue }
      if status.isDirectory, depth < Self.deepest {
        list(path, prefix: "", depth: depth + 1)
      } else if status.isRegular {
        note(path)
      }
    }
  }
}
