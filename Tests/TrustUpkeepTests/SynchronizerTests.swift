// Owns what a sync makes of a real dpkg database: what is trusted, what is not and why, and what is read again.

import AccessModel
import Foundation
import Synchronization
import SystemCalls
import Testing
import TrustDatabase
import TrustSources

@testable import TrustUpkeep

@Suite(
  "A sync against a real dpkg database", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/dpkg")))
struct SynchronizerTests {
  private func installed(_ rig: Rig) throws {
    try rig.package(
      "one", "1", ["/usr/bin/one": "one 1", "/usr/lib/one.so": "library 1", "/etc/one.conf": "setting"],
      conffiles: ["/etc/one.conf"])
    try rig.package("two", "1", ["/usr/bin/two": "two 1"])
    try rig.dpkg("-i", "\(rig.path)/one_1.deb", "\(rig.path)/two_1.deb")
    rig.settle()
  }

  @Test func whatPackagesInstalledIsTrusted() throws {
    let rig = try Rig()
    try installed(rig)
    let report = try rig.sync()
    #expect(report.isComplete)
    #expect(report.filesRead == 4)
    #expect(report.untrusted.isEmpty)
    let line = try #require(report.sources.first)
    #expect(line.packages == 2)
    #expect(line.count(.trusted) == 4)
    #expect(try rig.trusts("root/usr/bin/one", "one 1"))
    #expect(try rig.trusts("root/etc/one.conf", "setting"))
    let content = try #require(try rig.entry("root/usr/bin/two")?.contents.first)
    #expect(content.source == .dpkg)
    #expect(content.from.name == bytes("two"))
    #expect(content.size == 5)
    #expect(content.seen != nil)
  }

  @Test func aSecondSyncReadsNothingAndWritesNothing() throws {
    let rig = try Rig()
    try installed(rig)
    let first = try rig.sync()
    let second = try rig.sync()
    #expect(second.filesRead == 0)
    #expect(second.manifest?.generation == first.manifest?.generation)
    #expect(second.sources.first?.count(.trusted) == 4)
  }

  /// The same size and the old modification time do not hide a change.
  @Test func aChangedFileIsNotTrustedAndWhatItWasStillIs() throws {
    let rig = try Rig()
    try installed(rig)
    try rig.sync()
    try run("/usr/bin/touch", ["-r", "\(rig.root)/usr/bin/one", "\(rig.path)/stamp"])
    try rig.write("root/usr/bin/one", "ONE 1", mode: 0o755)
    try run("/usr/bin/touch", ["-r", "\(rig.path)/stamp", "\(rig.root)/usr/bin/one"])
    let report = try rig.sync()
    #expect(report.untrusted.map(\.outcome) == [.changed])
    #expect(report.untrusted.first?.path == rig.place("root/usr/bin/one"))
    #expect(report.untrusted.first?.origin == bytes("one"))
    #expect(try !rig.trusts("root/usr/bin/one", "ONE 1"))
    #expect(try rig.trusts("root/usr/bin/one", "one 1"))
    try rig.write("root/usr/bin/one", "one 1", mode: 0o755)
    #expect(try rig.sync().untrusted.isEmpty)
  }

  @Test func aFileThatWasChangedBeforeTheFirstSyncIsNotTrusted() throws {
    let rig = try Rig()
    try installed(rig)
    try rig.write("root/usr/bin/one", "evil!", mode: 0o755)
    let report = try rig.sync()
    #expect(report.untrusted.map(\.outcome) == [.changed])
    #expect(try rig.entry("root/usr/bin/one") == nil)
  }

  @Test func anEditedConfigurationFileIsCountedByItself() throws {
    let rig = try Rig()
    try installed(rig)
    try rig.write("root/etc/one.conf", "mine")
    let report = try rig.sync()
    #expect(report.sources.first?.count(.conffileChanged) == 1)
    #expect(try rig.entry("root/etc/one.conf") == nil)
  }

  @Test func missingAndReplacedFilesAreNamed() throws {
    let rig = try Rig()
    try installed(rig)
    try rig.remove("root/usr/bin/one")
    try rig.remove("root/usr/bin/two")
    try FileManager.default.createSymbolicLink(atPath: "\(rig.root)/usr/bin/two", withDestinationPath: "/bin/true")
    let report = try rig.sync()
    #expect(report.untrusted.map(\.outcome) == [.missing, .notRegular])
  }

  /// What a package says may change while its file does not: then the file is held against the new word.
  @Test func aNewChecksumIsHeldAgainstAnUnchangedFile() throws {
    let rig = try Rig()
    try installed(rig)
    try rig.sync()
    try rig.write(
      "root/var/lib/dpkg/info/two.md5sums", "00000000000000000000000000000000  usr/bin/two\n")
    let report = try rig.sync()
    #expect(report.untrusted.map(\.outcome) == [.changed])
    #expect(try rig.entry("root/usr/bin/two") == nil)
  }

  @Test func aRemovedPackageIsForgotten() throws {
    let rig = try Rig()
    try installed(rig)
    try rig.sync()
    try rig.dpkg("-r", "one")
    let report = try rig.sync()
    #expect(try rig.entry("root/usr/bin/one") == nil)
    #expect(try rig.trusts("root/usr/bin/two", "two 1"))
    // dpkg keeps its configuration file until a purge; nobody vouches for it any more.
    #expect(try rig.entry("root/etc/one.conf") == nil)
    #expect(report.manifest?.paths == 1)
  }

  @Test func aFileWithoutChecksumIsNotTrusted() throws {
    let rig = try Rig()
    try installed(rig)
    try rig.remove("root/var/lib/dpkg/info/two.md5sums")
    let report = try rig.sync()
    #expect(report.sources.first?.count(.withoutChecksum) == 1)
    #expect(report.findings.contains { $0.kind == .withoutChecksum })
    #expect(try rig.entry("root/usr/bin/two") == nil)
  }

  @Test func maintainerScriptsAreTrustedUnlessOthersCanWriteThem() throws {
    let rig = try Rig()
    try installed(rig)
    try rig.write("root/var/lib/dpkg/info/one.prerm", "#!/bin/sh\n", mode: 0o755)
    try rig.write("root/var/lib/dpkg/info/two.prerm", "#!/bin/sh\n", mode: 0o777)
    let report = try rig.sync()
    #expect(try rig.trusts("root/var/lib/dpkg/info/one.prerm", "#!/bin/sh\n"))
    #expect(report.untrusted.map(\.outcome) == [.notProtected])
    #expect(try rig.entry("root/var/lib/dpkg/info/two.prerm") == nil)
  }

  @Test func aDivertedFileLiesUnderItsOtherName() throws {
    let rig = try Rig()
    try installed(rig)
    try run(
      "/usr/bin/dpkg-divert",
      ["--admindir", "\(rig.root)/var/lib/dpkg", "--instdir", rig.root, "--local", "--rename", "--add", "/usr/bin/two"])
    let report = try rig.sync()
    #expect(report.sources.first?.diverted == 1)
    #expect(try rig.trusts("root/usr/bin/two.distrib", "two 1"))
    #expect(try rig.entry("root/usr/bin/two") == nil)
  }

  @Test func anotherRootsWordsStayAndAVanishedRootsGo() throws {
    let (rig, other) = (try Rig(), try Rig())
    try installed(rig)
    try other.package("one", "1", ["/usr/bin/one": "other"])
    try other.dpkg("-i", "\(other.path)/one_1.deb")
    try rig.sync()
    try rig.sync { $0.root = other.root }
    #expect(try rig.trusts("root/usr/bin/one", "one 1"))
    let place = other.place("root/usr/bin/one")
    #expect(try rig.store.snapshot().entry(at: place) != nil)
    try rig.sync()
    #expect(try rig.store.snapshot().entry(at: place) != nil)
    try other.remove("root")
    try rig.sync()
    #expect(try rig.store.snapshot().entry(at: place) == nil)
  }

  @Test func aSourceThatIsNotThereIsRefused() throws {
    let rig = try Rig()
    try rig.remove("root/var/lib/dpkg/status")
    #expect(throws: SyncError.self) { try rig.sync() }
    #expect(throws: TrustStoreError.self) { try rig.store.manifest() }
  }
}
