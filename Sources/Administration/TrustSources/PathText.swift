// Owns paths as text in a line: their escapes, and what an absolute path of a source must look like.
// It must not touch the file system.

internal import Glibc

public enum PathText {
  /// PATH_MAX without the final zero byte: longer paths cannot be opened.
  public static let longestPath = 4095

  /// `%XX` for what may not stand in a line as it is: blanks, control bytes, `%`, `#`, and all that is not ASCII.
  public static func escaped(_ path: [UInt8]) -> [UInt8] {
    guard path.contains(where: mustBeEscaped) else { return path }
    var text: [UInt8] = []
    text.reserveCapacity(path.count + 16)
    for byte in path {
      if mustBeEscaped(byte) {
        text += [0x25, Hexadecimal.upperDigit(byte >> 4), Hexadecimal.upperDigit(byte & 0xf)]
      } else {
        text.append(byte)
      }
    }
    return text
  }

  /// The same for a sentence; at most 400 bytes of it.
  public static func shown(_ path: some Collection<UInt8>) -> String {
    let text = String(decoding: escaped(Array(path.prefix(400))), as: UTF8.self)
    return path.count > 400 ? text + "..." : text
  }

  /// The bytes that escaped text stands for; nil with the place of what is no escape.
  static func unescaped(_ text: ArraySlice<UInt8>) -> (path: [UInt8], fault: Int?) {
    var path: [UInt8] = []
    path.reserveCapacity(text.count)
    var index = text.startIndex
    while index < text.endIndex {
      guard text[index] == 0x25 else {
        path.append(text[index])
        index += 1
        continue
      }
      guard index + 2 < text.endIndex, let high = Hexadecimal.value(text[index + 1]),
        let low = Hexadecimal.value(text[index + 2])
      else { return (path, index) }
      path.append(high << 4 | low)
      index += 3
    }
    return (path, nil)
  }

  static func mustBeEscaped(_ byte: UInt8) -> Bool { byte <= 0x20 || byte >= 0x7f || byte == 0x25 || byte == 0x23 }

  /// Why this is no path that can be a file's, or nil: absolute, no empty, `.` or `..` part, no zero byte, not too
  /// long.
  static func fault(_ path: [UInt8]) -> String? {
    if path.first != 0x2f { return "a path must be absolute" }
    if path.count > longestPath { return "a path has at most \(longestPath) bytes" }
    if path.contains(0) { return "a path has no zero byte" }
    for part in path.dropFirst().split(separator: 0x2f, omittingEmptySubsequences: false) {
      if part.isEmpty {
        return path.count == 1 ? "/ is no file" : "a path has one slash between two names and none at its end"
      }
      if part.elementsEqual([0x2e]) || part.elementsEqual([0x2e, 0x2e]) { return "a path has no . or .. in it" }
    }
    return nil
  }

  /// A path of a package (`./usr/bin/x`, `usr/bin/x`, `/usr/bin/x`) as an absolute one, `.` and doubled slashes taken
  /// out; nil where it leads upwards, has a zero byte or is too long. `/` for the root itself.
  static func absolute(_ listed: ArraySlice<UInt8>) -> [UInt8]? {
    guard listed.count <= longestPath else { return nil }
    var path: [UInt8] = []
    path.reserveCapacity(listed.count + 1)
    var start = listed.startIndex
    while start < listed.endIndex {
      let end = listed[start...].firstIndex(of: 0x2f) ?? listed.endIndex
      let part = listed[start..<end]
      start = end + 1
      if part.isEmpty || (part.count == 1 && part.first == 0x2e) { continue }
      if part.count == 2, part.first == 0x2e, part.last == 0x2e { return nil }
      if part.contains(0) { return nil }
      path.append(0x2f)
      path.append(contentsOf: part)
    }
    guard path.count <= longestPath else { return nil }
    return path.isEmpty ? [0x2f] : path
  }
}

/// A path as a key of a table: hashed and compared as one piece, where an array of bytes would be byte by byte.
struct PathKey: Hashable, Sendable {
  let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func == (a: PathKey, b: PathKey) -> Bool {
    guard a.bytes.count == b.bytes.count else { return false }
    guard !a.bytes.isEmpty else { return true }
    return a.bytes.withUnsafeBytes { x in
      b.bytes.withUnsafeBytes { memcmp(x.baseAddress!, $0.baseAddress!, x.count) == 0 }
    }
  }

  func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
}

enum Hexadecimal {
  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }

  /// Digits of either case, two a byte; nil for anything else, and for another count of bytes.
  static func bytes(_ text: ArraySlice<UInt8>, count: Int) -> [UInt8]? {
    guard text.count == 2 * count else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    var index = text.startIndex
    while index < text.endIndex {
      guard let high = value(text[index]), let low = value(text[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
      index += 2
    }
    return bytes
  }

  /// Lower-case digits.
  static func text(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.count)
    for byte in bytes {
      for digit in [byte >> 4, byte & 0xf] { text.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
    }
    return text
  }

  static func upperDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}

/// Lines of a text that is bytes, without their ends; a text that ends with a line end has no empty line behind it.
struct ByteLines: Sequence, IteratorProtocol {
  private let text: ArraySlice<UInt8>
  private var start: Int

  init(_ text: [UInt8]) {
    self.text = text[...]
    start = 0
  }

  mutating func next() -> ArraySlice<UInt8>? {
    guard start < text.endIndex else { return nil }
    let end = text[start...].firstIndex(of: 0x0a) ?? text.endIndex
    defer { start = end + 1 }
    return text[start..<end]
  }
}
