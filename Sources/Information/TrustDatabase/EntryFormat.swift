// Owns the bytes of an entry in the store: version 1, little-endian, every field bounded.
// It must not trust the bytes that it reads: it gives nil for whatever it would not have written, and never traps.

internal import AccessModel

/// One value of the store. At a path: version, flags, count of contents (2 bytes), for a long path its length (2 bytes)
/// and itself; then the contents. A content that is trusted wherever it lies is an entry with that one content.
public enum EntryFormat {
  static let version: UInt8 = 1
  static let largestPath = 4095
  static let largestOrigin = 4096
  static let largestCount = 1024

  struct EntryFlags: OptionSet {
    let rawValue: UInt8
    static let distrusted = EntryFlags(rawValue: 1)
    static let hasPath = EntryFlags(rawValue: 2)
    static let all: EntryFlags = [.distrusted, .hasPath]
  }

  struct ContentFlags: OptionSet {
    let rawValue: UInt8
    static let verity = ContentFlags(rawValue: 1)
    static let seen = ContentFlags(rawValue: 2)
    static let all: ContentFlags = [.verity, .seen]
  }

  /// `path` is kept with the entry where its key does not hold all of it.
  public static func encode(_ entry: TrustEntry, path: [UInt8]? = nil) -> [UInt8] {
    var flags: EntryFlags = entry.isDistrusted ? .distrusted : []
    if path != nil { flags.insert(.hasPath) }
    var bytes: [UInt8] = [version, flags.rawValue]
    append(UInt16(clamping: entry.contents.count), to: &bytes)
    if let path {
      append(UInt16(clamping: path.count), to: &bytes)
      bytes += path
    }
    for content in entry.contents { append(content, to: &bytes) }
    return bytes
  }

  /// What is wrong with an entry that is to be stored.
  static func flaw(_ entry: TrustEntry) -> String? {
    if entry.contents.count > largestCount { return "more than \(largestCount) contents are trusted there" }
    if entry.contents.contains(where: { $0.origin.count > largestOrigin }) {
      return "the name of its package is longer than \(largestOrigin) bytes"
    }
    return entry.contents.contains { $0.size > UInt64(Int64.max) } ? "its size is no file's" : nil
  }

  private static func append(_ content: TrustedContent, to bytes: inout [UInt8]) {
    var flags: ContentFlags = []
    if content.verity != nil { flags.insert(.verity) }
    if content.seen != nil { flags.insert(.seen) }
    append(content.size, to: &bytes)
    append(UInt64(bitPattern: content.added), to: &bytes)
    bytes += content.hash.bytes
    bytes += [content.source.rawValue, flags.rawValue]
    append(UInt16(clamping: content.origin.count), to: &bytes)
    bytes += content.origin
    if let verity = content.verity { bytes += verity.bytes }
    if let seen = content.seen {
      append(seen.device.major, to: &bytes)
      append(seen.device.minor, to: &bytes)
      append(seen.inode, to: &bytes)
      append(UInt64(bitPattern: seen.changeTime), to: &bytes)
    }
  }

  private static func append(_ number: some FixedWidthInteger & UnsignedInteger, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  /// The entry and, where it was kept, its path.
  public static func decode(_ bytes: UnsafeRawBufferPointer) -> (entry: TrustEntry, path: [UInt8]?)? {
    guard var reader = unsafe EntryReader(bytes) else { return nil }
    var contents: [TrustedContent] = []
    contents.reserveCapacity(reader.remaining)
    while reader.remaining > 0 {
      guard let raw = reader.next() else { return nil }
      contents.append(
        TrustedContent(
          size: raw.size, hash: raw.hash, verity: raw.verity, source: raw.source, origin: reader.bytes(raw.origin),
          added: raw.added, seen: raw.seen))
    }
    guard reader.isAtEnd else { return nil }
    let entry = TrustEntry(contents: contents, isDistrusted: reader.isDistrusted)
    return (entry, reader.path.map { reader.bytes($0) })
  }
}
