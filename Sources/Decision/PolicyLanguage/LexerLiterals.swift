// Owns the literals of CEL: numbers, strings and their escapes.
// It must not read more than one line.

internal import AccessModel

extension Lexer {
  /// Decimal or `0x` hexadecimal; the sign is a token of its own.
  mutating func readNumber() {
    let start = position
    let isHexadecimal = byte() == UInt8(ascii: "0") && byte(at: 1).map { $0 | 0x20 } == UInt8(ascii: "x")
    if isHexadecimal { position += 2 }
    let digits = position
    while let byte = byte(), isHexadecimal ? byte.hexadecimal != nil : byte.isDigit { position += 1 }
    let value = UInt64(String(decoding: bytes[digits..<position], as: UTF8.self), radix: isHexadecimal ? 16 : 10)
    let tail = position
    if byte() == UInt8(ascii: "."), byte(at: 1)?.isDigit == true { position += 2 }
    while let byte = byte(), byte.isLetter || byte.isDigit { position += 1 }
    let range = start..<position
    if tail < position {
      report(range, "\(quoted(bytes[range])) is not a whole number", hint: Self.hint(after: bytes[tail]))
    } else if digits == tail {
      report(range, "\(quoted(bytes[range])) lacks its digits")
    } else if value == nil {
      report(range, "the number does not fit into 64 bits")
    } else if !isHexadecimal, tail - digits > 1, bytes[digits] == UInt8(ascii: "0") {
      let octal = UInt64(String(decoding: bytes[digits..<tail], as: UTF8.self), radix: 8)
      let hint = octal.map { "octal \(String($0, radix: 8)) is 0x\(String($0, radix: 16))" }
      report(range, "a number must not begin with 0: it would be decimal, not octal", hint: hint)
    } else if let value {
      append(.integer(value), from: start)
      return
    }
    append(.invalid, from: start)
  }

  private static func hint(after byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "u"), UInt8(ascii: "U"): "there are no unsigned numbers; leave out the u"
    case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): "there are no fractions"
    default: "write decimal digits, or 0x and hexadecimal ones"
    }
  }

  /// A string whose opening quote is next. A raw one takes backslashes as they are.
  mutating func readString(from start: Int, isRaw: Bool) {
    let quote = bytes[position]
    let before = errors
    if byte(at: 1) == quote, byte(at: 2) == quote {
      position = end
      report(
        start..<end, "strings over several lines are not part of the rule language", hint: "write \\n for a line end")
      append(.invalid, from: start)
      return
    }
    position += 1
    var text: [UInt8] = []
    while let byte = byte(), byte != quote {
      if byte == UInt8(ascii: "\\"), !isRaw { readEscape(into: &text) } else { readCharacter(into: &text) }
    }
    if position < end {
      position += 1
    } else {
      let mark = String(Unicode.Scalar(quote))
      report(start..<end, "the string is not closed", hint: "end it with \(mark) on the same line")
    }
    append(errors == before ? .string(text) : .invalid, from: start)
  }

  private mutating func readCharacter(into text: inout [UInt8]) {
    let (scalar, length) = Text.decode(bytes.span, at: position)
    let range = position..<position + length
    if let scalar {
      if scalar.isHazard, scalar != "\t" {
        let escape = scalar.value < 0x10000 ? "\\u" : "\\U"
        let digits = String(scalar.value, radix: 16)
        let padding = String(repeating: "0", count: (scalar.value < 0x10000 ? 4 : 8) - digits.count)
        report(range, scalar.description(of: "in a string"), hint: "write it as \(escape)\(padding)\(digits)")
      }
    } else {
      report(range, "byte \(escaped(byte: bytes[position])) in a string is not UTF-8")
    }
    text.append(contentsOf: bytes[range])
    position += length
  }

  private static let plainEscapes: [UInt8: Unicode.Scalar] = [
    UInt8(ascii: "a"): "\u{7}", UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n",
    UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t", UInt8(ascii: "v"): "\u{b}", UInt8(ascii: "\\"): "\\",
    UInt8(ascii: "?"): "?", UInt8(ascii: "\""): "\"", UInt8(ascii: "'"): "'", UInt8(ascii: "`"): "`",
  ]

  /// An escape of CEL, the backslash being next. Every one stands for a code point, `\x` and octal ones too.
  private mutating func readEscape(into text: inout [UInt8]) {
    let start = position
    position += 1
    guard let letter = byte() else { return }
    position += 1
    let scalar: Unicode.Scalar? =
      switch letter {
      case UInt8(ascii: "x"), UInt8(ascii: "X"): codePoint(digits: 2, radix: 16)
      case UInt8(ascii: "u"): codePoint(digits: 4, radix: 16)
      case UInt8(ascii: "U"): codePoint(digits: 8, radix: 16)
      case UInt8(ascii: "0")...UInt8(ascii: "3"): octal()
      default: Self.plainEscapes[letter]
      }
    guard let scalar else {
      let range = start..<max(position, start + Text.decode(bytes.span, at: start + 1).length + 1)
      position = range.upperBound
      report(
        range, "\(quoted(bytes[range])) is not an escape that stands for a character",
        hint: "write \\\\ for a backslash, or r\"...\" for text without escapes")
      return
    }
    text.append(contentsOf: String(scalar).utf8)
  }

  private mutating func octal() -> Unicode.Scalar? {
    position -= 1
    return codePoint(digits: 3, radix: 8)
  }

  /// The code point that exactly this many digits name; nil, and no digit read beyond the first bad one, otherwise.
  private mutating func codePoint(digits: Int, radix: UInt32) -> Unicode.Scalar? {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = byte()?.hexadecimal, digit < radix, value < 1 << 24 else { return nil }
      value = value * radix + digit
      position += 1
    }
    return Unicode.Scalar(value)
  }
}
