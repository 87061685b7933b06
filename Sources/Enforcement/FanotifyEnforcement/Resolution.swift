// Owns turning protected paths into the folders and files that they name now.
// It must not mark anything, and it must not follow a link out of a protected folder.

internal import AccessModel
internal import Glibc
internal import SystemCalls

struct Resolution {
  /// Folders whose names decide what is protected.
  var folders: Set<PathBytes> = []
  var files: [(path: PathBytes, identity: FileIdentity)] = []
  var problems: [String] = []
  static let mostFiles = 65536
  private static let deepest = 64
  private var isRecursive = false
  private var isFull = false

  mutating func resolve(_ path: ProtectedPath) {
    switch path {
    case .file(let file):
      watch(PathBytes(file).folder)
      // Where the name is a link, the folder of what it leads to decides too.
      if let target = Self.target(of: PathBytes(file)) { watch(target.folder) }
      note(PathBytes(file))
    case .children(let folder):
      isRecursive = false
      list(PathBytes(folder), prefix: [], depth: Self.deepest)
    case .prefix(let prefix):
      isRecursive = true
      let start = prefix.utf8.lastIndex(of: 0x2f).map { prefix.utf8.index(after: $0) } ?? prefix.utf8.startIndex
      list(PathBytes(prefix + "x").folder, prefix: Array(prefix.utf8[start...]), depth: 0)
    }
  }

  /// A folder that is not there yet is awaited in the nearest one that is.
  private mutating func watch(_ folder: PathBytes) {
    var folder = folder
    while (try? FileStatus.of(path: folder))?.isDirectory != true {
      if folder == PathBytes("/") { return }
      folder = folder.folder
    }
    folders.insert(folder)
  }

  private mutating func note(_ path: PathBytes) {
    guard let status = try? FileStatus.of(path: path), status.isRegular else { return }
    if files.count == Self.mostFiles {
      if !isFull { problems.append("\(path): beyond \(Self.mostFiles) files, not protected; narrow the rule") }
      isFull = true
      return
    }
    let device = DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor)
    files.append((path, FileIdentity(device: device, inode: status.inode)))
  }

  /// The files in a folder whose names begin with `prefix`, and all that lies in folders whose names do.
  private mutating func list(_ folder: PathBytes, prefix: [UInt8], depth: Int) {
    watch(folder)
    for name in Self.names(in: folder) where name.starts(with: prefix) {
      let path = folder.appending(name)
      guard let status = try? FileStatus.of(path: path, followingLinks: false) else { continue }
      if status.isDirectory {
        if depth < Self.deepest { list(path, prefix: [], depth: depth + 1) } else if prefix.isEmpty { noteDepth(path) }
      } else if status.isRegular {
        note(path)
      }
    }
  }

  private mutating func noteDepth(_ path: PathBytes) {
    // `children` names what is directly in a folder: folders in it are not its business.
    if isRecursive { problems.append("\(path): deeper than \(Self.deepest) folders, not protected; narrow the rule") }
  }

  /// realpath(3); nil where the path names nothing.
  private static func target(of path: PathBytes) -> PathBytes? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard unsafe path.withPointer({ unsafe realpath($0, &buffer) }) != nil else { return nil }
    return PathBytes(buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)))
  }

  private static func names(in folder: PathBytes) -> [[UInt8]] {
    guard let stream = unsafe folder.withPointer({ unsafe opendir($0) }) else { return [] }
    defer { unsafe _ = closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in unsafe bytes.prefix { $0 != 0 }.map { $0 }
      }
      if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
    }
    return names
  }
}
