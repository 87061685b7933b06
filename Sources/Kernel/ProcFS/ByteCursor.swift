// Owns stepping through bytes that the kernel wrote as text: numbers, words, lines.
// It must not trust them: every step is bounded, a number that does not fit is refused.

/// A place in a borrowed buffer. `@safe`: every access is checked against the buffer; its maker keeps the buffer alive.
@safe struct ByteCursor {
  private let bytes: UnsafeRawBufferPointer
  private(set) var offset: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.bytes = bytes
    offset = 0
  }

  var isAtEnd: Bool { unsafe offset >= bytes.count }
  var peek: UInt8? { isAtEnd ? nil : unsafe bytes[offset] }
  var rest: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: bytes[min(offset, bytes.count)...]) }

  mutating func advance() { offset += 1 }

  /// Steps over `word` if it stands here.
  mutating func take(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard unsafe offset + length <= bytes.count else { return false }
    for index in 0..<length where unsafe bytes[offset + index] != word.utf8Start[index] { return false }
    offset += length
    return true
  }

  mutating func skipBlanks() {
    while let byte = peek, byte == 0x20 || byte == 0x09 { advance() }
  }

  /// Steps behind the next line feed.
  mutating func skipLine() {
    while let byte = peek {
      advance()
      if byte == 0x0a { return }
    }
  }

  /// The bytes up to `end` or the end of all; the end byte is stepped over.
  mutating func until(_ end: UInt8) -> UnsafeRawBufferPointer {
    let start = offset
    while let byte = peek, byte != end { advance() }
    let found = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    advance()
    return unsafe found
  }

  /// A run of bytes that are neither blank nor line feed.
  mutating func word() -> UnsafeRawBufferPointer {
    let start = offset
    while let byte = peek, byte != 0x20, byte != 0x09, byte != 0x0a { advance() }
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
  }

  /// A decimal number; nil where there is none or it does not fit.
  mutating func decimal() -> UInt64? {
    var value: UInt64 = 0
    var digits = 0
    while let byte = peek, byte >= 0x30, byte <= 0x39 {
      let (shifted, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = shifted.addingReportingOverflow(UInt64(byte - 0x30))
      if over || carry { return nil }
      value = sum
      digits += 1
      advance()
    }
    return digits > 0 ? value : nil
  }

  /// A hexadecimal number of at most 16 digits.
  mutating func hexadecimal() -> UInt64? {
    var value: UInt64 = 0
    var digits = 0
    while let byte = peek, let digit = Self.hexDigit(byte) {
      if digits == 16 { return nil }
      value = value << 4 | UInt64(digit)
      digits += 1
      advance()
    }
    return digits > 0 ? value : nil
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x61 + 10
    case 0x41...0x46: byte - 0x41 + 10
    default: nil
    }
  }
}
