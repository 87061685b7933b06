// Owns the fs-verity digest of a content that a trust file names: asked of the kernel, proven by reading the file.
// It must not trust a content that no trust file names, nor read a file that the kernel holds to no digest.

internal import AccessModel
internal import SystemCalls
internal import TrustDatabase

/// The contents that trust files name at one path, and what the store says there.
struct VerityProof: Sendable {
  let path: [UInt8]
  let contents: [TrustedContent]
  let known: [TrustedContent]

  struct Outcome: Sendable {
    /// Each with the digest that was proven to be its own, now or before.
    var contents: [TrustedContent]
    var isRead = false
  }

  /// Nil where `progress` ended it.
  func proven(by meter: FileMeter, progress: (Int) -> Bool) -> Outcome? {
    var outcome = Outcome(contents: contents.map(remembered))
    // A file of another size is none of them, however long it would take to read.
    guard let status = try? FileStatus.of(path: PathBytes(path), followingLinks: false),
      contents.contains(where: { $0.size == status.size }), let verity = meter.verity(of: PathBytes(path)),
      !outcome.contents.contains(where: { $0.size == status.size && $0.verity == verity })
    else { return outcome }
    let reading = meter.read(PathBytes(path), progress: progress)
    if case .cancelled = reading { return nil }
    guard case .measured(let file) = reading else { return outcome }
    outcome.isRead = true
    for index in outcome.contents.indices
    where outcome.contents[index].hash == file.hash && outcome.contents[index].size == file.size {
      outcome.contents[index].verity = file.verity
    }
    return outcome
  }

  /// A digest that was once proven to be a content's stays that.
  private func remembered(_ content: TrustedContent) -> TrustedContent {
    var content = content
    content.verity = known.first { $0.hash == content.hash && $0.size == content.size && $0.verity != nil }?.verity
    return content
  }
}
