// Owns where a listed path lies: links among its folders followed, inside one root, each folder asked for once.
// It must not follow the last name, and must never lead out of the root, whatever the links say.

internal import SystemCalls

/// Canonical paths below a root (path_resolution(7), as openat2(2) with RESOLVE_IN_ROOT does it). It remembers folders
/// for as long as it lives, so one is made for each reading. Not thread-safe.
public final class FolderResolver {
  /// The root's own canonical path without a final slash: empty for `/`.
  public let root: [UInt8]
  private var places: [PathKey: [UInt8]] = [PathKey([]): []]
  private var names: [PathKey: Name] = [:]
  /// The folder that was asked for last: the next path is often in the same one.
  private var last: (folder: [UInt8], place: [UInt8]) = ([], [])
  private var buffer = [UInt8](repeating: 0, count: PathText.longestPath + 1)
  private static let mostLinks = 40

  private enum Name {
    /// A folder, or anything else that is no link, or nothing.
    case plain
    case link([UInt8])
  }

  /// The root must exist.
  public init(root: String) throws(TrustSourceError) {
    let whole = try canonicalFolder(Array(root.utf8))
    self.root = whole.elementsEqual([0x2f]) ? [] : whole
  }

  /// Where an absolute path of the root lies on the host: the root's path is in front of it. Nil where the links run in
  /// a circle or the path becomes too long. Folders that are not there stay as they are.
  public func place(of path: [UInt8]) -> [UInt8]? {
    guard let slash = path.lastIndex(of: 0x2f) else { return nil }
    if slash != last.folder.count || !last.folder.elementsEqual(path[..<slash]) {
      let listed = Array(path[..<slash])
      guard let place = folder(listed) else { return nil }
      last = (listed, place)
    }
    let folder = last.place
    // Most paths are canonical already: then the bytes are shared, not copied.
    if root.isEmpty, folder.count == slash, folder.elementsEqual(path[..<slash]) { return path }
    let place = root + folder + path[slash...]
    return place.count <= PathText.longestPath ? place : nil
  }

  /// Whether a path below the root was come through on the way to another: then it is a folder, or nothing at all.
  func isKnownFolder(_ path: [UInt8]) -> Bool { places[PathKey(path)] != nil }

  /// The canonical path of a folder, below the root; empty for the root itself.
  private func folder(_ path: [UInt8]) -> [UInt8]? {
    let key = PathKey(path)
    if let known = places[key] { return known }
    guard let found = walk(path) else { return nil }
    places[key] = found
    return found
  }

  private func walk(_ path: [UInt8]) -> [UInt8]? {
    var pending = Array(path.split(separator: 0x2f).reversed())
    var done: [UInt8] = []
    var links = 0
    while let part = pending.popLast() {
      if part.elementsEqual([0x2e]) { continue }
      if part.elementsEqual([0x2e, 0x2e]) {
        // Above the root is the root.
        done.removeLast(done.count - (done.lastIndex(of: 0x2f) ?? 0))
        continue
      }
      let next = done + [0x2f] + part
      guard root.count + next.count <= PathText.longestPath else { return nil }
      switch name(next) {
      case .plain: done = next
      case .link(let target):
        links += 1
        guard links <= Self.mostLinks else { return nil }
        if target.first == 0x2f { done = [] }
        pending.append(contentsOf: target.split(separator: 0x2f).reversed())
      }
    }
    return done
  }

  private func name(_ path: [UInt8]) -> Name {
    let key = PathKey(path)
    if let known = names[key] { return known }
    let found = readName(path)
    names[key] = found
    return found
  }

  private func readName(_ path: [UInt8]) -> Name {
    do throws(Errno) {
      let count = try PathBytes(root + path).withPointer { pointer throws(Errno) in
        var failed: Errno?
        let count = buffer.withUnsafeMutableBytes { space in
          do throws(Errno) { return try readLink(pointer, into: space) } catch {
            failed = error
            return 0
          }
        }
        if let failed { throw failed }
        return count
      }
      return count > 0 ? .link(Array(buffer[..<count])) : .plain
    } catch { return .plain }
  }
}

/// realpath(3) of a folder that is there.
func canonicalFolder(_ path: [UInt8]) throws(TrustSourceError) -> [UInt8] {
  do throws(Errno) { return try canonicalPath(PathBytes(path)).bytes } catch {
    throw TrustSourceError("realpath", path, error)
  }
}
