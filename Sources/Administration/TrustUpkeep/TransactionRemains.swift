// Owns taking away what package transactions left that ended without an end: a dpkg that was killed, an apt whose
// configuration scripts have run. It must not touch what a living one still needs.

internal import AccessModel
internal import SystemCalls
public import TrustDatabase
public import TrustSources

public struct TransactionRemains {
  private let store: TrustStore
  private let root: String
  private let ended: Set<TransactionOwner>
  private let protection: SourceProtection
  private let patience = 120

  /// `ended` have ended though they still live. The root is the one whose packages are looked at.
  public init(
    store: TrustStore, ended: Set<TransactionOwner> = [], root: String = "/",
    protection: SourceProtection = .ofThisProcess
  ) {
    self.store = store
    self.ended = ended
    self.root = root
    self.protection = protection
  }

  /// The programs above this one, for a hook that ends what they began. Empty within a dpkg, which is not at its end.
  /// apt starts this hook from a copy of itself, so that its parent is not enough.
  public static func endedByHook() -> Set<TransactionOwner> {
    var owners: Set<TransactionOwner> = []
    var pid = ProcessSetup.processID
    while let parent = DpkgInvocation.parent(of: pid), parent > 1, owners.count < 64 {
      pid = parent
      if DpkgInvocation.isDpkg(pid) { return [] }
      if let owner = TransactionOwner(pid: pid) { owners.insert(owner) }
    }
    return owners
  }

  /// Nil where there is nothing to take away, or no database.
  public func prune() throws -> TrustManifest? {
    guard try store.exists() else { return nil }
    let snapshot = try store.snapshot()
    let book = TransactionBook(ended: ended)
    var isAnyLeft = false
    try snapshot.forEachPath { path, entry in
      isAnyLeft = entry.contents.contains { $0.source == .transaction && !book.keeps($0, at: path) }
      return !isAnyLeft
    }
    // A dpkg that was killed has installed some of it, which stays trusted; the sync forgets the rest.
    if isAnyLeft, let manifest = try sync() { return manifest }
    var isAnyAnywhere = false
    try snapshot.forEachContent { content in
      isAnyAnywhere = content.source == .transaction && !book.keeps(content, at: nil)
      return !isAnyAnywhere
    }
    return isAnyLeft || isAnyAnywhere ? try forget() : nil
  }

  /// Takes them away without a look at what is installed.
  func forget() throws -> TrustManifest {
    let book = TransactionBook(ended: ended)
    return try store.update(waitingSeconds: patience) { try forget(book, in: $0) }
  }

  /// Nil where the root's packages cannot be asked, or say what is not believed.
  private func sync() throws -> TrustManifest? {
    var settings = SyncSettings()
    settings.sources = [.dpkg]
    settings.root = root
    settings.protection = protection
    settings.ended = ended
    do { return try Synchronizer(store: store, settings: settings).run().manifest } catch let error as SyncError {
      if case .store = error { throw error }
      return nil
    }
  }

  private func forget(_ book: TransactionBook, in store: TrustTransaction) throws {
    var edits: [(path: [UInt8], entry: TrustEntry)] = []
    try store.forEachPath { path, entry in
      let kept = entry.contents.filter { $0.source != .transaction || book.keeps($0, at: path) }
      if kept.count != entry.contents.count {
        edits.append((path, TrustEntry(contents: kept, isDistrusted: entry.isDistrusted)))
      }
      return true
    }
    for (path, entry) in edits { try store.set(entry, at: path) }
    var gone: [TrustedContent] = []
    try store.forEachContent { content in
      if content.source == .transaction, !book.keeps(content, at: nil) { gone.append(content) }
      return true
    }
    for content in gone { try store.removeWherever(content.hash) }
  }
}
