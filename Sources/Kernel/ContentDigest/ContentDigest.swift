// Owns digests of whole byte strings and whole files, for what may allocate and wait.
// It must not be used where others wait for the answer, `warmUp` apart.

internal import SystemCalls

public enum ContentDigest {
  /// Makes libcrypto ready, so that no later digest looks for providers or settings. Call before the first thread.
  public static func warmUp() throws(DigestError) {
    for algorithm in DigestAlgorithm.allCases {
      let digester = try Digester(algorithm)
      _ = try digester.finish()
    }
  }

  /// SHA-256 of these bytes.
  public static func sha256(of bytes: [UInt8]) throws(DigestError) -> [UInt8] {
    let digester = try Digester(.sha256)
    unsafe bytes.withUnsafeBytes { unsafe digester.update($0) }
    return try digester.finish()
  }

  /// SHA-256 and count of bytes of a file, from its first byte to its end (pread(2)).
  public static func sha256(ofFile descriptor: Int32) throws -> (digest: [UInt8], byteCount: UInt64) {
    let reading = try FileDigester([.sha256])
    let byteCount = try reading.read(descriptor)
    return (reading.digests[0], byteCount)
  }
}
