// Owns how what a source says today is written over what the store says of that source: others' words stay.
// It must not read files or sources.

internal import SystemCalls
internal import TrustDatabase

/// What a source trusts, or a part of it.
struct StoreEdit {
  /// By path, each content once.
  var contents: [[UInt8]: [TrustedContent]]
  /// What the source trusts wherever it lies, and where it trusts nothing; nil where it has no such words.
  var anywhere: [TrustedContent]?
  var distrusted: Set<[UInt8]>?
  let source: TrustSource
  /// Whose contents are replaced.
  let root: [UInt8]
  /// Transactions that have not ended.
  let transactions: TransactionBook
  /// So many files may go at once, and any number that is not more than half of them.
  static let mostLost = 100

  /// Adds what was learnt so far; what the source said before stays.
  func add(to store: TrustTransaction) throws {
    for (path, contents) in contents {
      var entry = try store.entry(at: path) ?? TrustEntry(contents: [])
      for content in contents where !entry.contents.contains(content) {
        entry.contents.removeAll { $0.source == source && $0.origin == content.origin && $0.hash == content.hash }
        entry.contents.append(content)
      }
      try store.set(entry, at: path)
    }
  }

  /// Makes the store say of this source and root what this says, and nothing else; transactions that have ended are
  /// forgotten. Throws `SyncError.loss` where most of what the source said would go, unless that is meant: a source
  /// that was asked in a wrong place must not empty the database.
  func replace(in store: TrustTransaction, allowsLoss: Bool = false) throws {
    var (vouched, lost) = (0, 0)
    var edits: [(path: [UInt8], entry: TrustEntry)] = []
    var left = contents
    var barred = distrusted ?? []
    try store.forEachPath { path, entry in
      let isBarred = distrusted == nil ? entry.isDistrusted : barred.remove(path) != nil
      let new = (left.removeValue(forKey: path) ?? []).map { dated($0, by: entry.contents) }
      if entry.contents.contains(where: isOwn) {
        vouched += 1
        if new.isEmpty { lost += 1 }
      }
      let edited = TrustEntry(contents: kept(entry, at: path) + new, isDistrusted: isBarred)
      if edited != entry { edits.append((path, edited)) }
      return true
    }
    if anywhere != nil {
      let (before, gone) = try countAnywhere(in: store)
      vouched += before
      lost += gone
    }
    guard allowsLoss || lost <= Self.mostLost || lost <= vouched / 2 else {
      throw SyncError.loss(source, lost: lost, of: vouched)
    }
    for path in barred.union(left.keys) {
      edits.append((path, TrustEntry(contents: left[path] ?? [], isDistrusted: barred.contains(path))))
    }
    for (path, entry) in edits { try store.set(entry, at: path) }
    try replaceAnywhere(in: store)
  }

  /// What others say of a path. Of another root nothing is known here but whether it is there at all.
  private func kept(_ entry: TrustEntry, at path: [UInt8]) -> [TrustedContent] {
    entry.contents.filter { content in
      if content.source == .transaction { return transactions.keeps(content, at: path) }
      return !isOwn(content) && transactions.hasRoot(content.from.root)
    }
  }

  /// A word of the source and root that are replaced.
  private func isOwn(_ content: TrustedContent) -> Bool { content.source == source && content.from.root == root }

  private func countAnywhere(in store: TrustTransaction) throws -> (before: Int, gone: Int) {
    let new = Set((anywhere ?? []).map(\.hash))
    var (before, gone) = (0, 0)
    try store.forEachContent { content in
      guard content.source == source else { return true }
      before += 1
      if !new.contains(content.hash) { gone += 1 }
      return true
    }
    return (before, gone)
  }

  /// What was trusted before is not new.
  private func dated(_ content: TrustedContent, by old: [TrustedContent]) -> TrustedContent {
    guard let same = old.first(where: { content.isSameWord(as: $0) }) else { return content }
    var content = content
    content.added = same.added
    return content
  }

  private func replaceAnywhere(in store: TrustTransaction) throws {
    var ended: [TrustedContent] = []
    try store.forEachContent { content in
      let isEnded =
        content.source == .transaction
        ? !transactions.keeps(content, at: nil) : anywhere != nil && content.source == source
      if isEnded { ended.append(content) }
      return true
    }
    let new = anywhere ?? []
    for content in ended where !new.contains(where: { $0.hash == content.hash }) {
      try store.removeWherever(content.hash)
    }
    for content in new { try store.setWherever(dated(content, by: ended)) }
  }
}

extension TrustedContent {
  func isSameWord(as other: TrustedContent) -> Bool {
    source == other.source && origin == other.origin && hash == other.hash && size == other.size
  }
}
