// Owns finding entries in the tables and reading them.
// It must not skip what it cannot read: that is damage.

internal import AccessModel

extension Tables {
  func entry(at path: [UInt8]) throws(TrustStoreError) -> TrustEntry? {
    if PathKey.flaw(path) != nil { return nil }
    let (key, isWhole) = try PathKey.of(path)
    guard let value = try unsafe value(.paths, key) else { return nil }
    guard let (entry, kept) = unsafe EntryFormat.decode(value), kept == (isWhole ? nil : path) else {
      throw unreadable(path)
    }
    return entry
  }

  func wherever(_ hash: ContentHash) throws(TrustStoreError) -> TrustedContent? {
    let key = hash.bytes
    guard let value = try unsafe value(.contents, key) else { return nil }
    return try content(unsafe EntryFormat.decode(value), key)
  }

  /// Looks each pair up by itself, so that `body` may write.
  func forEachPath(from prefix: [UInt8], _ body: ([UInt8], TrustEntry) throws -> Bool) throws {
    // What long paths have in their keys; the rest of a long prefix is compared with the path.
    let head = Array(prefix.prefix(PathKey.head))
    var next = head
    while let (key, value) = try unsafe pair(.paths, atOrAfter: next), key.starts(with: head) {
      guard let (entry, kept) = unsafe EntryFormat.decode(value) else { throw unreadable(key) }
      let path = kept ?? key
      if path.starts(with: prefix), try !body(path, entry) { return }
      next = key + [0]
    }
  }

  func forEachContent(_ body: (TrustedContent) throws -> Bool) throws {
    var next: [UInt8] = []
    while let (key, value) = try unsafe pair(.contents, atOrAfter: next) {
      if try !body(try content(unsafe EntryFormat.decode(value), key)) { return }
      next = key + [0]
    }
  }

  private func content(
    _ decoded: (entry: TrustEntry, path: [UInt8]?)?, _ key: [UInt8]
  ) throws(TrustStoreError) -> TrustedContent {
    guard let (entry, path) = decoded, path == nil, !entry.isDistrusted, let content = entry.contents.first,
      entry.contents.count == 1, content.hash.bytes == key
    else { throw .damaged(path: place, why: "the entry of a content cannot be read") }
    return content
  }

  private func unreadable(_ path: [UInt8]) -> TrustStoreError {
    .damaged(path: place, why: "the entry of \(String(decoding: path.prefix(200), as: UTF8.self)) cannot be read")
  }
}
