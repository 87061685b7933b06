// Owns the way from the bytes of one line to tokens. A token never spans lines.
// It must not stop at an error: it says what is wrong, leaves an invalid token and reads on.

internal import AccessModel

struct Lexer {
  let bytes: [UInt8]
  let end: Int
  var position: Int
  private(set) var tokens: [Token] = []
  private(set) var findings: [Finding] = []
  /// How many times something was reported, shown or not.
  private(set) var errors = 0

  /// A line with more errors is no rule: it is not read to its end.
  private static let findingLimit = 16

  init(_ line: Range<Int>, of bytes: [UInt8]) {
    self.bytes = bytes
    position = line.lowerBound
    end = line.upperBound
    while position < end, errors <= Self.findingLimit { readToken() }
  }

  func byte(at offset: Int = 0) -> UInt8? { position + offset < end ? bytes[position + offset] : nil }

  mutating func append(_ kind: Token.Kind, from start: Int) {
    tokens.append(Token(kind: kind, range: start..<position))
  }

  mutating func report(_ range: Range<Int>, _ message: String, hint: String? = nil) {
    errors += 1
    if errors <= Self.findingLimit { findings.append(Finding(range: range, message: message, hint: hint)) }
  }

  private mutating func readToken() {
    let start = position
    switch bytes[position] {
    case UInt8(ascii: " "), UInt8(ascii: "\t"): position += 1
    case UInt8(ascii: "#"): readComment()
    case UInt8(ascii: "\""), UInt8(ascii: "'"): readString(from: start, isRaw: false)
    case let byte where byte.isDigit: readNumber()
    case let byte where byte.isLetter: readWord()
    default: readSymbol()
    }
  }

  /// A comment may hold any text that does not steer a terminal or hide what follows.
  private mutating func readComment() {
    while position < end {
      let (scalar, length) = Text.decode(bytes.span, at: position)
      if let scalar, scalar.isHazard, scalar != "\t" {
        report(position..<position + length, "\(scalar.description(of: "in a comment"))", hint: "remove it")
        break
      }
      position += length
    }
    position = end
  }

  private mutating func readWord() {
    let start = position
    while let byte = byte(), byte.isLetter || byte.isDigit { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    guard byte() == UInt8(ascii: "\"") || byte() == UInt8(ascii: "'") else {
      append(.word(word), from: start)
      return
    }
    switch word.lowercased() {
    case "r": readString(from: start, isRaw: true)
    case "b", "br", "rb":
      readString(from: start, isRaw: word.count == 2)
      refuseLast("byte strings are not part of the rule language", hint: "write the text without the b")
    default: append(.word(word), from: start)
    }
  }

  private mutating func refuseLast(_ message: String, hint: String) {
    guard let last = tokens.popLast() else { return }
    report(last.range, message, hint: hint)
    append(.invalid, from: last.range.lowerBound)
  }

  private mutating func readSymbol() {
    let start = position
    for length in [2, 1] where position + length <= end {
      let text = String(decoding: bytes[position..<position + length], as: UTF8.self)
      if let symbol = Symbol(rawValue: text) {
        position += length
        append(.symbol(symbol), from: start)
        return
      }
    }
    let (scalar, length) = Text.decode(bytes.span, at: position)
    position += length
    let (message, hint) = Self.stray(scalar, byte: bytes[start])
    report(start..<position, message, hint: hint)
    append(.invalid, from: start)
  }

  private static func stray(_ scalar: Unicode.Scalar?, byte: UInt8) -> (message: String, hint: String?) {
    guard let scalar else {
      return ("byte \(escaped(byte: byte)) is not UTF-8", "write non-ASCII text as UTF-8, and only inside quotes")
    }
    switch scalar {
    case "=": return ("stray \"=\"", "write == to compare")
    case "&": return ("stray \"&\"", "write && between conditions; there are no bit operators")
    case "|": return ("stray \"|\"", "write || between conditions; there are no bit operators")
    case "?", ":":
      return ("the ternary operator ? : is not part of the rule language", "write two rules, or use && and ||")
    case "+", "*", "/", "%":
      return ("arithmetic is not part of the rule language", scalar == "/" ? "comments begin with #" : nil)
    case "{", "}": return ("maps and messages are not part of the rule language", nil)
    case ";": return ("stray \";\"", "a rule ends with its line")
    case "\\":
      return ("stray \"\\\"", "a rule goes on in the next line inside ( or [ and after an operator, without a mark")
    case "\u{201c}", "\u{201d}", "\u{2018}", "\u{2019}", "`": return ("stray quote", "write \" or '")
    default:
      if scalar.isHazard { return (scalar.description(of: "in a rule"), "remove it") }
      return ("stray character \(quoted(String(scalar)))", nil)
    }
  }
}

extension Unicode.Scalar {
  /// What to call a character that cannot be shown.
  func description(of place: String) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    let padding = String(repeating: "0", count: max(0, 4 - digits.count))
    return "control or invisible character U+\(padding)\(digits) \(place)"
  }
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
  var isLetter: Bool {
    let lower = self | 0x20
    return (lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")) || self == UInt8(ascii: "_")
  }
  /// The value of a hexadecimal digit.
  var hexadecimal: UInt32? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A")) + 10
    default: nil
    }
  }
}
