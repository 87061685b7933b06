// Owns where a trusted content comes from, as the trust database keeps it: one byte string of three parts.
// It must not know what a source says today, nor read anything.

public import TrustDatabase

/// The `origin` of a trusted content: a package or a trust file, the root it is installed under, and what the content
/// was proven with.
public struct ContentOrigin: Sendable, Hashable {
  /// A package's name, or a trust file's.
  public var name: [UInt8]
  /// The root that a sync was told; empty for the host's own. What one root lacks says nothing about another.
  public var root: [UInt8]
  /// For packages the checksum that the package has for the file, so that a file that has not changed is read again
  /// where its package has; for a transaction the process that it belongs to.
  public var mark: [UInt8]

  public init(name: [UInt8], root: [UInt8] = [], mark: [UInt8] = []) {
    self.name = name
    self.root = root
    self.mark = mark
  }

  /// Total: without a zero byte the whole is the name.
  public init(bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    name = Array(parts[0])
    root = parts.count > 1 ? Array(parts[1]) : []
    mark = parts.count > 2 ? Array(parts[2]) : []
  }

  /// Name, root and mark with a zero byte between them, which neither of the first two can have.
  public var bytes: [UInt8] { root.isEmpty && mark.isEmpty ? name : name + [0] + root + [0] + mark }
}

extension TrustedContent {
  /// `origin`, taken apart.
  public var from: ContentOrigin { ContentOrigin(bytes: origin) }
}
