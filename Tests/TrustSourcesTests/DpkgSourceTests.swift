// Owns dpkg databases that are made by hand, each with one oddity.

import Foundation
import Testing

@testable import TrustSources

private let md5 = "0123456789abcdef0123456789abcdef"
private let other = "ffffffffffffffffffffffffffffffff"

/// A root with a dpkg database.
private struct Host {
  let folder = Folder()
  private var stanzas: [String] = []

  init() throws {
    for name in ["usr/bin", "usr/lib", "etc", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"] {
      try folder.folder(name)
    }
    try folder.write("var/lib/dpkg/info/format", "1\n")
    try folder.link("bin", to: "usr/bin")
    try writeStatus()
  }

  mutating func add(
    _ name: String, state: String = "install ok installed", architecture: String = "amd64", same: Bool = false,
    conffiles: String = "", list: String?, md5sums: String?
  ) throws {
    var stanza = "Package: \(name)\nStatus: \(state)\nMaintainer: x\nArchitecture: \(architecture)\nVersion: 1\n"
    if same { stanza += "Multi-Arch: same\n" }
    if !conffiles.isEmpty { stanza += "Conffiles:\n\(conffiles)\n" }
    stanzas.append(stanza + "Description: x\n")
    try writeStatus()
    let base = "var/lib/dpkg/info/" + (same ? "\(name):\(architecture)" : name)
    if let list { try folder.write("\(base).list", list) }
    if let md5sums { try folder.write("\(base).md5sums", md5sums) }
  }

  private func writeStatus() throws { try folder.write("var/lib/dpkg/status", stanzas.joined(separator: "\n")) }

  func read() throws -> SourceReport { try DpkgSource(root: folder.path).read() }
  func kinds(_ report: SourceReport) -> [SourceFinding.Kind] { report.findings.map(\.kind) }

  /// A path of an item without the folder of the test.
  func short(_ item: TrustItem) -> String { String(text(item.path).dropFirst(folder.path.count)) }
}

