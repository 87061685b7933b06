// Owns what the trust database holds: which contents are trusted at a path, and where each was learnt.
// It must not know how they are stored, or judge a file.

public import AccessModel

/// Where a content was learnt. The raw values stand in the store.
public enum TrustSource: UInt8, CaseIterable, Sendable, Hashable {
  /// An installed Debian package.
  case dpkg = 1
  /// An installed RPM package.
  case rpm = 2
  /// A trust file of the administrator.
  case file = 3
  /// A package that is being unpacked.
  case transaction = 4

  public var name: String {
    switch self {
    case .dpkg: "dpkg"
    case .rpm: "rpm"
    case .file: "file"
    case .transaction: "transaction"
    }
  }

  public init?(name: String) {
    guard let source = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = source
  }
}

/// How the file lay when it was read: enough to know that it need not be read again.
public struct SeenFile: Sendable, Hashable {
  public var device: DeviceNumber
  public var inode: UInt64
  /// In nanoseconds since the epoch.
  public var changeTime: Int64

  public init(device: DeviceNumber, inode: UInt64, changeTime: Int64) {
    self.device = device
    self.inode = inode
    self.changeTime = changeTime
  }
}

/// One content that is trusted.
public struct TrustedContent: Sendable, Hashable {
  /// In bytes; less than 2^63, as the kernel counts them.
  public var size: UInt64
  public var hash: ContentHash
  /// SHA-256 over algorithm (one byte) and fs-verity digest, where the file has one.
  public var verity: ContentHash?
  public var source: TrustSource
  /// The package's name, or that of the trust file; at most 4,096 bytes.
  public var origin: [UInt8]
  /// When it was first trusted: seconds since the epoch.
  public var added: Int64
  public var seen: SeenFile?

  public init(
    size: UInt64, hash: ContentHash, verity: ContentHash? = nil, source: TrustSource, origin: [UInt8], added: Int64,
    seen: SeenFile? = nil
  ) {
    self.size = size
    self.hash = hash
    self.verity = verity
    self.source = source
    self.origin = origin
    self.added = added
    self.seen = seen
  }
}

/// What is known of a path.
public struct TrustEntry: Sendable, Hashable {
  /// Any of these may lie there; during a package transaction the old and the new one. At most 1,024.
  public var contents: [TrustedContent]
  /// `! path`: nothing is ever trusted there, whatever `contents` says.
  public var isDistrusted: Bool

  public init(contents: [TrustedContent], isDistrusted: Bool = false) {
    self.contents = contents
    self.isDistrusted = isDistrusted
  }

  /// It says nothing: storing it is removing it.
  public var isEmpty: Bool { contents.isEmpty && !isDistrusted }
}
