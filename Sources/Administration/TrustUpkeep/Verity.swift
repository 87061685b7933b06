// Owns asking the kernel for the fs-verity digest of an open file.
// It must not read the file, nor judge the digest.

internal import AccessModel
internal import ContentDigest
internal import Glibc

enum Verity {
  /// Asks for the digest of an open file.
  typealias Measure = @Sendable (Int32) -> ContentHash?

  /// FS_IOC_MEASURE_VERITY of linux/fsverity.h: the struct's head is 4 bytes, the digest stands behind it.
  private static let request: UInt = 0xc004_6686
  private static let largestDigest = 64

  /// SHA-256 over the algorithm's number in one byte and the digest (ioctl(2), FS_IOC_MEASURE_VERITY); nil where the
  /// kernel does not hold the file to one.
  static func measure(_ descriptor: Int32) -> ContentHash? {
    var buffer = [UInt8](repeating: 0, count: 4 + largestDigest)
    // Algorithm and size, each 16 bits in the processor's order; the size says how much room there is.
    buffer.withUnsafeMutableBytes { $0.storeBytes(of: UInt16(largestDigest), toByteOffset: 2, as: UInt16.self) }
    guard buffer.withUnsafeMutableBytes({ ioctl(descriptor, request, $0.baseAddress!) }) == 0 else { return nil }
    let (algorithm, size) = buffer.withUnsafeBytes {
      ($0.load(as: UInt16.self), Int($0.load(fromByteOffset: 2, as: UInt16.self)))
    }
    guard let number = UInt8(exactly: algorithm), (1...largestDigest).contains(size) else { return nil }
    return (try? ContentDigest.sha256(of: [number] + buffer[4..<4 + size])).flatMap { ContentHash($0) }
  }
}
