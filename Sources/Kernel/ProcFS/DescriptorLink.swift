// Owns the path /proc/self/fd/N of a descriptor, and filling an array from raw bytes without a new one.
// It must not open what the path leads to: that would raise an event.

public enum DescriptorLink {
  /// Runs `body` with the path, ended by a zero byte.
  public static func withPath<Result: ~Copyable, Failure: Error>(
    _ descriptor: Int32, _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let prefix: StaticString = "/proc/self/fd/"
    return try unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer throws(Failure) in
      var end = 0
      prefix.withUTF8Buffer {
        for index in $0.indices {
          unsafe buffer[end] = CChar(bitPattern: $0[index])
          end += 1
        }
      }
      var divisor: Int32 = 1
      while descriptor / divisor >= 10 { divisor *= 10 }
      while divisor > 0 {
        unsafe buffer[end] = CChar(0x30 + (descriptor / divisor) % 10)
        end += 1
        divisor /= 10
      }
      unsafe buffer[end] = 0
      return try unsafe body(UnsafePointer(buffer.baseAddress!))
    }
  }
}

extension [UInt8] {
  /// Takes the bytes; keeps its storage where it is large enough and nobody else's.
  public mutating func replace(with bytes: UnsafeRawBufferPointer) {
    removeAll(keepingCapacity: true)
    unsafe append(contentsOf: bytes)
  }
}
