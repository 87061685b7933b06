// Owns the words for content and the trust in it: digest, trust state, and the port to what is trusted.
// It must not hash, store or look anything up: Information does.

/// A SHA-256, as four words in the order of its bytes.
public struct ContentHash: Sendable, Hashable {
  /// Each word is 8 bytes of the digest, the first byte in the highest place.
  private var words: (UInt64, UInt64, UInt64, UInt64)
  public static let byteCount = 32

  public init() { words = (0, 0, 0, 0) }

  /// From 32 bytes; nil for any other count.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    self.init()
    var index = 0
    for byte in bytes {
      self[index / 8] |= UInt64(byte) << UInt64(56 - index % 8 * 8)
      index += 1
    }
  }

  /// From 64 hexadecimal digits of either case.
  public init?(hexadecimal text: some Collection<UInt8>) {
    guard text.count == 2 * Self.byteCount else { return nil }
    self.init()
    var index = 0
    for character in text {
      guard let digit = Self.digit(character) else { return nil }
      self[index / 16] |= UInt64(digit) << UInt64(60 - index % 16 * 4)
      index += 1
    }
  }

  public var bytes: [UInt8] {
    (0..<Self.byteCount).map { UInt8(truncatingIfNeeded: self[$0 / 8] >> UInt64(56 - $0 % 8 * 8)) }
  }

  /// 64 lower-case hexadecimal digits.
  public var hexadecimal: [UInt8] { (0..<2 * Self.byteCount).map(digit(at:)) }

  /// One of the 64 digits, counted from 0.
  public func digit(at place: Int) -> UInt8 {
    let digit = UInt8(truncatingIfNeeded: self[place / 16] >> UInt64(60 - place % 16 * 4)) & 0xf
    return digit < 10 ? 0x30 + digit : 0x57 + digit
  }

  /// The first 8 bytes: as good as random, for tables.
  public var prefix: UInt64 { words.0 }

  public static func == (a: ContentHash, b: ContentHash) -> Bool { a.words == b.words }
  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

  private subscript(index: Int) -> UInt64 {
    get {
      switch index {
      case 0: words.0
      case 1: words.1
      case 2: words.2
      default: words.3
      }
    }
    set {
      switch index {
      case 0: words.0 = newValue
      case 1: words.1 = newValue
      case 2: words.2 = newValue
      default: words.3 = newValue
      }
    }
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x41...0x46: character - 0x37
    case 0x61...0x66: character - 0x57
    default: nil
    }
  }
}

/// Whether an object's content is trusted, and why not.
public enum TrustState: UInt8, CaseIterable, Sendable, Hashable {
  /// The content is one that is trusted at this path, or wherever it lies.
  case trusted
  /// Nothing is known of this path, and the content is not trusted wherever it lies.
  case unknown
  /// The path is known with another content.
  case changed
  /// Somebody holds the file open for writing: what was read may still change.
  case openForWriting

  public var name: String {
    switch self {
    case .trusted: "trusted"
    case .unknown: "unknown"
    case .changed: "changed"
    case .openForWriting: "open-for-writing"
    }
  }
}

/// How sure a digest must be, by the path of the file.
public enum IntegrityMode: UInt8, CaseIterable, Sendable, Hashable {
  /// The size alone is compared: for files that only root can write and that are too large to read.
  case size
  case sha256

  public var name: String { self == .size ? "size" : "sha256" }
}

/// What is asked of the trust database before a file is read.
public enum TrustExpectation: Sendable, Hashable {
  /// There is no database that can be believed.
  case unavailable
  /// No content of this size is trusted at this path, and nothing of this size wherever it lies.
  case unknown
  /// The path is known, with other sizes only.
  case changed
  /// Content of this size may be trusted: its digest tells.
  case possible
}

/// How a digest was made.
public enum DigestKind: UInt8, Sendable, Hashable {
  /// SHA-256 over the content.
  case content
  /// SHA-256 over algorithm (one byte) and digest of the Merkle tree that the kernel holds the file to (fs-verity).
  case verity
}

/// The trust database, as the answer path asks it: never waits, never fails. `path` is nil where no path of the file can
/// be believed; then only content that is trusted wherever it lies counts.
public protocol TrustBase: Sendable {
  func expectation(ofSize size: UInt64, at path: [UInt8]?) -> TrustExpectation
  /// `unknown` where the database has gone meanwhile.
  func judge(_ digest: ContentHash, _ kind: DigestKind, size: UInt64, at path: [UInt8]?) -> TrustState
  /// Whether some trusted file of this size was known by its fs-verity digest.
  func knowsVerity(ofSize size: UInt64, at path: [UInt8]?) -> Bool
}

/// A place where what is known of file contents is kept for as long as the files stay as they are.
public protocol ContentMemory: Sendable {
  /// The file was modified, or nobody knows which one was (nil).
  func forget(_ file: FileIdentity?)
}

/// Tells a `ContentMemory` of modifications.
public protocol ContentWatch: Sendable {
  /// From now on modifications of this open file are told. False where they cannot be.
  func watch(_ descriptor: Int32) -> Bool
}
