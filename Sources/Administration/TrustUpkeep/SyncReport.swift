// Owns what a sync says when it has ended: what came of every file, counted for each source.
// It must not print.

public import SystemCalls
public import TrustDatabase
public import TrustSources

/// What came of one file that a source names.
public enum FileOutcome: String, CaseIterable, Sendable, Hashable {
  /// It is what its source says.
  case trusted
  /// It is something else: it is not trusted, what its source says still is.
  case changed
  /// The same of a file that the administrator may change.
  case conffileChanged = "conffile-changed"
  case missing
  /// A link, a folder or a device lies there.
  case notRegular = "not-regular"
  case unreadable
  /// It was written to while it was read, several times.
  case changing
  /// A maintainer script that others than root can write; there is no checksum to hold against it.
  case notProtected = "not-protected"
  /// Its source has no checksum, so that nobody vouches for what lies there.
  case withoutChecksum = "without-checksum"
}

/// A file that a source names and that is not trusted.
public struct UntrustedFile: Sendable, Hashable {
  public var path: [UInt8]
  public var source: TrustSource
  /// The package.
  public var origin: [UInt8]
  public var outcome: FileOutcome
  /// For `unreadable`.
  public var errno: Errno?
}

/// One source's line of the table.
public struct SourceOutcome: Sendable, Hashable {
  public var source: TrustSource
  /// Packages, or trust files.
  public var packages = 0
  public var files = 0
  public var counts: [FileOutcome: Int] = [:]
  public var diverted = 0
  /// Contents that are trusted wherever they lie.
  public var anywhere = 0
  /// Paths where nothing is trusted.
  public var distrusted = 0

  public init(source: TrustSource) { self.source = source }

  public func count(_ outcome: FileOutcome) -> Int { counts[outcome, default: 0] }
}

public struct SyncReport: Sendable {
  /// The generation in force; nil where a cancelled sync had nothing to write yet.
  public var manifest: TrustManifest?
  public var sources: [SourceOutcome] = []
  /// In the order of their paths.
  public var untrusted: [UntrustedFile] = []
  public var findings: [SourceFinding] = []
  /// What keeps the trust files from being taken: those of before stay in force.
  public var errors: [TrustSourceError] = []
  public var filesRead = 0
  public var bytesRead: UInt64 = 0
  public var nanoseconds: UInt64 = 0
  /// Why the store was built anew.
  public var damage: String?
  /// False where it was cancelled: what was done is kept, and the next sync goes on from there.
  public var isComplete = true
  /// Files done and to do, for the sentence about a cancelled sync.
  public var progress = UpkeepProgress(stage: .listing)
}