@Suite(.enabled(if: isThere("/usr/bin/dpkg-query"), "this machine has no dpkg")) struct DpkgSourceTests {
  @Test func foldersThatAreLinksAreFollowedInsideTheRoot() throws {
    var host = try Host()
    try host.folder.link("usr/lib/outward", to: "/etc")
    try host.folder.link("usr/lib/upward", to: "../../../../../../../../etc")
    let list = ["/.", "/bin", "/bin/a", "/usr/lib/outward/b", "/usr/lib/upward/c", "/gone/d"]
    try host.add(
      "p", list: list.joined(separator: "\n") + "\n",
      md5sums: ["bin/a", "usr/lib/outward/b", "usr/lib/upward/c", "gone/d"].map { "\(md5)  \($0)\n" }.joined())
    let report = try host.read()
    #expect(report.items.map(host.short) == ["/usr/bin/a", "/etc/b", "/etc/c", "/gone/d"])
    #expect(report.items.map { text($0.listedPath) } == list.suffix(4))
    #expect(report.items.allSatisfy { $0.proof == .md5(Hexadecimal.bytes(bytes(md5)[...], count: 16)!) })
    #expect(report.findings.isEmpty && report.packageCount == 1)
  }

  @Test func linksThatRunInACircleAreAFinding() throws {
    var host = try Host()
    try host.folder.link("usr/one", to: "two")
    try host.folder.link("usr/two", to: "one")
    try host.add("p", list: "/usr/one/x\n/usr/bin/y\n", md5sums: "\(md5)  usr/one/x\n\(md5)  usr/bin/y\n")
    let report = try host.read()
    #expect(report.items.map(host.short) == ["/usr/bin/y"])
    #expect(host.kinds(report) == [.damagedLine])
  }

  @Test func divertedFilesLieWhereTheyWereDivertedTo() throws {
    var host = try Host()
    try host.folder.write(
      "var/lib/dpkg/diversions",
      "/usr/bin/tool\n/usr/bin/tool.orig\nkeeper\n/usr/bin/mine\n/usr/bin/mine.dist\n:\n/etc/c\n/etc/c.dist\n:\n")
    let files = "/usr/bin/tool\n/usr/bin/mine\n"
    let sums = { (hash: String) in "\(hash)  usr/bin/tool\n\(hash)  usr/bin/mine\n" }
    try host.add("keeper", list: "/usr/bin/tool\n", md5sums: "\(md5)  usr/bin/tool\n")
    try host.add("loser", conffiles: " /etc/c \(other)", list: files + "/etc/c\n", md5sums: sums(other))
    let report = try host.read()
    let found = Set(report.items.map { "\(text($0.origin)) \(host.short($0)) \(text($0.listedPath))" })
    #expect(
      found == [
        "keeper /usr/bin/tool /usr/bin/tool", "loser /usr/bin/tool.orig /usr/bin/tool",
        "loser /usr/bin/mine.dist /usr/bin/mine", "loser /etc/c.dist /etc/c",
      ])
    #expect(report.diverted == 3 && host.kinds(report) == [.diverted, .diverted, .diverted])
  }

  @Test(arguments: [
    "/usr/bin/a\n/usr/bin/b\n", "usr/bin/a\n/usr/bin/b\n:\n", "/usr/bin/a\n/../b\n:\n", "/a\n/b\nno/package\n",
  ]) func aDamagedDiversionIsAnError(_ text: String) throws {
    let host = try Host()
    try host.folder.write("var/lib/dpkg/diversions", text)
    #expect { try host.read() } throws: { ($0 as? TrustSourceError)?.kind == .damaged }
  }

  @Test func conffilesAreWhatThePackageBrought() throws {
    var host = try Host()
    try host.folder.write("etc/new", "as it came")
    try host.add(
      "p",
      conffiles:
        " /etc/a \(md5)\n /etc/with blank \(other) obsolete\n /etc/new newconffile\n /etc/go \(md5) remove-on-upgrade",
      list: "/etc/a\n/etc/with blank\n/etc/new\n/etc/go\n/usr/bin/x\n", md5sums: "\(md5)  usr/bin/x\n")
    let report = try host.read()
    #expect(report.items.filter(\.isConffile).map(host.short) == ["/etc/a", "/etc/with blank", "/etc/new"])
    #expect(report.items.filter { $0.proof == .none }.map(host.short) == ["/etc/new"])
    #expect(report.withoutChecksum == 1)
  }

  @Test func filesWithoutChecksumAreCountedAndFoldersAreNot() throws {
    var host = try Host()
    try host.folder.write("usr/bin/a", "a")
    try host.folder.write("usr/bin/b", "b")
    try host.folder.link("usr/bin/link", to: "a")
    try host.add("none", list: "/usr\n/usr/bin\n/usr/bin/a\n/usr/bin/link\n/usr/bin/gone\n", md5sums: nil)
    try host.add("some", list: "/usr/bin/b\n/usr/bin/c\n", md5sums: "\(md5)  usr/bin/c\n")
    let report = try host.read()
    #expect(report.items.map(host.short) == ["/usr/bin/a", "/usr/bin/b", "/usr/bin/c"])
    #expect(report.items.map { $0.proof == .none } == [true, true, false])
    #expect(report.withoutChecksum == 2)
    #expect(host.kinds(report) == [.withoutChecksum, .withoutChecksum])
    #expect(report.findings[0].description.hasPrefix("none: it has no checksums, and 1 files; "))
  }

  /// A checksum of what is not in the list is one that another package took over, or that was left out.
  @Test func checksumsOfOtherFilesAreLeftOut() throws {
    var host = try Host()
    try host.add("p", list: "/usr/bin/a\n", md5sums: "\(md5)  usr/bin/a\n\(md5)  usr/bin/other\n")
    #expect(try host.read().items.map(host.short) == ["/usr/bin/a"])
  }

  @Test func onePathOfTwoPackages() throws {
    var host = try Host()
    for architecture in ["amd64", "i386"] {
      try host.add(
        "same", architecture: architecture, same: true, list: "/usr/lib/x\n", md5sums: "\(md5)  usr/lib/x\n")
    }
    try host.add("one", list: "/bin/y\n", md5sums: "\(md5)  bin/y\n")
    try host.add("two", list: "/usr/bin/y\n", md5sums: "\(other)  usr/bin/y\n")
    let report = try host.read()
    #expect(report.items.map(host.short).sorted() == ["/usr/bin/y", "/usr/bin/y", "/usr/lib/x"])
    #expect(host.kinds(report) == [.contradiction])
    #expect(report.packageCount == 4)
  }

  @Test(
    arguments: [
      ("install ok installed", 1, 1, []), ("install ok unpacked", 1, 1, []), ("install ok half-configured", 1, 1, []),
      ("install ok half-installed", 1, 1, [.incomplete]), ("deinstall ok config-files", 0, 1, []),
      ("install ok triggers-pending", 1, 1, []), ("purge ok not-installed", 0, 0, []),
    ] as [(String, Int, Int, [SourceFinding.Kind])])
  func statesThatHaveFiles(_ state: String, _ files: Int, _ scripts: Int, _ kinds: [SourceFinding.Kind]) throws {
    var host = try Host()
    try host.folder.write("var/lib/dpkg/info/p.postrm", "#!/bin/sh\n", mode: 0o755)
    try host.folder.write("var/lib/dpkg/info/p.unknown", "")
    try host.add("p", state: state, list: "/usr/bin/a\n", md5sums: "\(md5)  usr/bin/a\n")
    if state.hasSuffix("pending") {
      // dpkg refuses the state without what is pending.
      let status = try host.folder.read("var/lib/dpkg/status").replacing(
        "Version", with: "Triggers-Pending: x\nVersion")
      try host.folder.write("var/lib/dpkg/status", status)
    }
    let report = try host.read()
    #expect(report.packageCount == files)
    #expect(report.items.count { !$0.isMaintainerScript } == files)
    #expect(
      report.items.filter(\.isMaintainerScript).map(host.short)
        == Array(repeating: "/var/lib/dpkg/info/p.postrm", count: scripts))
    #expect(host.kinds(report) == kinds)
  }

  @Test func hostileLinesAreNamedAndLeftOut() throws {
    var host = try Host()
    let long = "/" + String(repeating: "a", count: 5000)
    try host.add(
      "p", list: "/usr/bin/../../etc/shadow\nrelative\n\n/usr/bin/ok\n\(long)\n/zero\0byte\n",
      md5sums:
        "\(md5)  ../../etc/shadow\nxyz\n\(md5) usr/bin/ok\n\(md5)  usr/bin/ok\n\(md5.dropLast())g  usr/bin/ok\n\n")
    let report = try host.read()
    #expect(report.items.map(host.short) == ["/usr/bin/ok"])
    #expect(report.findings.allSatisfy { $0.kind == .damagedLine && text($0.package) == "p" })
    let lines = report.findings.map { $0.place.split(separator: ".").last! }
    #expect(
      lines == [
        "list:1", "list:2", "list:3", "list:5", "list:6", "md5sums:1", "md5sums:2", "md5sums:3", "md5sums:5",
        "md5sums:6",
      ])
  }

  @Test func aMissingListIsAFinding() throws {
    var host = try Host()
    try host.add("p", list: nil, md5sums: "\(md5)  usr/bin/a\n")
    let report = try host.read()
    #expect(report.items.isEmpty && host.kinds(report) == [.listMissing])
  }

  @Test func whatOthersCanWriteIsNotBelieved() throws {
    var host = try Host()
    try host.add("p", list: "/usr/bin/a\n", md5sums: "\(md5)  usr/bin/a\n")
    try host.add("q", list: "/usr/bin/b\n", md5sums: "\(md5)  usr/bin/b\n")
    try run("/bin/chmod", "g+w", host.folder.path("var/lib/dpkg/info/p.list"))
    try host.folder.folder("elsewhere")
    try run("/bin/mv", host.folder.path("var/lib/dpkg/info/q.md5sums"), host.folder.path("elsewhere/q"))
    try host.folder.link("var/lib/dpkg/info/q.md5sums", to: "/elsewhere/q")
    let report = try host.read()
    #expect(report.items.isEmpty)
    #expect(host.kinds(report).contains(.notProtected) && report.packageCount == 2)
    try run("/bin/chmod", "o+w", host.folder.path("var/lib/dpkg/info"))
    #expect { try host.read() } throws: { ($0 as? TrustSourceError)?.kind == .notProtected }
  }

  @Test func noDatabaseIsAnErrorWithARemedy() throws {
    let folder = Folder()
    #expect(!DpkgSource(root: folder.path).isPresent)
    #expect { try DpkgSource(root: folder.path).read() } throws: { ($0 as? TrustSourceError)?.kind == .missing }
    #expect(throws: TrustSourceError.self) { try DpkgSource(root: folder.path("none")).read() }
  }

  @Test func aDatabaseThatDpkgCannotReadIsAnError() throws {
    let host = try Host()
    try host.folder.write("var/lib/dpkg/status", "Package: \u{1}\nnonsense\n")
    #expect {
      try host.read()
    } throws: { error in
      guard let error = error as? TrustSourceError else { return false }
      return error.kind == .program && error.message.contains("exit status 2") && error.place == "/usr/bin/dpkg-query"
    }
  }
}
