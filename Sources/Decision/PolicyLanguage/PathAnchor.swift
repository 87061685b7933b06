// Owns the answer to "which files does this open rule name?": what the sensor must watch for it.
// It must not look at the file system: paths are bytes here.

/// A set of files that an `open` rule names by their paths.
public struct PathAnchor: Sendable, Hashable {
  /// From narrow to wide.
  public enum Kind: UInt8, Sendable, Hashable, Comparable {
    /// The file with this path.
    case exact
    /// Everything directly in the folder with this path.
    case children
    /// Every file whose path begins with these bytes.
    case prefix

    public static func < (a: Kind, b: Kind) -> Bool { a.rawValue < b.rawValue }
  }

  public let kind: Kind
  /// Absolute; without a final slash for `exact` and `children` (`/` itself apart).
  public let path: [UInt8]

  public init(_ kind: Kind, _ path: [UInt8]) {
    self.kind = kind
    self.path = path
  }

  /// Whether the file with this path is one of those named. Allocates nothing.
  public func covers(_ file: [UInt8]) -> Bool {
    let file = file.span
    switch kind {
    case .exact: return Text.order(file, path.span) == 0
    case .prefix: return Text.starts(file, with: path.span)
    case .children: return Text.order(file.extracting(0..<Text.directoryLength(of: file)), path.span) == 0
    }
  }
}
