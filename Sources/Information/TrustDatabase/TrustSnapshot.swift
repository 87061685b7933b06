// Owns reading one generation of the trust database, which nobody can change any more.
// It must not touch the store's folder: it reads a private copy.

public import AccessModel

/// A private copy of a generation, verified. For one thread at a time.
public final class TrustSnapshot {
  public let manifest: TrustManifest
  let tables: Tables

  init(_ manifest: TrustManifest, _ tables: Tables) {
    self.manifest = manifest
    self.tables = tables
  }

  /// What is known of a path; nil where nothing is.
  public func entry(at path: [UInt8]) throws(TrustStoreError) -> TrustEntry? { try tables.entry(at: path) }

  /// The content, where it is trusted wherever it lies.
  public func wherever(_ hash: ContentHash) throws(TrustStoreError) -> TrustedContent? { try tables.wherever(hash) }

  /// Every path that begins with these bytes, in an order that does not change, until `body` gives false.
  public func forEachPath(from prefix: [UInt8] = [], _ body: ([UInt8], TrustEntry) throws -> Bool) throws {
    try tables.forEachPath(from: prefix, body)
  }

  /// Every content that is trusted wherever it lies, until `body` gives false.
  public func forEachContent(_ body: (TrustedContent) throws -> Bool) throws { try tables.forEachContent(body) }
}
