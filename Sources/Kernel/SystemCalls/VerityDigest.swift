// Owns asking for the digest that the kernel holds a file to: fs-verity (ioctl(2), FS_IOC_MEASURE_VERITY).
// It must not read the file.

internal import CSystemCalls

/// A digest of a file's Merkle tree: every read of the file is checked against it, and nobody can write the file.
public struct VerityDigest: Sendable, Hashable {
  /// FS_VERITY_HASH_ALG_*: 1 is SHA-256, 2 is SHA-512.
  public var algorithm: UInt8
  public var digest: [UInt8]

  /// Nil where the file has none or its file system knows none.
  public static func measure(_ descriptor: Int32) -> VerityDigest? {
    var raw = lil_verity()
    guard (try? shimCall { unsafe lil_measure_verity(descriptor, &raw) }) != nil,
      let algorithm = UInt8(exactly: raw.algorithm)
    else { return nil }
    let count = Int(raw.count)
    let digest = unsafe withUnsafeBytes(of: &raw.bytes) { bytes in unsafe [UInt8](bytes.prefix(count)) }
    return VerityDigest(algorithm: algorithm, digest: digest)
  }
  /// Whether the file system that holds the file or folder could hold a file to a digest; asked, not guessed.
  public static func isKnown(to descriptor: Int32) -> Bool {
    var raw = lil_verity()
    do throws(Errno) {
      _ = try shimCall { unsafe lil_measure_verity(descriptor, &raw) }
      return true
    } catch {
      // ENODATA: it could, and this one has none. EOPNOTSUPP and ENOTTY: switched off there, or never heard of.
      return error == .noData
    }
  }
}
