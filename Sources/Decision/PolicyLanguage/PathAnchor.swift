// Owns the answer to "which files does this open rule name?": what the sensor must watch for it.
// It must not look at the file system: paths are bytes here.

internal import AccessModel

/// A set of files that an `open` rule names by their paths.
public struct PathAnchor: Sendable, Hashable {
  /// From narrow to wide.
  public enum Kind: UInt8, Sendable, Hashable {
    /// The file with this path.
    case exact
    /// Everything directly in the folder with this path.
    case children
    /// Every file whose path begins with these bytes.
    case prefix
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

extension PathAnchor {
  /// The files that a condition restricts a rule to: every file for which it can be true is among them. Nil where it
  /// names none.
  static func named(by condition: Expression) -> [PathAnchor]? {
    switch condition {
    case .compare(.equal, .attribute(let attribute), .string(let path)),
      .compare(.equal, .string(let path), .attribute(let attribute)):
      return kind(of: attribute).map { [PathAnchor($0, path)] }
    case .member(.attribute(let attribute), in: .stringList(let paths)):
      return kind(of: attribute).map { kind in paths.map { PathAnchor(kind, $0) } }
    case .text(.startsWith, .attribute(let attribute), .string(let path)):
      return kind(of: attribute).map { _ in [PathAnchor(.prefix, path)] }
    case .all(let parts):
      return parts.compactMap(named(by:)).min { isNarrower($0, $1) }
    case .any(let parts):
      let named = parts.compactMap(named(by:))
      return named.count == parts.count ? named.flatMap(\.self) : nil
    default: return nil
    }
  }

  private static func kind(of attribute: Attribute) -> Kind? {
    switch attribute {
    case .objectPath: .exact
    case .objectDirectory: .children
    default: nil
    }
  }

  /// Those that can be watched come first, then by the widest of each, then by how many there are.
  private static func isNarrower(_ a: [PathAnchor], _ b: [PathAnchor]) -> Bool {
    func rank(_ anchors: [PathAnchor]) -> (Int, UInt8, Int) {
      let isRefused = anchors.contains { $0.problem != nil }
      return (isRefused ? 1 : 0, anchors.map(\.kind.rawValue).max() ?? 0, anchors.count)
    }
    return rank(a) < rank(b)
  }
}
