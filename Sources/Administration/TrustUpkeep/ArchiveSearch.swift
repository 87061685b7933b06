// Owns finding the archives of a folder as dpkg --recursive finds them.
// It must end whatever the links in the folder say, and must not open an archive.

internal import SystemCalls

struct ArchiveSearch {
  private struct Folder: Hashable {
    let major: UInt32
    let minor: UInt32
    let inode: UInt64
  }

  private var archives: [String] = []
  /// A folder that several links lead to brings nothing new the second time.
  private var seen: Set<Folder> = []
  private var looks = 0
  static let mostDepth = 32
  static let mostLooks = 100_000

  /// Every `*.deb` at or below a path, links followed (apt makes a folder of links). What lies deeper than `mostDepth`
  /// folders or behind the first `mostLooks` names is left out, and so not accepted.
  static func archives(below path: String) -> [String] {
    var search = ArchiveSearch()
    search.look(path, depth: 0)
    return search.archives
  }

  private mutating func look(_ path: String, depth: Int) {
    looks += 1
    guard looks <= Self.mostLooks, let status = try? FileStatus.of(path: PathBytes(path)) else { return }
    if status.isRegular, depth == 0 || path.hasSuffix(".deb") { archives.append(path) }
    guard status.isDirectory, depth < Self.mostDepth else { return }
    let folder = Folder(major: status.deviceMajor, minor: status.deviceMinor, inode: status.inode)
    guard seen.insert(folder).inserted else { return }
    for name in FolderWalk.names(in: PathBytes(path)).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      look(path + "/" + String(decoding: name, as: UTF8.self), depth: depth + 1)
    }
  }
}
