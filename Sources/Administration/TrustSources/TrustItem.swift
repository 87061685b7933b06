// Owns the words in which every source speaks: a file, the content that it should have, and who says so.
// It must not read a file's content or know what is trusted: whoever asks compares.

/// One file as its source describes it. A path may come more than once where its sources disagree; then each content
/// is one that somebody vouches for.
public struct TrustItem: Sendable, Hashable {
  /// What a source knows of a content.
  public enum Proof: Sendable, Hashable {
    /// The 16 bytes of an MD5: enough to find the file that was installed, not enough to trust another one.
    case md5([UInt8])
    /// The 32 bytes of a SHA-256.
    case sha256([UInt8])
    /// Nothing was recorded, so nothing can be compared.
    case none
  }

  /// Where the file lies, as the host sees it: the root's own path included, links among its folders followed inside
  /// the root, diversions applied. The last name is taken as it is: what stands there may be a link, or nothing.
  public var path: [UInt8]
  /// As the source says it, made absolute, below its root.
  public var listedPath: [UInt8]
  /// In bytes, where the source knows it.
  public var size: UInt64?
  public var proof: Proof
  /// The package, as `dpkg -V` or `rpm -V` takes it, or the name of the trust file.
  public var origin: [UInt8]
  /// A file that the administrator may change (dpkg's conffile, rpm's %config).
  public var isConffile: Bool
  /// A maintainer script in dpkg's own folder; dpkg keeps no checksum of it.
  public var isMaintainerScript: Bool

  public init(
    path: [UInt8], listedPath: [UInt8], size: UInt64? = nil, proof: Proof, origin: [UInt8], isConffile: Bool = false,
    isMaintainerScript: Bool = false
  ) {
    self.path = path
    self.listedPath = listedPath
    self.size = size
    self.proof = proof
    self.origin = origin
    self.isConffile = isConffile
    self.isMaintainerScript = isMaintainerScript
  }
}

/// What a source says of a whole root.
public struct SourceReport: Sendable, Hashable {
  public var items: [TrustItem] = []
  public var findings: [SourceFinding] = []
  /// Packages that have files.
  public var packageCount = 0
  /// Files that are there and of which no usable checksum is recorded: items with `Proof.none` that are no scripts.
  public var withoutChecksum = 0
  /// Files that lie under another name than their package says.
  public var diverted = 0

  public init() {}
}
