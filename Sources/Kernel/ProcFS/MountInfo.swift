// Owns the reading of mountinfo (proc_pid_mountinfo(5)).
// It must not say which file systems matter.

public import SystemCalls

/// One line of mountinfo. Texts are bytes with the kernel's octal escapes undone.
public struct MountEntry: Sendable, Hashable {
  public var id: UInt64
  public var parent: UInt64
  public var major: UInt32
  public var minor: UInt32
  /// The folder in the file system that the mount shows.
  public var root: [UInt8]
  public var mountPoint: [UInt8]
  public var type: [UInt8]
  public var source: [UInt8]
}

public enum MountInfo {
  /// Bytes: far more than any host has.
  public static let limit = 64 << 20

  /// The mounts that a process sees, in the kernel's order; without a number, those of this process. EFBIG
  /// for a text of more than `limit` bytes.
  public static func read(pid: Int32? = nil, limit: Int = limit) throws(Errno) -> [MountEntry] {
    let path = "/proc/\(pid.map { "\($0)" } ?? "self")/mountinfo"
    let text = try Descriptor.open(path, 0).readAll(limit: limit)
    return unsafe text.withUnsafeBytes { unsafe parse($0).entries }
  }

  /// All entries, in the kernel's order; a line that is not what the kernel writes is counted and passed over.
  public static func parse(_ text: UnsafeRawBufferPointer) -> (entries: [MountEntry], malformed: Int) {
    var cursor = unsafe ByteCursor(text)
    var entries: [MountEntry] = []
    var malformed = 0
    while !cursor.isAtEnd {
      let line = unsafe cursor.until(0x0a)
      if let entry = unsafe entry(line) { entries.append(entry) } else { malformed += 1 }
    }
    return (entries, malformed)
  }

  private static func entry(_ line: UnsafeRawBufferPointer) -> MountEntry? {
    var cursor = unsafe ByteCursor(line)
    guard let id = field(&cursor), let parent = field(&cursor) else { return nil }
    cursor.skipBlanks()
    guard let major = cursor.decimal().flatMap({ UInt32(exactly: $0) }), cursor.take(":"),
      let minor = cursor.decimal().flatMap({ UInt32(exactly: $0) })
    else { return nil }
    let root = text(&cursor)
    let point = text(&cursor)
    _ = text(&cursor)
    // Any number of optional fields, ended by a hyphen.
    while true {
      cursor.skipBlanks()
      let word = unsafe cursor.word()
      if unsafe word.isEmpty { return nil }
      if unsafe word.count == 1 && word[0] == 0x2d { break }
    }
    let type = text(&cursor)
    let source = text(&cursor)
    guard !root.isEmpty, !point.isEmpty, !type.isEmpty else { return nil }
    return MountEntry(
      id: id, parent: parent, major: major, minor: minor, root: root, mountPoint: point, type: type, source: source)
  }

  private static func field(_ cursor: inout ByteCursor) -> UInt64? {
    cursor.skipBlanks()
    return cursor.decimal()
  }

  private static func text(_ cursor: inout ByteCursor) -> [UInt8] {
    cursor.skipBlanks()
    return unsafe unescape(cursor.word())
  }

  /// Blank, tab, line feed, backslash and # stand as three octal digits behind a backslash.
  private static func unescape(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(raw.count)
    var index = 0
    while index < raw.count {
      let byte = unsafe raw[index]
      if byte == 0x5c, index + 3 < raw.count, let value = unsafe octal(raw, index + 1) {
        bytes.append(value)
        index += 4
      } else {
        bytes.append(byte)
        index += 1
      }
    }
    return bytes
  }

  private static func octal(_ raw: UnsafeRawBufferPointer, _ start: Int) -> UInt8? {
    var value = 0
    for index in start..<start + 3 {
      let digit = Int(unsafe raw[index]) - 0x30
      guard digit >= 0, digit <= 7 else { return nil }
      value = value * 8 + digit
    }
    return UInt8(exactly: value)
  }
}
