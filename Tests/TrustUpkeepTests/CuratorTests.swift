// Owns what the administrator vouches for by hand: add, remove, import, and what verify and explain say of it.

import AccessModel
import Foundation
import SystemCalls
import Testing
import TrustDatabase
import TrustSources

@testable import TrustUpkeep

@Suite struct CuratorTests {
  /// A rig whose store exists, with one package's file.
  private func prepared() throws -> (Rig, TrustCurator) {
    let rig = try Rig()
    let path = try rig.write("root/usr/bin/packaged", "packaged", mode: 0o755)
    let content = TrustedContent(
      size: 8, hash: try hash("packaged"), source: .dpkg,
      origin: ContentOrigin(name: bytes("p"), root: Array(rig.root.utf8)).bytes, added: 1)
    try rig.store.update { try $0.set(TrustEntry(contents: [content]), at: path) }
    return (rig, TrustCurator(store: rig.store, folder: rig.trustFolder))
  }

  private func lines(_ rig: Rig) -> [String] {
    let text = (try? String(contentsOfFile: "\(rig.trustFolder)/local.trust", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
  }

  @Test func whatIsAddedIsTrustedAtOnceAndTakenAwayAtOnce() throws {
    let (rig, curator) = try prepared()
    let path = try rig.write("bin/tool", "tool", mode: 0o755)
    let report = try curator.add([path])
    #expect(report.steps.map(\.deed) == [.added])
    #expect(report.manifest != nil)
    #expect(try rig.trusts("bin/tool", "tool"))
    #expect(lines(rig).count == 1)
    #expect(try curator.add([path]).steps.map(\.deed) == [.kept])
    #expect(try rig.trusts("root/usr/bin/packaged", "packaged"))
    #expect(try curator.remove([path]).steps.map(\.deed) == [.removed])
    #expect(try rig.entry("bin/tool") == nil)
    #expect(lines(rig).isEmpty)
    #expect(try curator.remove([path]).steps.map(\.deed) == [.unknown])
  }

  @Test func aNewContentTakesTheOldOnesPlace() throws {
    let (rig, curator) = try prepared()
    let path = try rig.write("bin/tool", "one")
    _ = try curator.add([path])
    try rig.write("bin/tool", "two")
    _ = try curator.add([path])
    #expect(try rig.trusts("bin/tool", "two"))
    #expect(try !rig.trusts("bin/tool", "one"))
    #expect(lines(rig).count == 1)
  }

  @Test func foldersAreWalkedAndLinksFollowedOnlyByName() throws {
    let (rig, curator) = try prepared()
    try rig.write("tree/a", "a")
    try rig.write("tree/deep/b c%", "b")
    try rig.write("elsewhere", "no")
    try FileManager.default.createSymbolicLink(atPath: "\(rig.path)/tree/link", withDestinationPath: "../elsewhere")
    #expect(try curator.add([rig.place("tree")]).steps.count == 2)
    #expect(try rig.trusts("tree/deep/b c%", "b"))
    #expect(try rig.entry("elsewhere") == nil)
    _ = try curator.add([rig.place("tree/link")])
    #expect(try rig.trusts("elsewhere", "no"))
    #expect(try curator.remove([rig.place("tree")]).steps.map(\.deed) == [.removed, .removed])
    #expect(try rig.entry("tree/a") == nil)
  }

  /// A file of others can have a size that takes years to read.
  @Test(.timeLimit(.minutes(1))) func whatOthersCanWriteIsNotRead() throws {
    let (rig, curator) = try prepared()
    let path = try rig.write("bin/sparse", "", mode: 0o666)
    try run("/usr/bin/truncate", ["-s", "15T", String(decoding: path, as: UTF8.self)])
    let good = try rig.write("bin/good", "good")
    var stages: [UpkeepProgress] = []
    let report = try curator.add([path, good]) { progress in
      stages.append(progress)
      return progress.bytes < 1 << 30
    }
    #expect(report.steps.map(\.deed) == [.refused, .added])
    #expect(report.steps.first?.why.contains("everybody can write it") == true)
    #expect(stages.allSatisfy { $0.totalFiles == 1 })
  }

  @Test func whatOthersCanWriteIsRefusedUnlessForced() throws {
    let (rig, curator) = try prepared()
    let path = try rig.write("bin/loose", "loose", mode: 0o666)
    let report = try curator.add([path])
    #expect(report.steps.map(\.deed) == [.refused])
    #expect(report.steps.first?.why.contains("everybody can write it") == true)
    #expect(try rig.entry("bin/loose") == nil)
    #expect(try curator.add([path], force: true).steps.map(\.deed) == [.added])
    #expect(try curator.add([rig.place("none"), Array("/dev/null".utf8)]).steps.map(\.deed) == [.refused, .refused])
  }

  @Test func contentsThatAreTrustedAnywhere() throws {
    let (rig, curator) = try prepared()
    let path = try rig.write("bin/tool", "tool")
    _ = try curator.add([path], anywhere: true)
    let digest = try hash("tool")
    #expect(try rig.store.snapshot().wherever(digest)?.from.name == bytes("local.trust"))
    #expect(try rig.entry("bin/tool") == nil)
    try rig.write("copy", "tool")
    #expect(try TrustExplanation.of(rig.place("copy"), in: rig.store).ruling == .trusted)
    // By its path, it is barred there and trusted elsewhere.
    #expect(try curator.remove([path]).steps.map(\.deed) == [.barred])
    #expect(try TrustExplanation.of(path, in: rig.store).ruling == .distrusted)
    #expect(try TrustExplanation.of(rig.place("copy"), in: rig.store).ruling == .trusted)
    #expect(try curator.remove(contents: [(path, digest)]).steps.map(\.deed) == [.removed])
    #expect(try rig.store.snapshot().wherever(digest) == nil)
    #expect(try curator.remove(contents: [(path, digest)]).steps.map(\.deed) == [.unknown])
  }

  @Test func whatAPackageVouchesForIsBarredAndComesBack() throws {
    let (rig, curator) = try prepared()
    let path = rig.place("root/usr/bin/packaged")
    #expect(try curator.remove([path]).steps.map(\.deed) == [.barred])
    #expect(try rig.entry("root/usr/bin/packaged")?.isDistrusted == true)
    #expect(lines(rig) == ["! \(rig.root)/usr/bin/packaged"])
    #expect(try curator.remove([path]).steps.map(\.deed) == [.unknown])
    #expect(try curator.add([path]).steps.map(\.deed) == [.added])
    #expect(try rig.entry("root/usr/bin/packaged")?.isDistrusted == false)
    #expect(lines(rig).count == 1)
  }

  @Test func aFolderOfPackagesIsNotBarredByMistake() throws {
    let (rig, curator) = try prepared()
    let folder = rig.place("root/usr")
    #expect(try curator.remove([folder]).steps.map(\.deed) == [.refused])
    #expect(try rig.trusts("root/usr/bin/packaged", "packaged"))
    #expect(try curator.remove([folder], force: true).steps.map(\.deed) == [.barred])
    #expect(try !rig.trusts("root/usr/bin/packaged", "packaged"))
  }

  @Test func withoutADatabaseTheLineWaits() throws {
    let rig = try Rig()
    let curator = TrustCurator(store: rig.store, folder: rig.trustFolder)
    let report = try curator.add([try rig.write("bin/tool", "tool")])
    #expect(report.awaitsSync)
    #expect(lines(rig).count == 1)
    #expect(throws: TrustStoreError.self) { try rig.store.manifest() }
  }

  @Test func aBrokenTrustFileLeavesTheWordsOfBefore() throws {
    let (rig, curator) = try prepared()
    let path = try rig.write("bin/tool", "tool")
    _ = try curator.add([path])
    try rig.write("trust.d/zz.trust", "/x notasize 00\n")
    let other = try rig.write("bin/other", "other")
    #expect(throws: TrustFilesError.self) { try curator.add([other]) }
    #expect(try rig.trusts("bin/tool", "tool"))
    #expect(try rig.entry("bin/other") == nil)
  }

  @Test func aListIsTakenAsFarAsItIsTrue() throws {
    let (rig, curator) = try prepared()
    try rig.write("set/good", "good")
    try rig.write("set/bad", "bad")
    let good = String(decoding: try hash("good").hexadecimal, as: UTF8.self)
    let text =
      "\(good)  good\n\(good)  bad\n\(good) *missing\n\(good)  ../up\nSHA256 (\(rig.path)/set/good) = \(good)\n"
    let list = try #require(ChecksumList.parse(bytes(text), name: "list").list)
    let report = try curator.add(list: list, below: rig.place("set"))
    #expect(report.steps.map(\.deed) == [.refused, .added, .refused, .refused, .added])
    #expect(try rig.trusts("set/good", "good"))
    #expect(try rig.entry("set/bad") == nil)
  }

  @Test func driftIsFound() throws {
    let (rig, curator) = try prepared()
    for name in ["same", "changed", "missing", "folder"] { try rig.write("bin/\(name)", name) }
    _ = try curator.add([rig.place("bin")])
    #expect(try Verifier(snapshot: rig.store.snapshot()).run([rig.place("bin")]).drifted.isEmpty)
    try rig.write("bin/changed", "CHANGED")
    try rig.remove("bin/missing")
    try rig.remove("bin/folder")
    try rig.makeFolder("bin/folder")
    let snapshot = try rig.store.snapshot()
    let report = try Verifier(snapshot: snapshot).run([rig.place("bin"), rig.place("none")])
    #expect(report.checked == 4)
    #expect(report.drifted.map(\.outcome) == [.changed, .notRegular, .missing])
    #expect(report.unknown == [rig.place("none")])
    // A name that only begins alike is not below it.
    #expect(try Verifier(snapshot: snapshot).run([rig.place("bin/sam")]).unknown.count == 1)
    #expect(try Verifier(snapshot: snapshot).run().checked == 5)
    #expect(try Verifier(snapshot: snapshot).run { _ in false }.isComplete == false)
  }

  @Test func explanations() throws {
    let (rig, curator) = try prepared()
    let path = try rig.write("bin/tool", "tool")
    try FileManager.default.createSymbolicLink(atPath: "\(rig.path)/link", withDestinationPath: "bin/tool")
    #expect(try TrustExplanation.of(path, in: rig.store).ruling == .unknown)
    _ = try curator.add([path])
    let linked = try TrustExplanation.of(rig.place("link"), in: rig.store)
    #expect(linked.ruling == .trusted)
    #expect(linked.path == path)
    #expect(linked.match?.from.name == bytes("local.trust"))
    let writer = try #require(FileHandle(forUpdatingAtPath: "\(rig.path)/bin/tool"))
    let held = try TrustExplanation.of(path, in: rig.store)
    #expect(held.ruling == .openForWriting)
    #expect(held.writers.map(\.pid) == [ProcessSetup.processID])
    try writer.close()
    // A program that another test is just starting may hold a copy until it runs.
    for _ in 0..<500 where try TrustExplanation.of(path, in: rig.store).ruling == .openForWriting {
      Clock.sleep(nanoseconds: 10_000_000)
    }
    #expect(try TrustExplanation.of(path, in: rig.store).ruling == .trusted)
    try rig.write("bin/tool", "TOOL")
    #expect(try TrustExplanation.of(path, in: rig.store).ruling == .changed)
    try rig.remove("bin/tool")
    #expect(try TrustExplanation.of(path, in: rig.store).ruling == .missing)
    #expect(try TrustExplanation.of(rig.place("bin"), in: rig.store).ruling == .notRegular)
    let nowhere = TrustStore(folder: "\(rig.path)/nowhere")
    #expect(try TrustExplanation.of(path, in: nowhere).ruling == .unavailable)
  }

  @Test func theSummaryCountsSourceBySource() throws {
    let (rig, curator) = try prepared()
    _ = try curator.add([try rig.write("bin/tool", "tool"), try rig.write("bin/other", "other")])
    _ = try curator.add([try rig.write("bin/third", "third")], anywhere: true)
    let summary = try StoreSummary(rig.store.snapshot())
    #expect(summary.lines.map(\.source) == [.dpkg, .file])
    #expect(summary.lines.map(\.paths) == [1, 2])
    #expect(summary.lines.map(\.anywhere) == [0, 1])
    #expect(summary.lines.map(\.origins) == [1, 1])
  }
}
