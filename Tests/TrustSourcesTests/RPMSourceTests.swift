// Owns RPM databases: a small package that is built and installed into a root of its own, and rpm's answers by hand.

import Foundation
import Testing

@testable import TrustSources

private let canBuild = isThere("/usr/bin/rpm") && isThere("/usr/bin/rpmbuild")

@Suite struct RPMSourceTests {
  private static let spec = """
    Name: liltest
    Version: 1.0
    Release: 1
    Summary: x
    License: x
    BuildArch: noarch
    %description
    x
    %install
    mkdir -p "%{buildroot}/opt/odd dir" %{buildroot}/opt/doc
    echo hello > %{buildroot}/opt/hello
    echo conf > %{buildroot}/opt/conf
    echo quote > "%{buildroot}/opt/odd dir/it's"
    ln -s hello %{buildroot}/opt/link
    touch %{buildroot}/opt/ghost
    echo doc > %{buildroot}/opt/doc/readme
    %files
    /opt/hello
    %config(noreplace) /opt/conf
    "/opt/odd dir/it's"
    /opt/link
    %ghost /opt/ghost
    %doc /opt/doc/readme
    %dir /opt
    """

  /// A root in which the package is installed without its documentation.
  private func installed(digest: Int) throws -> Folder {
    let folder = Folder()
    try folder.write("a.spec", Self.spec)
    try run(
      "/usr/bin/rpmbuild", "-bb", "--dbpath", folder.path("db"), "--define", "_topdir \(folder.path)", "--define",
      "_rpmdir \(folder.path)",
      "--define",
      "_binary_filedigest_algorithm \(digest)", "--define", "_source_filedigest_algorithm \(digest)",
      folder.path("a.spec"))
    try folder.folder("root/usr/opt")
    try folder.link("root/opt", to: "usr/opt")
    let package = folder.path("noarch/liltest-1.0-1.noarch.rpm")
    var options = ["--root", folder.path("root"), "--dbpath", "/var/lib/rpm", "-i", "--nodeps", "--excludedocs"]
    if isThere("/usr/bin/dpkg") { options.append("--force-debian") }
    // Without root's chroot it writes to the same places.
    try run("/usr/bin/rpm", options + [package])
    return folder
  }

  @Test(.enabled(if: canBuild && getuid() == 0, "rpm and rpmbuild, as root"))
  func aSmallDatabase() throws {
    let folder = try installed(digest: 8)
    let source = RPMSource(root: folder.path("root"))
    #expect(source.isPresent)
    let report = try source.read()
    let root = folder.path("root")
    #expect(
      report.items.map { String(text($0.path).dropFirst(root.count)) } == [
        "/usr/opt/conf", "/usr/opt/hello", "/usr/opt/odd dir/it's",
      ])
    #expect(report.items.map { text($0.listedPath) } == ["/opt/conf", "/opt/hello", "/opt/odd dir/it's"])
    #expect(report.items.map(\.isConffile) == [true, false, false])
    #expect(report.items.map(\.size) == [5, 6, 6] && report.items.allSatisfy { text($0.origin) == "liltest" })
    for item in report.items {
      let sum = text(try run("/usr/bin/sha256sum", "-b", text(item.path))).drop { $0 == "\\" }.prefix(64)
      #expect(item.proof == .sha256(Hexadecimal.bytes(bytes(String(sum))[...], count: 32)!))
    }
    #expect(report.packageCount == 1 && report.findings.isEmpty)
    #expect(try RPMSource(databaseFolder: folder.path("root/var/lib/rpm")).read().items.count == 3)
  }

  @Test(.enabled(if: canBuild && getuid() == 0, "rpm and rpmbuild, as root"))
  func otherDigestsProveNothing() throws {
    let folder = try installed(digest: 10)
    let report = try RPMSource(root: folder.path("root")).read()
    #expect(report.items.count == 3 && report.items.allSatisfy { $0.proof == .none } && report.withoutChecksum == 3)
    #expect(report.findings.map(\.kind) == [.weakChecksum] && report.findings.first?.count == 3)
  }

  @Test func noDatabaseIsNotMade() throws {
    let folder = Folder()
    let source = RPMSource(root: folder.path)
    #expect(!source.isPresent)
    #expect { try source.read() } throws: { ($0 as? TrustSourceError)?.kind == .missing }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test(.enabled(if: isThere("/usr/bin/rpm"), "rpm")) func aDamagedDatabaseIsAnError() throws {
    let folder = Folder()
    try folder.write("rpmdb.sqlite", "this is no database, and long enough to be looked at as one")
    #expect(throws: TrustSourceError.self) { try RPMSource(databaseFolder: folder.path).read() }
  }
}

@Suite struct RPMFileListTests {
  private let digest = String(repeating: "ab", count: 32)

  @Test func wordsInQuotesHoldAnyByte() throws {
    let answer = "'p' 'p-1.x' 8 7 33261 1 (none) '\(digest)' '/a\n'\\''p'\\'' 8 0'\n"
    let files = try #require(RPMFileList.parse(bytes(answer)))
    #expect(files.count == 1)
    #expect(text(files[0].path) == "/a\n'p' 8 0")
    #expect(files[0].isRegular && files[0].isConfig && files[0].isInstalled && !files[0].isGhost && files[0].size == 7)
  }

  @Test(arguments: [
    ("33188 0 0", true, true, false), ("33188 64 0", true, true, true), ("16877 0 0", false, true, false),
    ("41471 0 0", false, true, false), ("33188 0 1", true, false, false), ("33188 0 2", true, false, false),
    ("33188 0 3", true, true, false), ("33188 0 4", true, false, false),
  ]) func modesFlagsAndStates(_ words: String, _ isRegular: Bool, _ isInstalled: Bool, _ isGhost: Bool) throws {
    let file = try #require(RPMFileList.parse(bytes("'p' 'p-1' 8 0 \(words) '' '/a'\n"))?.first)
    #expect((file.isRegular, file.isInstalled, file.isGhost) == (isRegular, isInstalled, isGhost))
    #expect(file.proof == .none && !file.hasDigest)
  }

  @Test(arguments: [
    "'p'", "'p' 'p-1' 8 0 0 0 0 '' '/a'", "p 'p-1' 8 0 0 0 0 '' '/a'\n", "'p' 'p-1' 8 -1 0 0 0 '' '/a'\n",
    "'p' 'p-1' 8 99999999999999999999 0 0 0 '' '/a'\n", "'p' 'p-1' 8 0 0 0 0 '' '/a\n", "error: x\n", "\n",
    "'p' 'p-1' 8 0 0 0 0 '' '/a' \n", "'p' 'p-1' 8  0 0 0 '' '/a'\n",
  ]) func anotherForm(_ answer: String) { #expect(RPMFileList.parse(bytes(answer)) == nil) }
}
