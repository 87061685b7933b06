// Owns the names in a folder, and the regular files below one.
// It must not follow links, nor open a file.

internal import Glibc
internal import SystemCalls

enum FolderWalk {
  /// Without `.` and `..`, in no order (readdir(3)); none where the folder cannot be read.
  static func names(in folder: PathBytes) -> [[UInt8]] {
    guard let stream = folder.withPointer({ opendir($0) }) else { return [] }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if !name.elementsEqual([0x2e]), !name.elementsEqual([0x2e, 0x2e]) { names.append(name) }
    }
    return names
  }

  /// The regular files at or below a path, sorted; other file systems are entered, links are not.
  static func files(below path: [UInt8]) -> [[UInt8]] {
    var files: [[UInt8]] = []
    var folders = [path]
    while let folder = folders.popLast() {
      guard let status = try? FileStatus.of(path: PathBytes(folder), followingLinks: false) else { continue }
      if status.isRegular { files.append(folder) }
      guard status.isDirectory else { continue }
      folders += names(in: PathBytes(folder)).map { PathBytes(folder).appending($0).bytes }
    }
    return files.sorted { $0.lexicographicallyPrecedes($1) }
  }
}
