// Owns the key under which a path is found in the store: LMDB's keys end at 511 bytes, paths at 4,095.
// It must not interpret the path.

internal import AccessModel

enum PathKey {
  /// A path this long or shorter is its own key.
  static let longestPlain = 440
  /// So much of a longer one stands in its key.
  static let head = 400

  /// The key, and whether the entry has to keep the path. A long path's key is its head, a zero byte, which no path
  /// has, and its SHA-256.
  static func of(_ path: [UInt8]) throws(TrustStoreError) -> (key: [UInt8], isWhole: Bool) {
    if path.count <= longestPlain { return (path, true) }
    return (path[..<head] + [0] + (try Checksum.of(path)).bytes, false)
  }

  /// What is wrong with a path that is to be stored.
  static func flaw(_ path: [UInt8]) -> String? {
    if path.first != 0x2f { return "no entry can be kept of a path that does not begin at the root" }
    if path.count > EntryFormat.largestPath { return "no file has a path longer than \(EntryFormat.largestPath) bytes" }
    return path.contains(0) ? "no file's path has a zero byte" : nil
  }
}
