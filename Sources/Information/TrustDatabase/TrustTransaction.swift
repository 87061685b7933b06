// Owns changing a generation of the trust database that is not in force yet.
// It must not make it current: the store does.

public import AccessModel

/// What `TrustStore.update` hands out. For the thread and the time of that call; afterwards every use fails.
public final class TrustTransaction {
  private let tables: Tables

  init(_ tables: Tables) { self.tables = tables }

  public func entry(at path: [UInt8]) throws(TrustStoreError) -> TrustEntry? { try tables.entry(at: path) }
  public func wherever(_ hash: ContentHash) throws(TrustStoreError) -> TrustedContent? { try tables.wherever(hash) }

  /// As `TrustSnapshot.forEachPath`; `body` may change what it likes, and sees later paths as it left them.
  public func forEachPath(from prefix: [UInt8] = [], _ body: ([UInt8], TrustEntry) throws -> Bool) throws {
    try tables.forEachPath(from: prefix, body)
  }

  public func forEachContent(_ body: (TrustedContent) throws -> Bool) throws { try tables.forEachContent(body) }

  /// Stores an entry in the place of the one before; an empty one removes it. `.unusable` for a path that no file has
  /// and for an entry beyond the limits.
  public func set(_ entry: TrustEntry, at path: [UInt8]) throws(TrustStoreError) {
    if entry.isEmpty {
      try remove(path)
      return
    }
    if let why = PathKey.flaw(path) ?? EntryFormat.flaw(entry) {
      throw .unusable(path: String(decoding: path.prefix(200), as: UTF8.self), why: why)
    }
    let (key, isWhole) = try PathKey.of(path)
    try tables.put(.paths, key, EntryFormat.encode(entry, path: isWhole ? nil : path))
  }

  /// Whether something was known of the path.
  @discardableResult
  public func remove(_ path: [UInt8]) throws(TrustStoreError) -> Bool {
    if PathKey.flaw(path) != nil { return false }
    return try tables.remove(.paths, try PathKey.of(path).key)
  }

  /// Trusts a content wherever it lies.
  public func setWherever(_ content: TrustedContent) throws(TrustStoreError) {
    let entry = TrustEntry(contents: [content])
    if let why = EntryFormat.flaw(entry) {
      throw .unusable(path: String(decoding: content.hash.hexadecimal, as: UTF8.self), why: why)
    }
    try tables.put(.contents, content.hash.bytes, EntryFormat.encode(entry))
  }

  /// Whether it was trusted wherever it lies.
  @discardableResult
  public func removeWherever(_ hash: ContentHash) throws(TrustStoreError) -> Bool {
    try tables.remove(.contents, hash.bytes)
  }
}
