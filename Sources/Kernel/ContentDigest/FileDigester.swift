// Owns reading a file once for several digests, with a buffer that is used again.
// It must not open, and must not judge whether the file changed meanwhile: its caller compares the status.

internal import Glibc
internal import SystemCalls

/// One thread's reader of files (pread(2)).
@safe public final class FileDigester {
  private let digesters: [Digester]
  private let buffer: UnsafeMutableRawBufferPointer
  /// Bytes that are read at once.
  private static let pieceSize = 256 * 1024

  /// What `read` found, in the order of the algorithms.
  public private(set) var digests: [[UInt8]]

  public init(_ algorithms: [DigestAlgorithm]) throws(DigestError) {
    var digesters: [Digester] = []
    for algorithm in algorithms { digesters.append(try Digester(algorithm)) }
    self.digesters = digesters
    digests = algorithms.map { [UInt8](repeating: 0, count: $0.byteCount) }
    unsafe buffer = .allocate(byteCount: Self.pieceSize, alignment: 4096)
  }

  deinit { unsafe buffer.deallocate() }

  /// Reads from the first byte to the end and leaves the digests in `digests`; the count of bytes. Throws an `Errno` or
  /// a `DigestError`. `progress` is told of every piece, and ends the reading with ECANCELED by false.
  @discardableResult
  public func read(_ descriptor: Int32, progress: (Int) -> Bool = { _ in true }) throws -> UInt64 {
    for digester in digesters { digester.reset() }
    var offset: Int64 = 0
    while true {
      let count = try unsafe readDescriptor(descriptor, buffer, at: offset)
      if count == 0 { break }
      for digester in digesters { unsafe digester.update(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
      offset += Int64(count)
      if !progress(count) { throw Errno(ECANCELED) }
    }
    for index in digesters.indices { digests[index] = try digesters[index].finish() }
    return UInt64(offset)
  }
}
