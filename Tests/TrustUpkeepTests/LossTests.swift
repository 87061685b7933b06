// Owns when a sync does not believe a source: where it takes away most of what it vouched for.

import AccessModel
import Foundation
import SystemCalls
import Testing
import TrustDatabase
import TrustSources

@testable import TrustUpkeep

@Suite struct LossTests {
  /// A store in which dpkg vouches for so many files of the rig's root, and for one of another root.
  private func rig(_ count: Int) throws -> Rig {
    let rig = try Rig()
    try rig.makeFolder("other")
    let digest = try hash("x")
    func content(_ root: String) -> TrustedContent {
      TrustedContent(
        size: 1, hash: digest, source: .dpkg, origin: ContentOrigin(name: bytes("p"), root: bytes(root)).bytes, added: 1
      )
    }
    try rig.store.update(waitingSeconds: 10) { store in
      for index in 0..<count {
        try store.set(TrustEntry(contents: [content(rig.root)]), at: rig.place("root/f\(index)"))
      }
      try store.set(TrustEntry(contents: [content("\(rig.path)/other")]), at: rig.place("other/f"))
    }
    return rig
  }

  private func edit(_ rig: Rig, keeping kept: Range<Int>) throws -> StoreEdit {
    let content = TrustedContent(
      size: 1, hash: try hash("y"), source: .dpkg,
      origin: ContentOrigin(name: bytes("p"), root: bytes(rig.root)).bytes, added: 2)
    let contents = Dictionary(uniqueKeysWithValues: kept.map { (rig.place("root/f\($0)"), [content]) })
    return StoreEdit(contents: contents, source: .dpkg, root: bytes(rig.root), transactions: TransactionBook())
  }

  @Test(arguments: [(100, 0), (101, 1), (300, 150), (300, 299), (1, 0), (0, 0)])
  func whatMayGo(_ all: Int, _ kept: Int) throws {
    let rig = try rig(all)
    let edit = try edit(rig, keeping: 0..<kept)
    try rig.store.update(waitingSeconds: 10) { try edit.replace(in: $0) }
    #expect(try rig.store.manifest().paths == kept + 1)
  }

  /// New files do not make up for those that are lost.
  @Test(arguments: [(101, 0..<0), (300, 0..<149), (300, 200..<600)])
  func whatIsNotBelieved(_ all: Int, _ kept: Range<Int>) throws {
    let rig = try rig(all)
    let edit = try edit(rig, keeping: kept)
    let before = try rig.store.manifest()
    let lost = all - kept.clamped(to: 0..<all).count
    let error = #expect(throws: SyncError.self) {
      try rig.store.update(waitingSeconds: 10) { try edit.replace(in: $0) }
    }
    guard case .loss(.dpkg, lost: lost, of: all)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try rig.store.manifest() == before)
    try rig.store.update(waitingSeconds: 10) { try edit.replace(in: $0, allowsLoss: true) }
    #expect(try rig.store.manifest().paths == kept.count + 1)
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/dpkg")))
  func anEmptyPackageDatabaseIsNotBelieved() throws {
    let rig = try rig(101)
    let error = #expect(throws: SyncError.self) { try rig.sync() }
    #expect(error?.description.contains("dpkg vouches no longer for 101 of 101 files") == true)
    #expect(error?.remedy?.contains("trust sync --force") == true)
    #expect(try rig.store.manifest().paths == 102)
    try rig.sync { $0.allowsLoss = true }
    #expect(try rig.store.manifest().paths == 1)
  }

  /// Contents that are trusted wherever they lie count as well.
  @Test func anEmptyTrustFolderIsNotBelieved() throws {
    let rig = try Rig()
    let lines = (0..<150).map { "* 1 " + String(repeating: "0", count: 61) + String($0 + 100) + "\n" }
    try rig.write("trust.d/a.trust", lines.joined())
    func sync(_ allowsLoss: Bool) throws {
      try rig.sync {
        $0.sources = [.file]
        $0.root = "/"
        $0.allowsLoss = allowsLoss
      }
    }
    try sync(false)
    #expect(try rig.store.manifest().contents == 150)
    try rig.remove("trust.d/a.trust")
    #expect(throws: SyncError.self) { try sync(false) }
    #expect(try rig.store.manifest().contents == 150)
    try sync(true)
    #expect(try rig.store.manifest().contents == 0)
  }

  /// Who removes by hand means it.
  @Test func aRemovalByHandIsNotHeldBack() throws {
    let rig = try Rig()
    for index in 0..<120 { try rig.write("bin/\(index)", "\(index)") }
    try rig.store.update(waitingSeconds: 10) { _ in }
    let curator = TrustCurator(store: rig.store, folder: rig.trustFolder)
    _ = try curator.add([rig.place("bin")])
    #expect(try rig.store.manifest().paths == 120)
    _ = try curator.remove([rig.place("bin")])
    #expect(try rig.store.manifest().paths == 0)
  }
}
