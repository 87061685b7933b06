// Owns what is refused before the TOML parser sees a text: what it would cut short in silence, or end the process for.
// It must not judge TOML otherwise.

/// The parser takes a C string and gives texts out as C strings, descends once a level, and holds some of its
/// assumptions about headings, dates and times by assertions that a text can break (toml++ 3.4). A document that it
/// accepts is stepped through here as it does; in one that it refuses, up to the place where it stops.
struct TextGuard {
  private enum Bracket {
    case heading, list, table
  }

  /// Brackets in brackets; the configuration needs three.
  private static let deepestNesting = 16
  /// Dots outside quotes in one line: each may open a table in the one before.
  private static let mostDots = 32

  private let lines: SourceLines
  private var index = 0
  private var open: [Bracket] = []
  private var dots = 0
  private var expectsValue = false
  /// A value was read, and neither the comma nor the line's end behind it.
  private var hasValue = false
  /// Only blanks stand before `index` in its line.
  private var isLineStart = true

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
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
    while index < bytes.count {
      let start = index
      if let refusal = step(bytes[index]) { return refusal }
      if open.count > Self.deepestNesting || dots > Self.mostDots {
        return lines.error(at: start..<index, "nested too deeply", hint: "no key of lilium.toml(5) lies so deep")
      }
    }
    return nil
  }

  /// Steps over one character, comment, quoted text or bare value.
  private mutating func step(_ byte: UInt8) -> Finding? {
    let start = index
    if let refusal = refusalOfMissingValue(byte) ?? refusalOfSecondValue(byte) ?? refusalOfBracket(byte) {
      return refusal
    }
    switch byte {
    case UInt8(ascii: "#"):
      while index < lines.bytes.count, lines.bytes[index] != UInt8(ascii: "\n") { index += 1 }
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      index = endOfQuoted(lines.bytes, from: index)
      (hasValue, expectsValue, isLineStart) = (expectsValue, false, false)
      return refusalOfNUL(in: start..<index)
    case UInt8(ascii: "["):
      let isHeading = isLineStart && open.isEmpty
      if isHeading, let refusal = refusalOfHeading() { return refusal }
      open.append(isHeading || open.last == .heading ? .heading : .list)
      expectsValue = open.last == .list
      (isLineStart, index) = (false, index + 1)
    case _ where expectsValue && !" \t\r\n]{".utf8.contains(byte):
      (hasValue, expectsValue, isLineStart) = (true, false, false)
      return refusalOfBareValue()
    default:
      note(byte)
      index += 1
    }
    return nil
  }

  /// A value may stand on a later line, or not at all, in a list alone.
  private func refusalOfMissingValue(_ byte: UInt8) -> Finding? {
    let ends = open.last == .list ? ",}=" : ",]}=#\n"
    guard expectsValue, ends.utf8.contains(byte) else { return nil }
    return lines.error(at: index..<index + 1, "not valid TOML: a value is missing here")
  }

  /// One value follows another, or anything else but what ends a value.
  private func refusalOfSecondValue(_ byte: UInt8) -> Finding? {
    guard hasValue, !" \t\r\n,]}#".utf8.contains(byte) else { return nil }
    return lines.error(at: index..<index + 1, "not valid TOML: the value before this has no end")
  }

  /// A bracket that closes another kind than was opened, or none.
  private func refusalOfBracket(_ byte: UInt8) -> Finding? {
    switch (byte, open.last) {
    case (UInt8(ascii: "}"), .table), (UInt8(ascii: "]"), .list), (UInt8(ascii: "]"), .heading): return nil
    case (UInt8(ascii: "}"), _), (UInt8(ascii: "]"), _):
      return lines.error(at: index..<index + 1, "not valid TOML: this bracket closes nothing")
    default: return nil
    }
  }

  private mutating func note(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "{"):
      open.append(.table)
      expectsValue = false
    case UInt8(ascii: "]"), UInt8(ascii: "}"):
      hasValue = open.popLast() != .heading
      expectsValue = false
    case UInt8(ascii: "="): expectsValue = true
    case UInt8(ascii: ","): (hasValue, expectsValue) = (false, open.last == .list)
    case UInt8(ascii: "."): dots += 1
    case UInt8(ascii: "\n"):
      dots = 0
      if open.isEmpty { (hasValue, expectsValue) = (false, false) }
    default: break
    }
    isLineStart = byte == UInt8(ascii: "\n") || (isLineStart && Self.isBlank(byte))
  }

  /// A heading whose name begins with none of a bare key's characters.
  private func refusalOfHeading() -> Finding? {
    let bytes = lines.bytes
    var next = index
    for _ in 0..<2 where next < bytes.count && bytes[next] == UInt8(ascii: "[") {
      next += 1
      while next < bytes.count, Self.isBlank(bytes[next]) { next += 1 }
    }
    guard next < bytes.count else { return nil }
    switch bytes[next] {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): return nil
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): return nil
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "]"): return nil
    default: return lines.error(at: next..<next + 1, "not valid TOML: a heading needs a name, as in [log]")
    }
  }

  /// A value without quotes that is none of those the configuration has: a date, a fraction, a text without quotes.
  private mutating func refusalOfBareValue() -> Finding? {
    let start = index
    while index < lines.bytes.count, !" \t\r\n,]}#=\"'".utf8.contains(lines.bytes[index]) { index += 1 }
    let word = String(decoding: lines.bytes[start..<index], as: UTF8.self)
    if word == "true" || word == "false" || isWholeNumber(word) { return nil }
    let isName = word.unicodeScalars.allSatisfy { $0.isASCII && $0.properties.isAlphabetic }
    let hint = isName ? "write \"\(word)\"" : "dates and fractions are not used here"
    return lines.error(
      at: start..<index, "\"\(word)\" is neither a whole number nor true or false",
      hint: "texts stand in quotes: \(hint)")
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

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}

/// Where underscores may stand is left to the parser.
private func isWholeNumber(_ word: String) -> Bool {
  let digits = word.filter { $0 != "_" }
  for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
    let rest = digits.dropFirst(prefix.count)
    return !rest.hasPrefix("-") && !rest.hasPrefix("+") && Int(rest, radix: radix) != nil
  }
  return Int(digits) != nil
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
