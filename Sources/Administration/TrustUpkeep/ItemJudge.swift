// Owns what follows from a source's word and from what lies on the disk: the content that is trusted, and the outcome.
// Pure: it must not read files, a source or the store.

internal import AccessModel
internal import SystemCalls
internal import TrustDatabase
internal import TrustSources

/// One file that a source names, with what the store knows from this source.
struct ItemJudge: Sendable {
  let item: TrustItem
  let source: TrustSource
  /// As the store keeps it.
  let origin: [UInt8]
  /// What this source's sync trusted at this path before.
  let known: [TrustedContent]

  struct Ruling: Sendable {
    var outcome: FileOutcome
    var content: TrustedContent?
    var errno: Errno?
  }

  enum Comparison: Sendable {
    case settled(Ruling)
    /// Its size in bytes.
    case mustRead(UInt64)
  }

  init(_ item: TrustItem, _ source: TrustSource, root: [UInt8], known: [TrustedContent]) {
    let mark: [UInt8] =
      switch item.proof {
      case .md5(let digest): digest
      case .sha256(let digest): digest
      case .none: []
      }
    self.item = item
    self.source = source
    let origin = ContentOrigin(name: item.origin, root: root, mark: mark).bytes
    self.origin = origin
    self.known = known.filter { $0.source == source && $0.origin == origin }
  }

  var needsMD5: Bool { if case .md5 = item.proof { true } else { false } }

  /// What can be said without reading the file. Nil status: nothing lies there.
  func compare(_ status: Result<FileStatus, Errno>, now: Int64) -> Comparison {
    if case .none = item.proof, !item.isMaintainerScript { return .settled(Ruling(outcome: .withoutChecksum)) }
    switch status {
    case .failure(.noEntry), .failure(.notDirectory): return .settled(refusal(.missing, now))
    case .failure(let errno): return .settled(refusal(.unreadable, now, errno))
    case .success(let status):
      guard status.isRegular else { return .settled(refusal(.notRegular, now)) }
      if item.isMaintainerScript, status.isWritableByOthers { return .settled(refusal(.notProtected, now)) }
      let seen = SeenFile(status)
      if let same = known.first(where: { $0.seen == seen && $0.size == status.size }) {
        return .settled(Ruling(outcome: .trusted, content: same))
      }
      return .mustRead(status.size)
    }
  }

  func judge(_ reading: FileReading, now: Int64) -> Ruling {
    switch reading {
    case .missing: return refusal(.missing, now)
    case .notRegular: return refusal(.notRegular, now)
    case .unreadable(let errno): return refusal(.unreadable, now, errno)
    case .changing, .cancelled: return refusal(.changing, now)
    case .measured(let file):
      if item.isMaintainerScript, file.status.isWritableByOthers { return refusal(.notProtected, now) }
      guard matches(file) else { return refusal(item.isConffile ? .conffileChanged : .changed, now) }
      let earlier = known.first { $0.hash == file.hash }
      return Ruling(
        outcome: .trusted,
        content: TrustedContent(
          size: file.size, hash: file.hash, verity: file.verity, source: source, origin: origin,
          added: earlier?.added ?? now, seen: file.seen))
    }
  }

  private func matches(_ file: MeasuredFile) -> Bool {
    if let size = item.size, size != file.size { return false }
    return switch item.proof {
    case .md5(let digest): !digest.isEmpty && file.md5 == digest
    case .sha256(let digest): file.hash.bytes == digest
    case .none: item.isMaintainerScript
    }
  }

  /// What lies there is not trusted. What was proven to be the source's own content stays trusted, so that putting it
  /// back is enough; of a script nothing was ever proven.
  private func refusal(_ outcome: FileOutcome, _ now: Int64, _ errno: Errno? = nil) -> Ruling {
    var ruling = Ruling(outcome: outcome, errno: errno)
    if case .none = item.proof { return ruling }
    ruling.content = known.first
    ruling.content?.seen = nil
    if ruling.content == nil, case .sha256(let digest) = item.proof, let size = item.size,
      let hash = ContentHash(digest)
    {
      ruling.content = TrustedContent(size: size, hash: hash, source: source, origin: origin, added: now)
    }
    return ruling
  }
}
