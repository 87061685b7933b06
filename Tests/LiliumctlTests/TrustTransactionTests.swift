// Owns real package transactions: dpkg with the hooks that are shipped, over a root of its own.

import AccessModel
import Foundation
import SystemCalls
import Testing
import TrustDatabase

@testable import liliumctl

@Suite(
  "A real dpkg with the shipped hooks", .serialized,
  .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/dpkg") && geteuid() == 0))
struct TrustTransactionTests {
  /// A root with a shell for maintainer scripts, and a trust database that knows it.
  private func prepared() throws -> TrustRig {
    let rig = try TrustRig()
    for folder in ["info", "updates", "triggers"] {
      try FileManager.default.createDirectory(
        atPath: "\(rig.path)/root/var/lib/dpkg/\(folder)", withIntermediateDirectories: true)
    }
    try rig.write("root/var/lib/dpkg/status", "")
    let libraries = try rig.start("/usr/bin/ldd", ["/usr/bin/dash"]).output.split(whereSeparator: \.isWhitespace)
      .filter { $0.hasPrefix("/") }.map(String.init)
    for file in libraries + ["/usr/bin/dash"] {
      let place = "\(rig.path)/root\(file)"
      try FileManager.default.createDirectory(
        atPath: (place as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: URL(fileURLWithPath: file).resolvingSymlinksInPath().path, toPath: place)
    }
    try FileManager.default.createDirectory(atPath: "\(rig.path)/root/bin", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: "\(rig.path)/root/bin/sh", withDestinationPath: "/usr/bin/dash")
    let sync = try rig.trust("sync", "--source", "dpkg", "--root", "\(rig.path)/root", "--quiet")
    try #require(sync.status == 0, "\(sync.complaint)")
    return rig
  }

  private func package(_ rig: TrustRig, _ version: String) throws -> String {
    let folder = "build-\(version)"
    try rig.write("\(folder)/usr/bin/prog", "program \(version)", mode: 0o755)
    try rig.write("\(folder)/etc/init.d/prog", "#!/bin/sh\n# \(version)\n", mode: 0o755)
    try rig.write("\(folder)/DEBIAN/conffiles", "/etc/init.d/prog\n")
    try rig.write(
      "\(folder)/DEBIAN/control",
      "Package: prog\nVersion: \(version)\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n")
    let sum = try rig.start("/usr/bin/md5sum", ["\(rig.path)/\(folder)/usr/bin/prog"]).output.prefix(32)
    try rig.write("\(folder)/DEBIAN/md5sums", "\(sum)  usr/bin/prog\n")
    for script in ["preinst", "postinst", "prerm", "postrm"] {
      try rig.write(
        "\(folder)/DEBIAN/\(script)", "#!/bin/sh\n# \(version)\necho \"\(script) $@\" >>/log\n", mode: 0o755)
    }
    let archive = "\(rig.path)/prog_\(version).deb"
    let built = try rig.start("/usr/bin/dpkg-deb", ["--root-owner-group", "-b", "\(rig.path)/\(folder)", archive])
    try #require(built.status == 0, "\(built.complaint)")
    return archive
  }

  /// dpkg with the shipped configuration, told where the store lies. After `begin`, a copy of the store is kept.
  private func dpkg(_ rig: TrustRig, _ words: String..., program: String = TrustRig.program) throws -> TrustRig.End {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..").path
    let shipped = try String(contentsOfFile: "\(root)/etc/dpkg/dpkg.cfg.d/lilium", encoding: .utf8)
    let places = "--state \(rig.path)/state --socket /nonexistent"
    let hooks = shipped.replacingOccurrences(of: "/usr/bin/liliumctl", with: program)
      .replacingOccurrences(of: "transaction begin", with: "transaction begin \(places)")
      .replacingOccurrences(of: "transaction end", with: "transaction end \(places)")
    let copy = "pre-invoke=rm -rf \(rig.path)/middle; cp -a \(rig.path)/state \(rig.path)/middle\n"
    try rig.write(".dpkg.cfg", hooks + copy)
    let end = try rig.start(
      "/usr/bin/dpkg", ["--force-unsafe-io", "--log=/dev/null", "--root=\(rig.path)/root"] + words)
    #expect(end.status == 0, "\(end.complaint)")
    return end
  }

  private func accepts(_ rig: TrustRig, _ state: String, _ name: String, _ content: String) throws -> Bool {
    try rig.write("content", content)
    let digest = try rig.start("/usr/bin/sha256sum", ["\(rig.path)/content"]).output.prefix(64)
    let wanted = try #require(ContentHash(hexadecimal: Array(digest.utf8)))
    let entry = try TrustStore(folder: "\(rig.path)/\(state)/trust").snapshot()
      .entry(at: Array("\(rig.path)/root/\(name)".utf8))
    return entry?.contents.contains { $0.hash == wanted } ?? false
  }

  private func script(_ name: String, _ version: String) -> String {
    "#!/bin/sh\n# \(version)\necho \"\(name) $@\" >>/log\n"
  }

  @Test func everythingIsAcceptedBeforeItLiesThere() throws {
    let rig = try prepared()
    let first = try dpkg(rig, "-i", try package(rig, "1"))
    #expect(first.complaint.isEmpty)
    for name in ["preinst", "postinst", "prerm", "postrm"] {
      #expect(try accepts(rig, "middle", "var/lib/dpkg/tmp.ci/\(name)", script(name, "1")))
      #expect(try accepts(rig, "middle", "var/lib/dpkg/info/prog.\(name)", script(name, "1")))
    }
    #expect(try accepts(rig, "middle", "usr/bin/prog", "program 1"))
    #expect(try accepts(rig, "middle", "usr/bin/prog.dpkg-new", "program 1"))
    #expect(try accepts(rig, "middle", "etc/init.d/prog", "#!/bin/sh\n# 1\n"))
    // Afterwards dpkg vouches for it, and nothing of the transaction is left.
    #expect(try accepts(rig, "state", "usr/bin/prog", "program 1"))
    #expect(try accepts(rig, "state", "var/lib/dpkg/info/prog.prerm", script("prerm", "1")))
    #expect(try !accepts(rig, "state", "var/lib/dpkg/tmp.ci/preinst", script("preinst", "1")))
    #expect(try rig.trust("list", "--source", "transaction").output.isEmpty)

    _ = try dpkg(rig, "-i", try package(rig, "2"))
    #expect(try accepts(rig, "middle", "usr/bin/prog", "program 1"))
    #expect(try accepts(rig, "middle", "usr/bin/prog", "program 2"))
    #expect(try accepts(rig, "middle", "var/lib/dpkg/info/prog.prerm", script("prerm", "1")))
    #expect(try accepts(rig, "middle", "var/lib/dpkg/tmp.ci/preinst", script("preinst", "2")))
    #expect(try !accepts(rig, "state", "usr/bin/prog", "program 1"))
    #expect(try accepts(rig, "state", "usr/bin/prog", "program 2"))
    #expect(try rig.trust("verify").status == 0)

    _ = try dpkg(rig, "-P", "prog")
    #expect(try accepts(rig, "middle", "var/lib/dpkg/info/prog.prerm", script("prerm", "2")))
    #expect(try rig.trust("list", "\(rig.path)/root/usr/bin/prog").status == 1)
    let log = try String(contentsOfFile: "\(rig.path)/root/log", encoding: .utf8)
    #expect(log.split(separator: "\n").first == "preinst install")
    #expect(log.contains("prerm upgrade 2") && log.contains("postrm purge"))
  }

  /// dpkg goes on, and says what is missing.
  @Test func aDamagedStoreDoesNotEndDpkg() throws {
    let rig = try prepared()
    try Data("nonsense".utf8).write(to: URL(fileURLWithPath: "\(rig.path)/state/trust/current"))
    let end = try dpkg(rig, "-i", try package(rig, "1"))
    #expect(end.complaint.contains("the trust database does not follow this package transaction"))
    #expect(FileManager.default.fileExists(atPath: "\(rig.path)/root/usr/bin/prog"))
  }

  @Test func aRemovedLiliumctlDoesNotEndDpkg() throws {
    let rig = try prepared()
    let end = try dpkg(rig, "-i", try package(rig, "1"), program: "/nonexistent/liliumctl")
    #expect(end.complaint.isEmpty)
    #expect(FileManager.default.fileExists(atPath: "\(rig.path)/root/usr/bin/prog"))
  }

  /// As apt unpacks: a folder of links; and what is unpacked is configured by another run.
  @Test func unpackedFromAFolderAndConfiguredLater() throws {
    let rig = try prepared()
    let archive = try package(rig, "1")
    try FileManager.default.createDirectory(atPath: "\(rig.path)/links", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: "\(rig.path)/links/0-prog.deb", withDestinationPath: archive)
    _ = try dpkg(rig, "--unpack", "--recursive", "\(rig.path)/links")
    #expect(try accepts(rig, "middle", "usr/bin/prog", "program 1"))
    #expect(try accepts(rig, "state", "etc/init.d/prog.dpkg-new", "#!/bin/sh\n# 1\n"))
    #expect(try accepts(rig, "state", "var/lib/dpkg/info/prog.postinst", script("postinst", "1")))
    _ = try dpkg(rig, "--configure", "prog")
    #expect(try accepts(rig, "middle", "etc/init.d/prog", "#!/bin/sh\n# 1\n"))
    #expect(try accepts(rig, "state", "etc/init.d/prog", "#!/bin/sh\n# 1\n"))
    #expect(try !accepts(rig, "state", "etc/init.d/prog.dpkg-new", "#!/bin/sh\n# 1\n"))
  }

  /// Nobody who is not dpkg's child begins a transaction.
  @Test func withoutDpkgNothingBegins() throws {
    let rig = try prepared()
    for word in ["begin", "end", "prepare"] {
      let end = try rig.trust("transaction", word)
      #expect(end.status == 0)
      #expect(end.output.isEmpty)
    }
    #expect(try rig.store.manifest().paths == 0)
  }
}
