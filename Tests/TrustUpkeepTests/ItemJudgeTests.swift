// Owns what follows from a source's word and what lies on the disk, case by case, without a disk.

import AccessModel
import SystemCalls
import Testing
import TrustDatabase
import TrustSources

@testable import TrustUpkeep

@Suite struct ItemJudgeTests {
  private static let md5 = [UInt8](repeating: 0x11, count: 16)
  private static let sha256 = [UInt8](repeating: 0x22, count: 32)
  private static let status = (try? FileStatus.of(path: "/"))!

  private func file(_ size: UInt64, md5: [UInt8] = md5, sha256: [UInt8] = sha256) -> FileReading {
    .measured(
      MeasuredFile(size: size, hash: ContentHash(sha256)!, md5: md5, verity: nil, seen: nil, status: Self.status))
  }

  private func judge(
    _ proof: TrustItem.Proof, size: UInt64? = nil, isConffile: Bool = false, known: [TrustedContent] = []
  ) -> ItemJudge {
    let path = bytes("/x")
    let item = TrustItem(
      path: path, listedPath: path, size: size, proof: proof, origin: bytes("p"), isConffile: isConffile)
    return ItemJudge(item, .rpm, root: [], known: known)
  }

  private func known(_ mark: [UInt8], source: TrustSource = .rpm, name: String = "p") -> TrustedContent {
    TrustedContent(
      size: 5, hash: ContentHash(Self.sha256)!, source: source,
      origin: ContentOrigin(name: bytes(name), mark: mark).bytes, added: 7,
      seen: SeenFile(device: DeviceNumber(), inode: 1, changeTime: 1))
  }

  @Test func aFileIsHeldAgainstItsProof() {
    let other = [UInt8](repeating: 0, count: 32)
    let cases: [(ItemJudge, FileReading, FileOutcome)] = [
      (judge(.md5(Self.md5)), file(5), .trusted), (judge(.md5(Self.md5)), file(5, md5: []), .changed),
      (judge(.md5([])), file(5, md5: []), .changed), (judge(.md5(Self.md5), size: 6), file(5), .changed),
      (judge(.sha256(Self.sha256), size: 5), file(5), .trusted),
      (judge(.sha256(Self.sha256), size: 5), file(5, sha256: other), .changed),
      (judge(.sha256(Self.sha256), isConffile: true), file(5, sha256: other), .conffileChanged),
      (judge(.none), file(5), .changed), (judge(.md5(Self.md5)), .missing, .missing),
      (judge(.md5(Self.md5)), .changing, .changing), (judge(.md5(Self.md5)), .notRegular, .notRegular),
      (judge(.md5(Self.md5)), .unreadable(.access), .unreadable),
    ]
    for (judge, reading, outcome) in cases {
      let ruling = judge.judge(reading, now: 9)
      #expect(ruling.outcome == outcome, "\(judge.item.proof) \(reading)")
      #expect((ruling.content != nil) == (outcome == .trusted || judge.hasOwnContent), "\(judge.item.proof) \(reading)")
    }
  }

  /// A SHA-256 names the content, whatever lies there; an MD5 does not.
  @Test func whatIsTrustedWhereTheFileIsGone() {
    let named = judge(.sha256(Self.sha256), size: 5).judge(.missing, now: 9).content
    #expect(named?.hash == ContentHash(Self.sha256))
    #expect(named?.added == 9)
    #expect(judge(.md5(Self.md5)).judge(.missing, now: 9).content == nil)
    let proven = judge(.md5(Self.md5), known: [known(Self.md5)]).judge(.missing, now: 9).content
    #expect(proven?.added == 7)
    #expect(proven?.seen == nil)
  }

  /// Another package's, another source's and another version's word do not count.
  @Test func onlyTheSameWordIsKept() {
    for other in [known([1]), known(Self.md5, source: .dpkg), known(Self.md5, name: "q")] {
      #expect(judge(.md5(Self.md5), known: [other]).judge(.missing, now: 9).content == nil)
    }
    #expect(judge(.md5(Self.md5), known: [known(Self.md5)]).judge(file(5), now: 9).content?.added == 7)
  }

  @Test func whatNeedNotBeRead() throws {
    let status = try FileStatus.of(path: "/proc/self/exe")
    var content = known(Self.md5)
    content.size = status.size
    content.seen = SeenFile(status)
    func settles(_ judge: ItemJudge) -> Bool {
      if case .settled = judge.compare(.success(status), now: 9) { true } else { false }
    }
    #expect(settles(judge(.md5(Self.md5), known: [content])))
    #expect(!settles(judge(.md5([1]), known: [content])))
    content.seen?.changeTime += 1
    #expect(!settles(judge(.md5(Self.md5), known: [content])))
    content.seen = SeenFile(status)
    content.size += 1
    #expect(!settles(judge(.md5(Self.md5), known: [content])))
    #expect(settles(judge(.none)))
  }
}

extension ItemJudge {
  /// The proof is a content by itself.
  fileprivate var hasOwnContent: Bool {
    if case .sha256 = item.proof { item.size != nil } else { false }
  }
}
