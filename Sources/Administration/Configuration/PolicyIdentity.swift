// Owns the one name of a set of rule files: SHA-256 over names and contents.
// It must not read files.

internal import CLibcrypto
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
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    _ = SHA256(bytes, bytes.count, &digest)
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func append(_ part: [UInt8], to bytes: inout [UInt8]) {
    withUnsafeBytes(of: UInt64(part.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: part)
  }
}
