// Owns what a package transaction accepts and for how long, and what is read off dpkg's command line.

import AccessModel
import Foundation
import SystemCalls
import Testing
import TrustDatabase
import TrustSources

@testable import TrustUpkeep

@Suite struct DpkgCommandLineTests {
  typealias Line = DpkgInvocation.CommandLine

  @Test(arguments: [
    (["-i", "a.deb"], ["a.deb"], false), (["--install", "a.deb", "/b.deb"], ["a.deb", "/b.deb"], false),
    (["--unpack", "--auto-deconfigure", "--recursive", "/tmp/apt-dpkg-install-x"], ["/tmp/apt-dpkg-install-x"], true),
    (["-iR", "dir"], ["dir"], true), (["-GREi", "dir"], ["dir"], true), (["-D2000", "-i", "a"], ["a"], false),
    (["-DR", "-i", "a"], ["a"], false), (["--status-fd", "12", "--unpack", "x"], ["x"], false),
    (["--status-fd=12", "--unpack", "x"], ["x"], false), (["-i", "--", "-odd.deb"], ["-odd.deb"], false),
    (["--configure", "--pending"], [], false), ([], [], false), (["-i", "--log"], [], false),
    (["--log", "/l", "-i", "a", "--ignore-depends=x"], ["a"], false),
  ])
  func files(_ words: [String], _ files: [String], _ isRecursive: Bool) {
    let line = Line(words)
    #expect(line.files == files)
    #expect(line.isRecursive == isRecursive)
  }

  private func invocation(_ words: [String], _ environment: [String: String] = [:]) throws -> DpkgInvocation {
    let owner = try #require(TransactionOwner(pid: ProcessSetup.processID))
    return DpkgInvocation(owner: owner, arguments: words, workingFolder: "/work dir") { environment[$0] }
  }

  @Test func folders() throws {
    let plain = try invocation(["-i", "a.deb", "/b.deb"])
    #expect(plain.root == "/" && plain.adminFolder == "/var/lib/dpkg")
    #expect(plain.archives == ["/work dir/a.deb", "/b.deb"])
    let root = try invocation(["--root=/srv/x", "-i", "a"])
    #expect(root.root == "/srv/x" && root.adminFolder == "/srv/x/var/lib/dpkg")
    let split = try invocation(["--instdir", "/srv/y", "--admindir", "adm", "-i", "a"])
    #expect(split.root == "/srv/y" && split.adminFolder == "/work dir/adm")
    let told = try invocation(["-i", "a"], ["DPKG_ROOT": "/r", "DPKG_ADMINDIR": "/r/adm"])
    #expect(told.root == "/r" && told.adminFolder == "/r/adm")
    let host = try invocation(["-i", "a"], ["DPKG_ROOT": "", "DPKG_ADMINDIR": "/var/lib/dpkg"])
    #expect(host.root == "/" && host.adminFolder == "/var/lib/dpkg")
  }

  @Test(arguments: [
    (["--no-act", "-i", "a"], true), (["-i", "--dry-run", "a"], true),
    (["--simulate", "--configure", "--pending"], true),
    (["-i", "a"], false), (["--log", "--no-act", "-i", "a"], false), (["-P", "one", "--no-act"], false),
    (["-i", "--", "--no-act"], false), (["-i", "--no-act=x"], true),
  ])
  func dryRuns(_ words: [String], _ isDryRun: Bool) throws {
    #expect(try invocation(words).isDryRun == isDryRun)
  }

  @Test func anAdminFolderOfAnotherRootIsForeign() throws {
    let rig = try Rig()
    try FileManager.default.createSymbolicLink(atPath: "\(rig.path)/link", withDestinationPath: "root")
    try rig.makeFolder("other/var/lib/dpkg")
    let own = ["--root", rig.root]
    #expect(try invocation(own).speaksForItsRoot)
    #expect(try invocation(["--instdir=\(rig.path)/link", "--admindir=\(rig.root)/var/lib/dpkg"]).speaksForItsRoot)
    #expect(try !invocation(["--root=\(rig.root)", "--admindir=\(rig.path)/other/var/lib/dpkg"]).speaksForItsRoot)
    #expect(try !invocation(["--admindir", "\(rig.root)/var/lib/dpkg"]).speaksForItsRoot)
    #expect(try !invocation(["--instdir", rig.root], ["DPKG_ADMINDIR": "/var/lib/dpkg"]).speaksForItsRoot)
    #expect(try !invocation(["-i"], ["DPKG_ROOT": "", "DPKG_ADMINDIR": "\(rig.path)/other"]).speaksForItsRoot)
    #expect(try !invocation(own, ["DPKG_ROOT": rig.root, "DPKG_ADMINDIR": "/nonexistent"]).speaksForItsRoot)
  }

  /// Without an end the search would take days.
  @Test(.timeLimit(.minutes(1))) func linksInACircleEndTheSearch() throws {
    let rig = try Rig()
    try rig.write("dir/x.deb", "x")
    for name in ["a", "b"] {
      try FileManager.default.createSymbolicLink(atPath: "\(rig.path)/dir/\(name)", withDestinationPath: ".")
    }
    #expect(try invocation(["-iR", "\(rig.path)/dir"]).archives == ["\(rig.path)/dir/x.deb"])
  }

  @Test func theSearchGoesOnlySoDeep() throws {
    let rig = try Rig()
    let deep = (0..<ArchiveSearch.mostDepth).map { "\($0)/" }.joined()
    try rig.write("dir/\(deep)x.deb", "too deep")
    try rig.write("dir/\(deep.dropLast(3))y.deb", "y")
    #expect(try invocation(["-iR", "\(rig.path)/dir"]).archives == ["\(rig.path)/dir/\(deep.dropLast(3))y.deb"])
  }

  @Test func aFolderOfLinksIsSearched() throws {
    let rig = try Rig()
    try rig.write("far/x.deb", "x")
    try rig.write("dir/deep/b.deb", "b")
    try rig.write("dir/readme", "no")
    try FileManager.default.createSymbolicLink(atPath: "\(rig.path)/dir/0-x.deb", withDestinationPath: "../far/x.deb")
    let found = try invocation(["-iR", "\(rig.path)/dir"])
    #expect(found.archives == ["\(rig.path)/dir/0-x.deb", "\(rig.path)/dir/deep/b.deb"])
    #expect(try invocation(["-iR", "/nonexistent"]).archives.isEmpty)
  }

  @Test func noDpkgIsAboveATest() { #expect(DpkgInvocation.above() == nil) }
}

@Suite struct TransactionOwnerTests {
  @Test func thisProcessLivesAndAnotherOfItsNumberDoesNot() throws {
    let owner = try #require(TransactionOwner(pid: ProcessSetup.processID))
    #expect(owner.isAlive)
    #expect(TransactionOwner(mark: owner.mark) == owner)
    let words = String(decoding: owner.mark, as: UTF8.self).split(separator: " ")
    let later = try #require(TransactionOwner(mark: bytes("\(words[0]) 1 \(words[2])")))
    #expect(!later.isAlive)
    let rebooted = try #require(TransactionOwner(mark: bytes("\(words[0]) \(words[1]) x")))
    #expect(!rebooted.isAlive)
  }

  @Test(arguments: ["", "1", "1 2", "x 2 b", "-1 2 b", "0 2 b", "1 -2 b", "1 2 b c"])
  func whatIsNoMark(_ text: String) { #expect(TransactionOwner(mark: bytes(text)) == nil) }

  @Test func nobodyHasTheHighestNumber() { #expect(TransactionOwner(pid: .max) == nil) }
}

@Suite(
  "A transaction, step by step", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/dpkg")))
struct PackageTransactionTests {
  private let script = "#!/bin/sh\n# of version 2\n"

  /// A transaction of this test's process over version 2 of a package of which version 1 is installed.
  private func prepared() throws -> (Rig, PackageTransaction) {
    let rig = try Rig()
    try rig.package("one", "1", ["/usr/bin/one": "one 1", "/usr/bin/old": "old"])
    let archive = try rig.package(
      "one", "2", ["/usr/bin/one": "one 2", "/etc/init.d/one": "conf 2"], conffiles: ["/etc/init.d/one"],
      scripts: ["postinst": script, "preinst": script])
    try rig.dpkg("-i", "\(rig.path)/one_1.deb")
    try rig.sync()
    return (rig, try transaction(rig, [archive]))
  }

  private func transaction(
    _ rig: Rig, _ archives: [String], _ options: [String] = [], owner: TransactionOwner? = nil
  ) throws -> PackageTransaction {
    let owner = try #require(owner ?? TransactionOwner(pid: ProcessSetup.processID))
    let words = ["--root", rig.root] + options + ["-i"] + archives
    let invocation = DpkgInvocation(owner: owner, arguments: words, workingFolder: "/") { _ in nil }
    return PackageTransaction(store: rig.store, invocation: invocation)
  }

  @Test func theNewIsAcceptedBesideTheOld() throws {
    let (rig, transaction) = try prepared()
    let begun = try #require(try transaction.begin())
    #expect(begun.packages == 1)
    #expect(begun.files == 4)
    #expect(begun.problems.isEmpty)
    for (name, content) in [
      ("usr/bin/one", "one 1"), ("usr/bin/one", "one 2"), ("usr/bin/one.dpkg-new", "one 2"), ("usr/bin/old", "old"),
      ("etc/init.d/one", "conf 2"), ("etc/init.d/one.dpkg-new", "conf 2"), ("var/lib/dpkg/tmp.ci/preinst", script),
      ("var/lib/dpkg/tmp.ci/postinst", script), ("var/lib/dpkg/info/one.postinst", script),
    ] { #expect(try rig.trusts("root/\(name)", content), "\(name)") }
    #expect(try !rig.trusts("root/usr/bin/one.dpkg-new", "one 1"))
  }

  /// A sync by hand in the middle must not take away what the running dpkg is about to unpack.
  @Test func aSyncInTheMiddleKeepsIt() throws {
    let (rig, transaction) = try prepared()
    _ = try transaction.begin()
    try rig.sync()
    #expect(try rig.trusts("root/usr/bin/one", "one 2"))
    #expect(try rig.trusts("root/var/lib/dpkg/tmp.ci/preinst", script))
  }

  @Test func theEndForgetsWhatWasNotInstalled() throws {
    let (rig, transaction) = try prepared()
    _ = try transaction.begin()
    _ = try transaction.end()
    #expect(try !rig.trusts("root/usr/bin/one", "one 2"))
    #expect(try rig.trusts("root/usr/bin/one", "one 1"))
    #expect(try rig.entry("root/var/lib/dpkg/tmp.ci/preinst") == nil)
  }

  @Test func aTransactionThatNeverEndedIsForgottenByTheNextSync() throws {
    let (rig, _) = try prepared()
    let owner = try #require(TransactionOwner(mark: bytes("1 1 another-boot")))
    let invocation = DpkgInvocation(
      owner: owner, arguments: ["--root", rig.root, "-i", "\(rig.path)/one_2.deb"], workingFolder: "/"
    ) { _ in nil }
    _ = try PackageTransaction(store: rig.store, invocation: invocation).begin()
    #expect(try rig.trusts("root/usr/bin/one", "one 2"))
    try rig.sync()
    #expect(try !rig.trusts("root/usr/bin/one", "one 2"))
  }

  /// Between unpacking and configuring, which may be two runs of dpkg, the new configuration file waits beside its
  /// place; then it takes that place and is run.
  @Test func aWaitingConfigurationFileStaysAccepted() throws {
    let (rig, transaction) = try prepared()
    let archive = try rig.package("two", "1", ["/etc/init.d/two": "two"], conffiles: ["/etc/init.d/two"])
    let first = try self.transaction(rig, [archive])
    _ = transaction
    _ = try first.begin()
    try rig.dpkg("--unpack", archive)
    _ = try first.end()
    #expect(try rig.trusts("root/etc/init.d/two.dpkg-new", "two"))
    #expect(try rig.trusts("root/etc/init.d/two", "two"))
    try rig.dpkg("--configure", "two")
    _ = try self.transaction(rig, []).end()
    #expect(try rig.entry("root/etc/init.d/two.dpkg-new") == nil)
    #expect(try rig.entry("root/etc/init.d/two")?.contents.map(\.source) == [.dpkg])
  }

  @Test func withoutADatabaseNothingBegins() throws {
    let rig = try Rig()
    let archive = try rig.package("one", "1", ["/usr/bin/one": "one"])
    let transaction = try transaction(rig, [archive])
    #expect(try transaction.begin() == nil)
    #expect(try transaction.end() == nil)
    #expect(throws: TrustStoreError.self) { try rig.store.manifest() }
  }

  @Test func anArchiveThatIsNoneIsAProblemAndTheOthersAreTaken() throws {
    let (rig, _) = try prepared()
    try rig.write("bad.deb", "no archive")
    let begun = try transaction(rig, ["\(rig.path)/bad.deb", "/nonexistent.deb", "\(rig.path)/one_2.deb"]).begin()
    #expect(begun?.problems.count == 2)
    #expect(begun?.packages == 1)
    #expect(try rig.trusts("root/usr/bin/one", "one 2"))
  }

  @Test func aBarredPathStaysBarred() throws {
    let (rig, transaction) = try prepared()
    try rig.store.update { try $0.set(TrustEntry(contents: [], isDistrusted: true), at: rig.place("root/usr/bin/one")) }
    _ = try transaction.begin()
    #expect(try rig.entry("root/usr/bin/one")?.isDistrusted == true)
    _ = try transaction.end()
    #expect(try rig.entry("root/usr/bin/one")?.isDistrusted == true)
  }

  /// debconf runs it from a folder and under a name that nobody can foretell.
  @Test func aConfigurationScriptIsAcceptedWhereverItLies() throws {
    let (rig, _) = try prepared()
    let config = "#!/bin/sh\n# asks\n"
    let archive = try rig.package("asks", "1", ["/usr/bin/asks": "asks"], scripts: ["config": config])
    let owner = try #require(TransactionOwner(pid: ProcessSetup.processID))
    let begun = try Preconfiguration(store: rig.store, owner: owner).accept([archive])
    #expect(begun?.files == 1)
    let digest = try hash(config)
    #expect(try rig.store.snapshot().wherever(digest)?.source == .transaction)
    #expect(try rig.entry("root/usr/bin/asks") == nil)
    try rig.sync()
    #expect(try rig.store.snapshot().wherever(digest) != nil)
    try rig.sync { $0.ended = [owner] }
    #expect(try rig.store.snapshot().wherever(digest) == nil)
  }

  @Test(arguments: ["--no-act", "--dry-run", "--simulate"]) func aDryRunAcceptsNothing(_ option: String) throws {
    let (rig, _) = try prepared()
    let before = try rig.store.manifest()
    let dry = try transaction(rig, ["\(rig.path)/one_2.deb"], [option])
    #expect(try dry.begin() == nil)
    #expect(try dry.end() == nil)
    #expect(try rig.store.manifest() == before)
  }

  /// An empty database of packages somewhere says nothing about this root.
  @Test func aForeignDatabaseChangesNothing() throws {
    let (rig, _) = try prepared()
    for folder in ["info", "updates", "triggers"] { try rig.makeFolder("foreign/\(folder)") }
    try rig.write("foreign/status", "")
    let before = try rig.store.manifest()
    let foreign = try transaction(rig, ["\(rig.path)/one_2.deb"], ["--admindir", "\(rig.path)/foreign"])
    let error = TransactionError.foreign(adminFolder: "\(rig.path)/foreign", root: rig.root)
    #expect(throws: error) { try foreign.begin() }
    #expect(throws: error) { try foreign.end() }
    #expect(try rig.store.manifest() == before)
  }

  /// A database of packages that lost most of them is not believed; what the archives brought ends all the same.
  @Test func theEndForgetsEvenWhereItDoesNotBelieveThePackages() throws {
    let (rig, transaction) = try prepared()
    let origin = ContentOrigin(name: bytes("many"), root: rig.place("root")).bytes
    let content = TrustedContent(size: 1, hash: try hash("x"), source: .dpkg, origin: origin, added: 1)
    try rig.store.update(waitingSeconds: 10) { store in
      for index in 0..<300 { try store.set(TrustEntry(contents: [content]), at: rig.place("root/many/\(index)")) }
    }
    _ = try transaction.begin()
    #expect(throws: SyncError.self) { try transaction.end() }
    #expect(try rig.entry("root/many/7")?.contents == [content])
    #expect(try !rig.trusts("root/usr/bin/one", "one 2"))
    #expect(try rig.trusts("root/usr/bin/one", "one 1"))
  }

  private var dead: TransactionOwner? { TransactionOwner(mark: bytes("1 1 another-boot")) }

  /// What a dpkg that was killed had installed stays trusted, the rest of its archives does not.
  @Test func pruningForgetsWhatAKilledDpkgLeft() throws {
    let (rig, living) = try prepared()
    let archive = try rig.package("two", "1", ["/usr/bin/two": "two"])
    _ = try transaction(rig, ["\(rig.path)/one_2.deb", archive], owner: dead).begin()
    try rig.dpkg("-i", archive)
    #expect(try rig.trusts("root/usr/bin/one", "one 2"))
    #expect(try TransactionRemains(store: rig.store, root: rig.root).prune() != nil)
    #expect(try !rig.trusts("root/usr/bin/one", "one 2"))
    #expect(try rig.trusts("root/usr/bin/one", "one 1"))
    #expect(try rig.entry("root/usr/bin/two")?.contents.map(\.source) == [.dpkg])
    #expect(try rig.entry("root/var/lib/dpkg/tmp.ci/preinst") == nil)
    #expect(try TransactionRemains(store: rig.store, root: rig.root).prune() == nil)
    _ = try living.begin()
    #expect(try TransactionRemains(store: rig.store, root: rig.root).prune() == nil)
    #expect(try rig.trusts("root/usr/bin/one", "one 2"))
  }

  /// It goes even where the packages cannot be asked.
  @Test func pruningNeedsNoPackages() throws {
    let (rig, _) = try prepared()
    _ = try transaction(rig, ["\(rig.path)/one_2.deb"], owner: dead).begin()
    try rig.makeFolder("empty")
    #expect(try TransactionRemains(store: rig.store, root: "\(rig.path)/empty").prune() != nil)
    #expect(try !rig.trusts("root/usr/bin/one", "one 2"))
    #expect(try rig.trusts("root/usr/bin/one", "one 1"))
  }

  @Test func pruningEndsWhatAptPrepared() throws {
    let (rig, _) = try prepared()
    let config = "#!/bin/sh\n# asks\n"
    let archive = try rig.package("asks", "1", ["/usr/bin/asks": "asks"], scripts: ["config": config])
    let digest = try hash(config)
    let owner = try #require(TransactionOwner(pid: ProcessSetup.processID))
    let gone = try #require(dead)
    _ = try Preconfiguration(store: rig.store, owner: gone).accept([archive])
    // The next apt has the same script.
    _ = try Preconfiguration(store: rig.store, owner: owner).accept([archive])
    #expect(try TransactionRemains(store: rig.store, root: rig.root).prune() == nil)
    #expect(try rig.store.snapshot().wherever(digest) != nil)
    #expect(try TransactionRemains(store: rig.store, ended: [owner], root: rig.root).prune() != nil)
    #expect(try rig.store.snapshot().wherever(digest) == nil)
    _ = try Preconfiguration(store: rig.store, owner: gone).accept([archive])
    #expect(try TransactionRemains(store: rig.store, root: rig.root).prune() != nil)
    #expect(try rig.store.snapshot().wherever(digest) == nil)
    #expect(try rig.trusts("root/usr/bin/one", "one 1"))
  }

  @Test func withoutADatabaseNothingIsPruned() throws {
    let rig = try Rig()
    #expect(try TransactionRemains(store: rig.store, root: rig.root).prune() == nil)
    #expect(throws: TrustStoreError.self) { try rig.store.manifest() }
  }
}
