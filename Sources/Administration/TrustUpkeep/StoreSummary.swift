// Owns counting what the trust database holds, source by source.
// It must not judge files.

public import TrustDatabase

/// What `liliumctl trust status` says.
public struct StoreSummary: Sendable {
  public struct Line: Sendable, Hashable {
    public let source: TrustSource
    /// Packages or trust files.
    public var origins = 0
    public var paths = 0
    /// Trusted wherever they lie.
    public var anywhere = 0
  }

  public var manifest: TrustManifest
  /// Sources that have anything, in their own order.
  public var lines: [Line] = []
  public var distrusted = 0

  public init(_ snapshot: TrustSnapshot) throws {
    manifest = snapshot.manifest
    var lines = TrustSource.allCases.map { Line(source: $0) }
    var origins = TrustSource.allCases.map { _ in Set<ContentOrigin>() }
    let place = Dictionary(uniqueKeysWithValues: TrustSource.allCases.enumerated().map { ($1, $0) })
    func count(_ content: TrustedContent) -> Int {
      let index = place[content.source] ?? 0
      var from = content.from
      from.mark = []
      origins[index].insert(from)
      return index
    }
    var distrusted = 0
    try snapshot.forEachPath { _, entry in
      for index in Set(entry.contents.map(count)) { lines[index].paths += 1 }
      if entry.isDistrusted { distrusted += 1 }
      return true
    }
    try snapshot.forEachContent { content in
      lines[count(content)].anywhere += 1
      return true
    }
    for index in lines.indices { lines[index].origins = origins[index].count }
    self.lines = lines.filter { $0.origins > 0 }
    self.distrusted = distrusted
  }
}

extension TrustStore {
  /// Whether there is a database; throws where it is damaged or cannot be read.
  func exists() throws(TrustStoreError) -> Bool {
    do {
      _ = try manifest()
      return true
    } catch {
      if case .missing = error { return false }
      throw error
    }
  }
}
