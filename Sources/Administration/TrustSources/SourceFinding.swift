// Owns what is said about a source: a finding that leaves the rest usable, or an error that does not.
// It must not print, and must never pass a control character of a file on.

internal import SystemCalls

/// Something that a source cannot vouch for.
public struct SourceFinding: Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, CaseIterable, Sendable, Hashable {
    /// The file lies under another name.
    case diverted
    /// Files of which no checksum is recorded.
    case withoutChecksum = "without-checksum"
    /// A checksum of a kind that proves nothing here.
    case weakChecksum = "weak-checksum"
    /// The list of a package's files is not there.
    case listMissing = "list-missing"
    /// A line that cannot be understood or obeyed.
    case damagedLine = "damaged-line"
    /// A file of the source that others could have written.
    case notProtected = "not-protected"
    /// Two packages say different things of one path.
    case contradiction
    /// The package is not whole: its installation has not ended.
    case incomplete
  }

  public let kind: Kind
  /// The package, where there is one.
  public let package: [UInt8]
  /// The file that it is about, or nothing.
  public let path: [UInt8]
  /// FILE or FILE:LINE, ready to be shown; empty where it is not about a text.
  public let place: String
  /// How many files it stands for.
  public let count: Int
  public let message: String
  public let remedy: String

  init(
    _ kind: Kind, package: [UInt8] = [], path: [UInt8] = [], place: String = "", count: Int = 1, _ message: String,
    remedy: String
  ) {
    self.kind = kind
    self.package = package
    self.path = path
    self.place = place
    self.count = count
    self.message = message
    self.remedy = remedy
  }

  /// Place, sentence and remedy in one line.
  public var description: String {
    let names = [place, PathText.shown(package), PathText.shown(path)].filter { !$0.isEmpty }
    return (names + ["\(message); \(remedy)"]).joined(separator: ": ")
  }
}

/// A source that cannot be read at all.
public struct TrustSourceError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    case missing
    /// Not what it should be.
    case damaged
    case tooLarge
    /// Others than root could have written it.
    case notProtected
    /// A program that was asked failed.
    case program
    case system
  }

  public let kind: Kind
  /// Path, or PATH:LINE:COLUMN, ready to be shown.
  public let place: String
  public let message: String
  public let remedy: String

  init(_ kind: Kind, _ place: String, _ message: String, remedy: String) {
    self.kind = kind
    self.place = place
    self.message = message
    self.remedy = remedy
  }

  init(_ call: String, _ path: [UInt8], _ errno: Errno) {
    kind = errno == .noEntry ? .missing : .system
    place = PathText.shown(path)
    message = "\(call): \(errno)"
    remedy = errno == .access || errno == .permission ? "run this as root" : "look at the path and its file system"
  }

  public var description: String { "\(place): \(message); \(remedy)" }
}
