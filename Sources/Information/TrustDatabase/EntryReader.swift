// Owns stepping through the bytes of an entry, one content at a time, without allocation.
// It must not trust them: every step is bounded, and nothing traps.

internal import AccessModel

/// One content, its origin as a place in the bytes.
struct RawContent {
  var size: UInt64
  var added: Int64
  var hash: ContentHash
  var source: TrustSource
  var origin: Range<Int>
  var verity: ContentHash?
  var seen: SeenFile?
}

/// A place in a borrowed buffer. `@safe`: every access is checked against the buffer; its maker keeps the buffer alive.
@safe struct EntryReader {
  private let buffer: UnsafeRawBufferPointer
  private var offset = 0
  private(set) var remaining: Int
  let isDistrusted: Bool
  /// Where the path stands, where it was kept.
  private(set) var path: Range<Int>?

  /// Reads what stands before the contents; nil where that is not what is written.
  init?(_ bytes: UnsafeRawBufferPointer) {
    unsafe buffer = bytes
    remaining = 0
    isDistrusted = unsafe bytes.count > 1 && bytes[1] & EntryFormat.EntryFlags.distrusted.rawValue != 0
    guard number(UInt8.self) == EntryFormat.version,
      let flags = number(UInt8.self).map(EntryFormat.EntryFlags.init(rawValue:)),
      flags.isSubset(of: .all), let count = number(UInt16.self), count <= EntryFormat.largestCount
    else { return nil }
    remaining = Int(count)
    if flags.contains(.hasPath) {
      guard let length = number(UInt16.self), length > 0, length <= EntryFormat.largestPath,
        let place = skip(Int(length))
      else { return nil }
      path = place
    }
  }

  var isAtEnd: Bool { unsafe offset == buffer.count }

  /// The next content; nil where there is none, or none that can be read.
  mutating func next() -> RawContent? {
    guard remaining > 0, let size = number(UInt64.self), size <= UInt64(Int64.max), let added = number(UInt64.self),
      let hash = hash(), let source = number(UInt8.self).flatMap(TrustSource.init(rawValue:)),
      let flags = number(UInt8.self).map(EntryFormat.ContentFlags.init(rawValue:)), flags.isSubset(of: .all),
      let length = number(UInt16.self), length <= EntryFormat.largestOrigin, let origin = skip(Int(length))
    else { return nil }
    var content = RawContent(
      size: size, added: Int64(bitPattern: added), hash: hash, source: source, origin: origin, verity: nil, seen: nil)
    if flags.contains(.verity) {
      guard let verity = self.hash() else { return nil }
      content.verity = verity
    }
    if flags.contains(.seen) {
      guard let seen = seen() else { return nil }
      content.seen = seen
    }
    remaining -= 1
    return content
  }

  func bytes(_ place: Range<Int>) -> [UInt8] { unsafe [UInt8](UnsafeRawBufferPointer(rebasing: buffer[place])) }

  private mutating func seen() -> SeenFile? {
    guard let major = number(UInt32.self), let minor = number(UInt32.self), let inode = number(UInt64.self),
      let changeTime = number(UInt64.self)
    else { return nil }
    return SeenFile(
      device: DeviceNumber(major: major, minor: minor), inode: inode, changeTime: Int64(bitPattern: changeTime))
  }

  private mutating func hash() -> ContentHash? {
    guard let place = skip(ContentHash.byteCount) else { return nil }
    return unsafe ContentHash(UnsafeRawBufferPointer(rebasing: buffer[place]))
  }

  private mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) -> Number? {
    guard let place = skip(MemoryLayout<Number>.size) else { return nil }
    return unsafe Number(littleEndian: buffer.loadUnaligned(fromByteOffset: place.lowerBound, as: Number.self))
  }

  /// Steps over so many bytes, where there are as many.
  private mutating func skip(_ count: Int) -> Range<Int>? {
    guard unsafe buffer.count - offset >= count else { return nil }
    defer { offset += count }
    return offset..<(offset + count)
  }
}
