// Owns SHA-256 in this target's words.
// It must not compute one itself: Kernel/ContentDigest does.

internal import AccessModel
internal import ContentDigest
internal import Glibc
internal import SystemCalls

enum Checksum {
  static func of(_ bytes: [UInt8]) throws(TrustStoreError) -> ContentHash {
    do throws(DigestError) { return hash(try ContentDigest.sha256(of: bytes)) } catch { throw unavailable(error) }
  }

  static func digester() throws(TrustStoreError) -> Digester {
    do throws(DigestError) { return try Digester(.sha256) } catch { throw unavailable(error) }
  }

  static func finish(_ digester: Digester) throws(TrustStoreError) -> ContentHash {
    do throws(DigestError) { return hash(try digester.finish()) } catch { throw unavailable(error) }
  }

  private static func hash(_ bytes: [UInt8]) -> ContentHash {
    guard let hash = ContentHash(bytes) else { preconditionFailure("SHA-256 has 32 bytes") }
    return hash
  }

  private static func unavailable(_ error: DigestError) -> TrustStoreError {
    .system(SystemCallError("SHA-256", "libcrypto", Errno(error == .unavailable(.sha256) ? EOPNOTSUPP : ENOMEM)))
  }
}
