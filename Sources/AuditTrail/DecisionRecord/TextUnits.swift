// Owns how bytes of unknown origin are read as text: valid UTF-8 scalar by scalar, anything else byte by byte.
// It must not choose how a unit is written: each form does.

/// One step through bytes that may be UTF-8.
enum TextUnit {
  /// A well-formed scalar and its bytes.
  case scalar(Unicode.Scalar, ArraySlice<UInt8>)
  /// A byte that is part of no well-formed scalar.
  case invalid(UInt8)
}

func forEachUnit(of bytes: [UInt8], _ body: (TextUnit) -> Void) {
  var parser = Unicode.UTF8.ForwardParser()
  var iterator = bytes.makeIterator()
  var position = 0
  while true {
    switch parser.parseScalar(from: &iterator) {
    case .valid(let encoded):
      let end = position + encoded.count
      body(.scalar(Unicode.UTF8.decode(encoded), bytes[position..<end]))
      position = end
    case .error(let length):
      for byte in bytes[position..<(position + length)] { body(.invalid(byte)) }
      position += length
    case .emptyInput:
      return
    }
  }
}

func isUTF8(_ bytes: [UInt8]) -> Bool {
  if bytes.allSatisfy({ $0 < 0x80 }) { return true }
  var valid = true
  forEachUnit(of: bytes) { if case .invalid = $0 { valid = false } }
  return valid
}

extension Unicode.Scalar {
  /// A space of any width.
  var isSpace: Bool { self == " " || (value > 0x7f && properties.generalCategory == .spaceSeparator) }
}

private let hexDigits = [UInt8]("0123456789abcdef".utf8)

/// Appends the lowest `digits` hexadecimal digits.
func appendHex(_ value: UInt32, digits: Int, to out: inout [UInt8]) {
  for place in (0..<digits).reversed() { out.append(hexDigits[Int(value >> UInt32(4 * place) & 0xf)]) }
}
