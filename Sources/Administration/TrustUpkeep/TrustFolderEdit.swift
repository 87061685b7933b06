// Owns what the trust files say, in the words of the store.
// It must not read them.

internal import AccessModel
internal import SystemCalls
internal import TrustDatabase
internal import TrustSources

extension StoreEdit {
  /// Everything that a folder of trust files says.
  init(_ said: TrustFolderReport) {
    let now = Clock.realtime() / 1_000_000_000
    var contents: [[UInt8]: [TrustedContent]] = [:]
    for item in said.items {
      guard case .sha256(let digest) = item.proof, let hash = ContentHash(digest), let size = item.size else {
        continue
      }
      let content = TrustedContent(size: size, hash: hash, source: .file, origin: item.origin, added: now)
      // The same line in two files counts once.
      if contents[item.path]?.contains(where: { $0.hash == hash }) == true { continue }
      contents[item.path, default: []].append(content)
    }
    let anywhere = said.anywhere.compactMap { word in
      ContentHash(word.sha256).map {
        TrustedContent(size: word.size, hash: $0, source: .file, origin: word.origin, added: now)
      }
    }
    self.init(
      contents: contents, anywhere: anywhere, distrusted: Set(said.distrusted.map(\.path)), source: .file, root: [],
      transactions: TransactionBook())
  }
}
