// Owns the form in which rpm(8) is asked to print files: words with a blank between them, some in quotes.
// It must not run rpm.

enum RPMFileList {
  struct File: Hashable {
    var package: [UInt8]
    /// Name, version and architecture.
    var identity: [UInt8]
    var size: UInt64
    var proof: TrustItem.Proof
    /// A digest of some kind is recorded.
    var hasDigest: Bool
    var mode: UInt64
    var flags: UInt64
    var state: UInt64
    var path: [UInt8]

    var isRegular: Bool { mode & 0o170000 == 0o100000 }
    /// %config.
    var isConfig: Bool { flags & 1 != 0 }
    /// %ghost: the package owns the name, and brings no content.
    var isGhost: Bool { flags & 64 != 0 }
    /// Neither replaced by another package's file nor left out when the package was installed (rpm's RPMFILE_STATE_*).
    var isInstalled: Bool { state == 0 || state == 3 }
  }

  /// PGPHASHALGO_SHA256.
  private static let sha256: UInt64 = 8

  /// Every file of the answer; nil where it is not of the form that was asked for.
  static func parse(_ text: [UInt8]) -> [File]? {
    var reader = Reader(text: text)
    var files: [File] = []
    while !reader.isAtEnd {
      guard let file = file(&reader) else { return nil }
      files.append(file)
    }
    return files
  }

  private static func file(_ reader: inout Reader) -> File? {
    guard let package = reader.quoted(), reader.skip(0x20), let identity = reader.quoted(), reader.skip(0x20),
      let algorithm = reader.number(), reader.skip(0x20), let size = reader.number(), reader.skip(0x20),
      let mode = reader.number(), reader.skip(0x20), let flags = reader.number(), reader.skip(0x20),
      let state = reader.number(), reader.skip(0x20), let digest = reader.quoted(), reader.skip(0x20),
      let path = reader.quoted(), reader.skip(0x0a)
    else { return nil }
    let proof = algorithm == sha256 ? Hexadecimal.bytes(digest[...], count: 32).map { TrustItem.Proof.sha256($0) } : nil
    return File(
      package: package, identity: identity, size: size, proof: proof ?? .none, hasDigest: !digest.isEmpty, mode: mode,
      flags: flags, state: state, path: path)
  }

  private struct Reader {
    let text: [UInt8]
    private var index = 0

    init(text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { index >= text.count }

    mutating func skip(_ byte: UInt8) -> Bool {
      guard index < text.count, text[index] == byte else { return false }
      index += 1
      return true
    }

    /// `'...'`, in which `'\''` stands for a quote: rpm's shell escapes. Any other byte stands for itself, a line end
    /// too.
    mutating func quoted() -> [UInt8]? {
      guard skip(0x27) else { return nil }
      var word: [UInt8] = []
      while index < text.count {
        if text[index] != 0x27 {
          word.append(text[index])
          index += 1
        } else if text[index...].prefix(4).elementsEqual([0x27, 0x5c, 0x27, 0x27]) {
          word.append(0x27)
          index += 4
        } else {
          index += 1
          return word
        }
      }
      return nil
    }

    /// Decimal digits, or `(none)`, which rpm prints for a value that the package has not, as 0.
    mutating func number() -> UInt64? {
      let none = Array("(none)".utf8)
      if text[index...].starts(with: none) {
        index += none.count
        return 0
      }
      let digits = text[index...].prefix(20).prefix { (0x30...0x39).contains($0) }
      index += digits.count
      return UInt64(String(decoding: digits, as: UTF8.self))
    }
  }
}
