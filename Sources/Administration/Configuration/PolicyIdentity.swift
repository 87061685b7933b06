// Owns the one name of a set of rule files: SHA-256 over names and contents.
// It must not read files.

internal import AccessModel
internal import ContentDigest
internal import PolicyLanguage

enum PolicyIdentity {
  /// SHA-256, in hexadecimal, over each file's name length, name, content length and content, in the order in which the
  /// files are tried; a length is 8 bytes, little-endian.
  static func of(_ sources: [RuleSource]) -> String {
    var bytes: [UInt8] = []
    for source in sources {
      append(Array(source.file.utf8), to: &bytes)
      append(source.bytes, to: &bytes)
    }
    // Fails only where libcrypto finds no memory.
    let digest = (try? ContentDigest.sha256(of: bytes)) ?? []
    return String(decoding: ContentHash(digest)?.hexadecimal ?? [], as: UTF8.self)
  }

  private static func append(_ part: [UInt8], to bytes: inout [UInt8]) {
    withUnsafeBytes(of: UInt64(part.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: part)
  }
}
