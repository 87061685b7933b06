// Owns handing a path that is bytes, not text, to a system call.
// It must not change the bytes: names in a file system need not be UTF-8.

/// A path as the kernel keeps it; a zero byte in it would end it early, and no name has one.
public struct PathBytes: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Without a final zero byte.
  public let bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public init(_ text: String) { bytes = Array(text.utf8) }

  /// Runs `body` with the path, ended by a zero byte.
  public func withPointer<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer throws(Failure) in
      for index in bytes.indices { unsafe buffer[index] = CChar(bitPattern: bytes[index]) }
      unsafe buffer[bytes.count] = 0
      return try unsafe body(UnsafePointer(buffer.baseAddress!))
    }
  }

  /// The same path with a name of a folder entry behind it.
  public func appending(_ name: [UInt8]) -> PathBytes {
    PathBytes(bytes.last == 0x2f ? bytes + name : bytes + [0x2f] + name)
  }

  /// Everything before the last slash; `/` for what stands directly below it.
  public var folder: PathBytes {
    guard let slash = bytes.lastIndex(of: 0x2f), slash > 0 else { return PathBytes("/") }
    return PathBytes(Array(bytes[..<slash]))
  }

  /// For a sentence; what is not UTF-8 shows as a mark.
  public var description: String { String(decoding: bytes, as: UTF8.self) }

  public static func < (a: PathBytes, b: PathBytes) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

extension Descriptor {
  /// openat(2) with O_CLOEXEC added.
  public static func open(_ path: PathBytes, _ flags: Int32) throws(Errno) -> Descriptor {
    try unsafe path.withPointer { pointer throws(Errno) in try unsafe Descriptor.open(pointer, flags) }
  }
}

extension FileStatus {
  public static func of(path: PathBytes, followingLinks: Bool = true) throws(Errno) -> FileStatus {
    try unsafe path.withPointer { pointer throws(Errno) in
      try unsafe FileStatus.of(path: pointer, followingLinks: followingLinks)
    }
  }
}
