// Owns one running message digest: SHA-256 or MD5, by libcrypto, which uses the processor's own instructions.
// It must not read files, and must not let a failure pass for a digest.

internal import CLibcrypto

public enum DigestAlgorithm: Sendable, Hashable, CaseIterable {
  case sha256
  /// For comparison with what a package says of its files; no proof by itself.
  case md5

  /// Of the digest.
  public var byteCount: Int { self == .sha256 ? 32 : 16 }
  public var name: String { self == .sha256 ? "SHA-256" : "MD5" }
  var fetchName: String { self == .sha256 ? "SHA256" : "MD5" }
}

/// Why there is no digest.
public enum DigestError: Error, Hashable, Sendable, CustomStringConvertible {
  /// libcrypto does not offer the algorithm.
  case unavailable(DigestAlgorithm)
  /// libcrypto gave up in the middle: no memory.
  case failed(DigestAlgorithm)

  public var description: String {
    switch self {
    case .unavailable(let algorithm):
      "libcrypto: it offers no \(algorithm.name); install the distribution's libssl3 with its default provider"
    case .failed(let algorithm):
      "libcrypto: \(algorithm.name) could not be computed; there may be too little memory"
    }
  }
}

/// A message digest that one thread computes, again and again (EVP_DigestInit(3)). `update` and `finish(into:)` allocate
/// nothing.
@safe public final class Digester {
  public let algorithm: DigestAlgorithm
  private let context: OpaquePointer
  private var isWhole = true

  public init(_ algorithm: DigestAlgorithm) throws(DigestError) {
    guard let method = unsafe Library.method(algorithm) else { throw .unavailable(algorithm) }
    guard let context = unsafe EVP_MD_CTX_new() else { throw .failed(algorithm) }
    guard unsafe EVP_DigestInit_ex2(context, method, nil) == 1 else {
      unsafe EVP_MD_CTX_free(context)
      ERR_clear_error()
      throw .unavailable(algorithm)
    }
    self.algorithm = algorithm
    unsafe self.context = context
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Adds bytes.
  public func update(_ bytes: UnsafeRawBufferPointer) {
    // Zero bytes may come without an address, and change nothing.
    guard let start = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
    if unsafe EVP_DigestUpdate(context, start, bytes.count) != 1 { isWhole = false }
  }

  /// Writes the digest of all that was added since the last `reset` to the first `algorithm.byteCount` bytes, which the
  /// caller must have. After it comes `reset`.
  public func finish(into digest: UnsafeMutableRawBufferPointer) throws(DigestError) {
    precondition(digest.count >= algorithm.byteCount, "the buffer holds a digest")
    let start = unsafe digest.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let done = unsafe isWhole && EVP_DigestFinal_ex(context, start, nil) == 1
    isWhole = false
    if !done {
      ERR_clear_error()
      throw .failed(algorithm)
    }
  }

  /// The digest, for what may allocate.
  public func finish() throws(DigestError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: algorithm.byteCount)
    var failed: DigestError?
    unsafe digest.withUnsafeMutableBytes { bytes in
      do throws(DigestError) { try unsafe finish(into: bytes) } catch { failed = error }
    }
    if let failed { throw failed }
    return digest
  }

  /// Begins anew. libcrypto 3.0 exchanges its own state of some hundred bytes here (one malloc(3)); later ones keep it.
  public func reset() { isWhole = unsafe EVP_DigestInit_ex2(context, nil, nil) == 1 }
}
