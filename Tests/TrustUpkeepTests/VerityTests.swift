// Owns what the trust files' contents are known by where the kernel holds a file to a digest (fs-verity).
// It must not need such a kernel: what it would say is given.

import AccessModel
import Foundation
import Synchronization
import SystemCalls
import Testing
import TrustDatabase
import TrustSources

@testable import TrustUpkeep

@Suite struct VerityTests {
  private static let digest = ContentHash(repeatElement(UInt8(7), count: 32))!
  private static let other = ContentHash(repeatElement(UInt8(8), count: 32))!

  /// What the kernel says of every file.
  private final class Kernel: Sendable {
    let says = Mutex<ContentHash?>(VerityTests.digest)
  }

  private let rig: Rig
  private let kernel = Kernel()

  init() throws {
    rig = try Rig()
    try rig.write("bin/tool", "tool", mode: 0o755)
    try vouch("tool")
  }

  private func vouch(_ contents: String...) throws {
    let lines = try contents.map { content in
      let text = String(decoding: try hash(content).hexadecimal, as: UTF8.self)
      return "\(rig.path)/bin/tool \(content.utf8.count) \(text)\n"
    }
    try rig.write("trust.d/a.trust", lines.joined())
  }

  private func sync() throws -> SyncReport {
    try rig.sync { [kernel] settings in
      settings.sources = [.file]
      settings.root = "/"
      settings.verity = { _ in kernel.says.withLock { $0 } }
    }
  }

  private func digests() throws -> [ContentHash?] { try rig.entry("bin/tool")?.contents.map(\.verity) ?? [] }

  @Test func theDigestIsProvenOnceAndKept() throws {
    let first = try sync()
    #expect(try digests() == [Self.digest])
    #expect(first.filesRead == 1 && first.bytesRead == 4)
    let second = try sync()
    #expect(try digests() == [Self.digest])
    #expect(second.filesRead == 0 && second.bytesRead == 0)
    // It is the content's, wherever the file is now.
    try rig.remove("bin/tool")
    #expect(try sync().filesRead == 0)
    #expect(try digests() == [Self.digest])
  }

  @Test func anotherTreeOfTheSameContentTakesItsPlace() throws {
    _ = try sync()
    kernel.says.withLock { $0 = Self.other }
    #expect(try sync().filesRead == 1)
    #expect(try digests() == [Self.other])
  }

  @Test func aFileThatIsHeldToNoneIsNotRead() throws {
    kernel.says.withLock { $0 = nil }
    let report = try sync()
    #expect(report.filesRead == 0 && report.bytesRead == 0)
    #expect(try digests() == [nil])
    #expect(try rig.trusts("bin/tool", "tool"))
    // Switched on later.
    kernel.says.withLock { $0 = Self.digest }
    _ = try sync()
    #expect(try digests() == [Self.digest])
  }

  /// The digest of what lies there says nothing about what is trusted there.
  @Test(arguments: ["TOOL", "a longer one"]) func anotherContentProvesNothing(_ content: String) throws {
    try rig.write("bin/tool", content, mode: 0o755)
    #expect(try sync().filesRead == (content.utf8.count == 4 ? 1 : 0))
    #expect(try digests() == [nil])
  }

  @Test func ofTwoContentsTheOneThatLiesThereHasIt() throws {
    try vouch("loot", "tool")
    _ = try sync()
    let contents = try #require(try rig.entry("bin/tool")).contents
    for content in contents { #expect(try content.verity == (content.hash == hash("tool") ? Self.digest : nil)) }
    #expect(contents.count == 2)
  }

  @Test func aSyncThatEndsEarlySaysSo() throws {
    var settings = rig.settings
    settings.sources = [.file]
    settings.root = "/"
    settings.verity = { _ in Self.digest }
    let report = try Synchronizer(store: rig.store, settings: settings) { $0.stage != .comparing }.run()
    #expect(!report.isComplete)
    #expect(throws: TrustStoreError.self) { try rig.store.manifest() }
  }
}
