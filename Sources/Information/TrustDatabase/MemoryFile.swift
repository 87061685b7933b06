// Owns a file in memory that nobody else sees (memfd_create(2)): what LMDB works on, so that neither a damaged disk
// nor a file that shrinks under a mapping can end the process.
// It must not know what the bytes mean.

internal import AccessModel
internal import CLMDB
internal import ContentDigest
internal import SystemCalls

struct MemoryFile: ~Copyable {
  private let file: Descriptor

  init() throws(TrustStoreError) {
    do throws(Errno) { file = Descriptor(owning: try shimCall { unsafe lil_memory_file("lilium-trust") }) } catch {
      throw .system(SystemCallError("memfd_create", "lilium-trust", error))
    }
  }

  var descriptor: Int32 { file.rawValue }

  /// Leads to this file and to no other, for this process.
  var path: String { "/proc/self/fd/\(file.rawValue)" }

  var byteCount: UInt64 {
    get throws(TrustStoreError) {
      do throws(Errno) { return try FileStatus.of(descriptor: file.rawValue).size } catch {
        throw .system(SystemCallError("statx", "memfd", error))
      }
    }
  }

  /// No byte changes from now on.
  func seal() throws(TrustStoreError) {
    do throws(Errno) { _ = try shimCall { lil_seal_file(file.rawValue) } } catch {
      throw .system(SystemCallError("fcntl", "memfd", error))
    }
  }

  /// Copies a file of exactly this many bytes; SHA-256 of what was copied, nil where there were fewer or more.
  func fill(from source: borrowing Descriptor, byteCount: UInt64, place: String) throws(TrustStoreError) -> ContentHash?
  {
    let target = file.rawValue
    let copied = try Self.copy(
      from: source.rawValue, to: target, limit: byteCount, reading: place, writing: "memfd")
    return copied.byteCount == byteCount ? copied.hash : nil
  }

  /// Writes all of it, at the target's position.
  func write(to target: borrowing Descriptor, place: String) throws(TrustStoreError) -> (
    byteCount: UInt64, hash: ContentHash
  ) {
    try Self.copy(
      from: file.rawValue, to: target.rawValue, limit: TrustManifest.largestFile, reading: "memfd", writing: place)
  }

  private static let pieceSize = 256 * 1024

  /// From the first byte to the end; where there are more bytes than the limit, some more of them.
  private static func copy(
    from source: Int32, to target: Int32, limit: UInt64, reading: String, writing: String
  ) throws(TrustStoreError) -> (byteCount: UInt64, hash: ContentHash) {
    let digester = try Checksum.digester()
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 4096)
    defer { unsafe piece.deallocate() }
    var offset: UInt64 = 0
    while offset <= limit {
      let count = try call("read", reading) { () throws(Errno) in
        try unsafe readDescriptor(source, piece, at: Int64(offset))
      }
      if count == 0 { break }
      let part = unsafe UnsafeRawBufferPointer(rebasing: piece[..<count])
      unsafe digester.update(part)
      try call("write", writing) { () throws(Errno) in try unsafe writeAll(part, to: target) }
      offset += UInt64(count)
    }
    return (offset, try Checksum.finish(digester))
  }
}
