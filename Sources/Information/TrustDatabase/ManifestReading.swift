// Owns the strict reading of a manifest: what it accepts, `TrustManifest.text` would write again, byte by byte.
// It must not trust any byte, and never traps.

internal import AccessModel

extension TrustManifest {
  /// From the bytes of the file `path`, which only the errors name.
  public init(parsing bytes: [UInt8], path: String) throws(TrustStoreError) {
    guard bytes.count <= Self.largest else { throw .damaged(path: path, why: "the manifest is too long") }
    // Everything up to the last line, which is of one length whatever the schema.
    let checkLength = 6 + 2 * ContentHash.byteCount + 1
    guard bytes.count > checkLength else { throw .damaged(path: path, why: "the manifest is cut short") }
    let body = bytes.dropLast(checkLength)
    let check = bytes.suffix(checkLength)
    guard check.starts(with: "check ".utf8), check.last == 0x0a,
      let said = ContentHash(hexadecimal: check.dropFirst(6).dropLast()), said == (try Checksum.of(Array(body)))
    else { throw .damaged(path: path, why: "the manifest does not have its checksum") }
    var fields = Fields(rest: body)
    guard let schema = fields.number("lilium-trust"), schema <= 1 << 20 else {
      throw .damaged(path: path, why: "the manifest is none")
    }
    guard schema == Self.currentSchema else { throw .unsupportedSchema(path: path, schema: Int(schema)) }
    guard let read = Self.fields(&fields), try read.text() == bytes else {
      throw .damaged(path: path, why: "the manifest does not have the fields of its schema")
    }
    self = read
  }

  private static func fields(_ fields: inout Fields) -> TrustManifest? {
    guard let generation = fields.number("generation"), generation < largestGeneration,
      let file = fields.value("file"), file.elementsEqual(fileName(generation).utf8),
      let byteCount = fields.number("bytes"), byteCount <= largestFile,
      let hash = fields.value("sha256").flatMap({ ContentHash(hexadecimal: $0) }),
      let paths = fields.number("paths"), paths <= largestFile,
      let contents = fields.number("contents"), contents <= largestFile,
      let written = fields.number("written"), written < UInt64(Int64.max)
    else { return nil }
    return TrustManifest(
      generation: generation, byteCount: byteCount, hash: hash, paths: Int(paths), contents: Int(contents),
      written: Int64(written))
  }

  /// The lines that are left.
  private struct Fields {
    var rest: ArraySlice<UInt8>

    /// The value of the next line, where its word is this one.
    mutating func value(_ word: String) -> ArraySlice<UInt8>? {
      guard let end = rest.firstIndex(of: 0x0a) else { return nil }
      let line = rest[..<end]
      rest = rest[(end + 1)...]
      guard line.starts(with: word.utf8), line.dropFirst(word.utf8.count).first == 0x20 else { return nil }
      return line.dropFirst(word.utf8.count + 1)
    }

    mutating func number(_ word: String) -> UInt64? {
      // Other spellings of the same number do not survive the comparison with what would be written.
      value(word).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
    }
  }
}
