// Owns the text that names the current generation of the trust database: its form and its strict reading.
// It must not read or write files.

public import AccessModel

/// What `current` says: one word and one value a line, each once and in this order, the last one a SHA-256 over the
/// bytes before it.
public struct TrustManifest: Sendable, Hashable {
  public var schema: Int
  /// Grows with each commit; a rebuilt store goes on counting.
  public var generation: UInt64
  /// The name of the generation's file in the store's folder.
  public var file: String
  /// Of the file.
  public var byteCount: UInt64
  /// SHA-256 of the whole file.
  public var hash: ContentHash
  /// Paths that something is known of.
  public var paths: Int
  /// Contents that are trusted wherever they lie.
  public var contents: Int
  /// When the generation was written: seconds since the epoch.
  public var written: Int64

  public static let currentSchema = 1
  /// No manifest is longer.
  public static let largest = 4096
  /// A generation's file is never larger: 4 GiB.
  public static let largestFile: UInt64 = 1 << 32
  static let largestGeneration: UInt64 = 1 << 62

  init(
    generation: UInt64, byteCount: UInt64, hash: ContentHash, paths: Int, contents: Int, written: Int64
  ) {
    schema = Self.currentSchema
    self.generation = generation
    file = Self.fileName(generation)
    self.byteCount = byteCount
    self.hash = hash
    self.paths = paths
    self.contents = contents
    self.written = written
  }

  static func fileName(_ generation: UInt64) -> String { "generation-\(generation).mdb" }

  /// The file's text.
  public func text() throws(TrustStoreError) -> [UInt8] {
    let lines = """
      lilium-trust \(schema)
      generation \(generation)
      file \(file)
      bytes \(byteCount)
      sha256 \(String(decoding: hash.hexadecimal, as: UTF8.self))
      paths \(paths)
      contents \(contents)
      written \(written)

      """
    let check = try Checksum.of(Array(lines.utf8))
    return Array("\(lines)check \(String(decoding: check.hexadecimal, as: UTF8.self))\n".utf8)
  }
}
