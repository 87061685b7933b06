// Owns what is refused before the TOML parser sees a text: what it would cut short without a word, or sink its stack.
// It must not judge TOML otherwise.

/// The parser takes a C string, gives texts out as C strings, and descends once a level. A document that it accepts is
/// stepped through here as it does; in one that it refuses, up to the place where it stops.
struct TextGuard {
  /// Brackets in brackets; the configuration needs three.
  private static let deepestNesting = 16
  /// Dots outside quotes in one line: each may open a table in the one before.
  private static let mostDots = 32

  private let lines: SourceLines
  private var index = 0
  private var nesting = 0
  private var dots = 0

  private init(_ lines: SourceLines) { self.lines = lines }

  /// What makes the text unfit to be parsed, if anything does.
  static func refusal(of lines: SourceLines) -> Finding? {
    if let bad = firstByteNotUTF8(lines.bytes) {
      return lines.error(
        at: bad..<bad + 1, "byte \(hexadecimal(lines.bytes[bad])) is not UTF-8", hint: "save the file as UTF-8")
    }
    if let zero = lines.bytes.firstIndex(of: 0) {
      return lines.error(at: zero..<zero + 1, "a NUL character in the text", hint: "remove it")
    }
    var walk = TextGuard(lines)
    return walk.run()
  }

  private mutating func run() -> Finding? {
    let bytes = lines.bytes
    while index < bytes.count {
      let start = index
      switch bytes[index] {
      case UInt8(ascii: "#"):
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        index = endOfQuoted(bytes, from: index)
        if let refusal = refusalOfNUL(in: start..<index) { return refusal }
        continue
      case UInt8(ascii: "["), UInt8(ascii: "{"): nesting += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): nesting = max(0, nesting - 1)
      case UInt8(ascii: "."): dots += 1
      case UInt8(ascii: "\n"): dots = 0
      default: break
      }
      index += 1
      if nesting > Self.deepestNesting || dots > Self.mostDots {
        return lines.error(at: start..<index, "nested too deeply", hint: "no key of lilium.toml(5) lies so deep")
      }
    }
    return nil
  }

  /// `\u0000` would end the text for the parser's caller.
  private func refusalOfNUL(in range: Range<Int>) -> Finding? {
    let bytes = lines.bytes
    guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
    var index = range.lowerBound
    while index < range.upperBound - 1 {
      guard bytes[index] == UInt8(ascii: "\\") else {
        index += 1
        continue
      }
      for escape in ["\\u0000", "\\U00000000"] where bytes[index..<range.upperBound].starts(with: escape.utf8) {
        return lines.error(at: index..<index + escape.utf8.count, "a text cannot hold NUL", hint: "remove it")
      }
      index += 2
    }
    return nil
  }
}

private func firstByteNotUTF8(_ bytes: [UInt8]) -> Int? {
  guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
  var decoder = UTF8()
  var iterator = bytes.makeIterator()
  var offset = 0
  while case .scalarValue(let scalar) = decoder.decode(&iterator) { offset += UTF8.width(scalar) }
  return min(offset, bytes.count - 1)
}

private func hexadecimal(_ byte: UInt8) -> String { "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }
