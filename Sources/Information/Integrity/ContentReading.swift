// Owns reading a whole file for its SHA-256: at once where it is short and in memory, else in the waiting room.
// It must not let a thread that others wait for wait for a disk or for a long file.

internal import AccessModel
internal import ContentDigest
internal import SystemCalls

/// One thread's reader.
@safe final class ContentReading {
  enum Outcome {
    /// The digest of as many bytes as the status promised.
    case digest(ContentHash)
    /// The file has more or fewer bytes than its status says: it changed, or its content is made up as it is read.
    case otherSize
    case failed(Failure)
    /// Somebody else has found out meanwhile.
    case found(ContentHash)
  }

  /// Bytes that may be hashed on a thread that others wait for: about 80 µs.
  private static let shortFile: UInt64 = 128 * 1024
  private static let pieceSize = 32 * 1024
  /// After so many bytes it is worth a look whether another thread has the digest.
  private static let longPiece: UInt64 = 8 << 20

  private let digester: Digester
  private let piece: UnsafeMutableRawBufferPointer
  private let room: any WaitingRoom

  init(room: any WaitingRoom) throws(DigestError) {
    digester = try Digester(.sha256)
    unsafe piece = .allocate(byteCount: Self.pieceSize, alignment: 64)
    self.room = room
  }

  deinit { unsafe piece.deallocate() }

  /// `known` is asked now and then while a long file is read.
  func read(_ descriptor: Int32, size: UInt64, known: () -> ContentHash?) -> Outcome {
    digester.reset()
    var offset: UInt64 = 0
    if size <= Self.shortFile, let outcome = readWithoutWaiting(descriptor, size, &offset) { return outcome }
    // From the start, at 128 KiB at most: a digest never mixes reads of both kinds.
    digester.reset()
    offset = 0
    guard room.enter() else { return .failed(.outOfThreads) }
    defer { room.leave() }
    return readWaiting(descriptor, size, &offset, known)
  }

  /// Nil where the thread would have to wait.
  private func readWithoutWaiting(_ descriptor: Int32, _ size: UInt64, _ offset: inout UInt64) -> Outcome? {
    while true {
      let count: Int
      do throws(Errno) {
        count = try unsafe readDescriptorWithoutWaiting(descriptor, piece, at: Int64(offset))
      } catch {
        if error == .again || error == .notSupported { return nil }
        return .failed(.objectUnreadable)
      }
      // Linux 5.9 and 5.10 may say "end of file" here where the page is only not in memory: preadv2(2), BUGS.
      if count == 0 { return offset == size ? finish(true) : nil }
      take(count, &offset)
      if offset > size { return .otherSize }
    }
  }

  private func readWaiting(
    _ descriptor: Int32, _ size: UInt64, _ offset: inout UInt64, _ known: () -> ContentHash?
  ) -> Outcome {
    var nextLook = Self.longPiece
    while true {
      guard let place = Int64(exactly: offset),
        let count = try? unsafe readDescriptor(descriptor, piece, at: place)
      else { return .failed(.objectUnreadable) }
      if count == 0 { return finish(offset == size) }
      take(count, &offset)
      if offset > size { return .otherSize }
      if offset >= nextLook {
        nextLook += Self.longPiece
        if let digest = known() { return .found(digest) }
      }
    }
  }

  private func take(_ count: Int, _ offset: inout UInt64) {
    unsafe digester.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
    offset += UInt64(count)
  }

  private func finish(_ isWhole: Bool) -> Outcome {
    guard isWhole else { return .otherSize }
    return digest().map { .digest($0) } ?? .failed(.objectUnreadable)
  }

  /// SHA-256 over an fs-verity digest, its algorithm's number first.
  func digest(of verity: VerityDigest) -> ContentHash? {
    digester.reset()
    unsafe piece.storeBytes(of: verity.algorithm, as: UInt8.self)
    unsafe digester.update(UnsafeRawBufferPointer(rebasing: piece[..<1]))
    unsafe verity.digest.withUnsafeBytes { unsafe digester.update($0) }
    return digest()
  }

  private func digest() -> ContentHash? {
    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: piece[..<ContentHash.byteCount])
    do throws(DigestError) { try unsafe digester.finish(into: room) } catch { return nil }
    return unsafe ContentHash(room)
  }
}
