// Owns Lilium's own part of libcrypto: a library context of its own with the built-in provider.
// It must not read openssl.cnf, nor load a provider from a file: what a digest says must not hang on either.

internal import CLibcrypto

enum Library {
  /// Once for the process. libcrypto never frees what is in use; both live as long as the process.
  @safe private struct Methods: @unchecked Sendable {
    // Constant after they are made; libcrypto allows their use by any number of threads (EVP_MD_fetch(3)).
    let sha256: OpaquePointer?
    let md5: OpaquePointer?
  }

  // An own context holds the default provider even where the system's settings hold only a FIPS one, so MD5 stays
  // what it is here: a comparison, no security function.
  private static let methods: Methods = {
    _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil)
    let context = unsafe OSSL_LIB_CTX_new()
    guard unsafe context != nil, unsafe OSSL_PROVIDER_load(context, "default") != nil else {
      ERR_clear_error()
      return unsafe Methods(sha256: nil, md5: nil)
    }
    let found = unsafe Methods(
      sha256: EVP_MD_fetch(context, DigestAlgorithm.sha256.fetchName, nil),
      md5: EVP_MD_fetch(context, DigestAlgorithm.md5.fetchName, nil))
    ERR_clear_error()
    return found
  }()

  static func method(_ algorithm: DigestAlgorithm) -> OpaquePointer? {
    unsafe algorithm == .sha256 ? methods.sha256 : methods.md5
  }
}
