// Owns what strings mean in conditions: bytes, of which CEL's operators see UTF-8 code points.
// It must not allocate, and must not build a String.

/// Operations on text as bytes. A byte that is not part of well-formed UTF-8 counts as one code point of its own.
public enum Text {
  /// Negative, zero or positive. The order of UTF-8 bytes is the order of code points.
  public static func order(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Int {
    let shared = min(a.count, b.count)
    for index in 0..<shared where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
    return a.count - b.count
  }

  public static func starts(_ text: Span<UInt8>, with prefix: Span<UInt8>) -> Bool {
    text.count >= prefix.count && equal(text, at: 0, prefix)
  }

  public static func ends(_ text: Span<UInt8>, with suffix: Span<UInt8>) -> Bool {
    text.count >= suffix.count && equal(text, at: text.count - suffix.count, suffix)
  }

  public static func contains(_ text: Span<UInt8>, _ part: Span<UInt8>) -> Bool {
    guard part.count <= text.count else { return false }
    for start in 0...(text.count - part.count) where equal(text, at: start, part) { return true }
    return false
  }

  /// How many bytes of a file's path make its folder's, without a final slash; `/` for a file in the root.
  public static func directoryLength(of path: Span<UInt8>) -> Int {
    var end = path.count
    while end > 0, path[end - 1] != UInt8(ascii: "/") { end -= 1 }
    return max(end - 1, min(end, 1))
  }

  /// The number of code points.
  public static func count(_ text: Span<UInt8>) -> Int {
    var index = 0
    var count = 0
    while index < text.count {
      index += decode(text, at: index).length
      count += 1
    }
    return count
  }

  /// The code point at an index and its length in bytes; nil and 1 for a byte that is not well-formed UTF-8.
  static func decode(_ text: Span<UInt8>, at index: Int) -> (scalar: Unicode.Scalar?, length: Int) {
    let first = text[index]
    let length: Int
    let least: UInt32
    var value: UInt32
    switch first {
    case 0x00...0x7f: return (Unicode.Scalar(first), 1)
    case 0xc2...0xdf: (length, least, value) = (2, 0x80, UInt32(first & 0x1f))
    case 0xe0...0xef: (length, least, value) = (3, 0x800, UInt32(first & 0x0f))
    case 0xf0...0xf4: (length, least, value) = (4, 0x10000, UInt32(first & 0x07))
    default: return (nil, 1)
    }
    guard index + length <= text.count else { return (nil, 1) }
    for next in index + 1..<index + length {
      guard text[next] & 0xc0 == 0x80 else { return (nil, 1) }
      value = value << 6 | UInt32(text[next] & 0x3f)
    }
    // Refused: longer than needed, a surrogate, beyond U+10FFFF.
    guard value >= least, let scalar = Unicode.Scalar(value) else { return (nil, 1) }
    return (scalar, length)
  }

  private static func equal(_ text: Span<UInt8>, at start: Int, _ part: Span<UInt8>) -> Bool {
    for index in 0..<part.count where text[start + index] != part[index] { return false }
    return true
  }
}
