// Digests against published values, in pieces and from files; and what does not give one.

import CAllocationCounter
import ContentDigest
import Glibc
import SystemCalls
import Testing

@Suite struct DigesterTests {
  private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private func digest(_ algorithm: DigestAlgorithm, _ bytes: [UInt8], pieces: Int = 1) throws -> String {
    let digester = try Digester(algorithm)
    let length = max(1, (bytes.count + pieces - 1) / pieces)
    for start in stride(from: 0, to: bytes.count, by: length) {
      Array(bytes[start..<min(start + length, bytes.count)]).withUnsafeBytes { digester.update($0) }
    }
    return hexadecimal(try digester.finish())
  }

  // FIPS 180-4 and RFC 1321.
  @Test(arguments: [
    (DigestAlgorithm.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      .sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (.md5, "", "d41d8cd98f00b204e9800998ecf8427e"), (.md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
    (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
  ])
  func publishedValues(_ algorithm: DigestAlgorithm, _ text: String, _ expected: String) throws {
    #expect(try digest(algorithm, Array(text.utf8)) == expected)
    #expect(expected.count == 2 * algorithm.byteCount)
  }

  @Test(arguments: DigestAlgorithm.allCases, [1, 2, 3, 7, 64, 1000])
  func piecesMakeNoDifference(_ algorithm: DigestAlgorithm, _ pieces: Int) throws {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    #expect(try digest(algorithm, bytes, pieces: pieces) == digest(algorithm, bytes))
  }

  @Test func aFinishedDigestIsNotGoneOnWith() throws {
    let digester = try Digester(.sha256)
    [UInt8]("abc".utf8).withUnsafeBytes { digester.update($0) }
    let first = try digester.finish()
    #expect(throws: DigestError.failed(.sha256)) { try digester.finish() }
    [UInt8]("abc".utf8).withUnsafeBytes { digester.update($0) }
    #expect(throws: DigestError.failed(.sha256)) { try digester.finish() }
    digester.reset()
    [UInt8]("abc".utf8).withUnsafeBytes { digester.update($0) }
    #expect(try digester.finish() == first)
  }

  @Test(arguments: DigestAlgorithm.allCases)
  func usingItAgainAllocatesNextToNothing(_ algorithm: DigestAlgorithm) throws {
    try ContentDigest.warmUp()
    let digester = try Digester(algorithm)
    let bytes = [UInt8](repeating: 7, count: 5000)
    let found = UnsafeMutableRawBufferPointer.allocate(byteCount: algorithm.byteCount, alignment: 1)
    defer { found.deallocate() }
    func once() throws(DigestError) -> (reset: UInt64, rest: UInt64) {
      let before = lilium_allocations()
      digester.reset()
      let between = lilium_allocations()
      bytes.withUnsafeBytes { digester.update($0) }
      try digester.finish(into: found)
      return (between - before, lilium_allocations() - between)
    }
    _ = try once()
    for _ in 0..<100 {
      let (reset, rest) = try once()
      #expect(reset <= 1 && rest == 0)
    }
    let text = hexadecimal(Array(found))
    #expect(try text == digest(algorithm, bytes))
  }

  @Test(arguments: [0, 1, 262143, 262144, 262145, 1_000_003])
  func aFileIsReadToItsEnd(_ size: Int) throws {
    let path = "/tmp/lilium-digest-\(getpid())-\(size)"
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
    let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
    unlink(path)
    try file.writeAll(bytes)
    // The descriptor stands at the end: its position is not used.
    let (found, count) = try ContentDigest.sha256(ofFile: file.rawValue)
    #expect(count == UInt64(size))
    #expect(try found == ContentDigest.sha256(of: bytes))
    let both = try FileDigester([.md5, .sha256])
    for _ in 0..<2 {
      #expect(try both.read(file.rawValue) == UInt64(size))
      #expect(both.digests[1] == found)
      #expect(try hexadecimal(both.digests[0]) == digest(.md5, bytes))
    }
  }

  @Test func aReadingCanBeEnded() throws {
    let reading = try FileDigester([.sha256])
    let zeroes = try Descriptor.open("/dev/zero", O_RDONLY)
    var seen = 0
    #expect(throws: Errno(ECANCELED)) {
      try reading.read(zeroes.rawValue) { count in
        seen += count
        return seen < 1 << 20
      }
    }
    #expect(seen >= 1 << 20)
  }

  @Test func whatCannotBeReadGivesNoDigest() throws {
    let folder = try Descriptor.open("/", O_RDONLY)
    #expect(throws: Errno(EISDIR)) { try ContentDigest.sha256(ofFile: folder.rawValue) }
    #expect(throws: Errno(EBADF)) { try ContentDigest.sha256(ofFile: -1) }
  }
}
