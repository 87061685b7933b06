// Owns where the head and the fields of an audit record's text stand.
// It must not decode a value.

/// `audit(SECONDS.MILLISECONDS:SERIAL): `
struct EntryHead {
  let time: Int64
  let serial: UInt64
  /// Bytes that it takes.
  let length: Int

  init?(_ text: [UInt8]) {
    var rest = text[...]
    guard rest.starts(with: "audit(".utf8) else { return nil }
    rest = rest.dropFirst(6)
    guard let seconds = Self.number(&rest, limit: 9_223_372_035), Self.take(".", from: &rest),
      let milliseconds = Self.number(&rest, limit: 999, digits: 3), Self.take(":", from: &rest),
      let serial = Self.number(&rest, limit: .max), Self.take(")", from: &rest), Self.take(":", from: &rest)
    else { return nil }
    time = Int64(seconds) * 1_000_000_000 + Int64(milliseconds) * 1_000_000
    self.serial = serial
    length = rest.startIndex
  }

  private static func take(_ character: Character, from rest: inout ArraySlice<UInt8>) -> Bool {
    guard rest.first == character.asciiValue else { return false }
    rest.removeFirst()
    return true
  }

  private static func number(_ rest: inout ArraySlice<UInt8>, limit: UInt64, digits: Int? = nil) -> UInt64? {
    let figures = rest.prefix { (0x30...0x39).contains($0) }
    guard !figures.isEmpty, figures.count == digits ?? figures.count else { return nil }
    var value: UInt64 = 0
    for figure in figures {
      let (shifted, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = shifted.addingReportingOverflow(UInt64(figure - 0x30))
      if over || carry || sum > limit { return nil }
      value = sum
    }
    rest = rest[figures.endIndex...]
    return value
  }
}

/// One `NAME=VALUE` of a record.
struct FieldSpan: Sendable, Hashable {
  enum Quoting: UInt8, Sendable {
    case none
    case double
    /// A user-space message: it ends at the last single quote of the record, for nobody escapes those in it.
    case single
    /// A quote that is never closed: the value goes to the end of the record.
    case open
  }

  private let nameStart: UInt16
  private let nameEnd: UInt16
  private let valueStart: UInt16
  private let valueEnd: UInt16
  let quoting: Quoting

  var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
  /// With its quotes.
  var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

  private init(name: Range<Int>, value: Range<Int>, quoting: Quoting) {
    nameStart = UInt16(name.lowerBound)
    nameEnd = UInt16(name.upperBound)
    valueStart = UInt16(value.lowerBound)
    valueEnd = UInt16(value.upperBound)
    self.quoting = quoting
  }

  private static let blank = UInt8(ascii: " ")
  private static let equals = UInt8(ascii: "=")
  private static let doubleQuote = UInt8(ascii: "\"")
  private static let singleQuote = UInt8(ascii: "'")

  /// All fields of a text of at most 65,535 bytes. Words without a value are passed over.
  static func scan(_ text: [UInt8], from start: Int) -> [FieldSpan] {
    var found: [FieldSpan] = []
    found.reserveCapacity(32)
    var offset = start
    while offset < text.count {
      guard text[offset] != blank else {
        offset += 1
        continue
      }
      let start = offset
      while offset < text.count, text[offset] != blank, text[offset] != equals { offset += 1 }
      guard offset < text.count, text[offset] == equals, offset > start else {
        // Not a name: the whole word goes, so that nothing in it can look like one.
        while offset < text.count, text[offset] != blank { offset += 1 }
        continue
      }
      let name = start..<offset
      let (value, quoting) = value(in: text, from: offset + 1)
      found.append(FieldSpan(name: name, value: value, quoting: quoting))
      offset = value.upperBound
      // What is glued to a closing quote belongs to no field.
      while offset < text.count, text[offset] != blank { offset += 1 }
    }
    return found
  }

  private static func value(in text: [UInt8], from start: Int) -> (Range<Int>, Quoting) {
    guard start < text.count else { return (start..<start, .none) }
    switch text[start] {
    case doubleQuote:
      guard let end = text[(start + 1)...].firstIndex(of: doubleQuote) else { return (start..<text.count, .open) }
      return (start..<end + 1, .double)
    case singleQuote:
      guard let end = text[(start + 1)...].lastIndex(of: singleQuote) else { return (start..<text.count, .open) }
      return (start..<end + 1, .single)
    default:
      return (start..<(text[start...].firstIndex(of: blank) ?? text.count), .none)
    }
  }
}
