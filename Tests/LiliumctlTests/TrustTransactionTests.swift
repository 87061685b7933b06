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

  private func shipped(_ name: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..").path
    return try String(contentsOfFile: "\(root)/\(name)", encoding: .utf8)
  }

  /// dpkg with the shipped configuration, told where the store lies. After `begin`, a copy of the store is kept.
  private func dpkg(
    _ rig: TrustRig, _ words: [String], program: String = TrustRig.program, as binary: String = "/usr/bin/dpkg"
  ) throws -> TrustRig.End {
    let shipped = try shipped("etc/dpkg/dpkg.cfg.d/lilium")
    let places = "--state \(rig.path)/state --socket /nonexistent"
    let hooks = shipped.replacingOccurrences(of: "/usr/bin/liliumctl", with: program)
      .replacingOccurrences(of: "transaction begin", with: "transaction begin \(places)")
      .replacingOccurrences(of: "transaction end", with: "transaction end \(places)")
    let copy = "pre-invoke=rm -rf \(rig.path)/middle; cp -a \(rig.path)/state \(rig.path)/middle\n"
    try rig.write(".dpkg.cfg", hooks + copy)
    let end = try rig.start(
      binary, ["--force-unsafe-io", "--log=/dev/null", "--root=\(rig.path)/root"] + words)
    #expect(end.status == 0, "\(end.complaint)")
    return end
  }

  private func dpkg(_ rig: TrustRig, _ words: String..., program: String = TrustRig.program) throws -> TrustRig.End {
    try dpkg(rig, words, program: program)
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

  @Test func aDryRunIsNotFollowed() throws {
    let rig = try prepared()
    let before = try rig.store.manifest()
    let end = try dpkg(rig, "--no-act", "-i", try package(rig, "1"))
    #expect(end.complaint.isEmpty)
    #expect(try rig.store.manifest() == before)
  }

  /// dpkg goes on, and the reason is said once.
  @Test(arguments: [true, false]) func aForeignDatabaseIsNotFollowed(_ installs: Bool) throws {
    let rig = try prepared()
    _ = try dpkg(rig, "-i", try package(rig, "1"))
    let before = try rig.store.manifest()
    // dpkg wants it below the root.
    let foreign = "\(rig.path)/root/foreign"
    try FileManager.default.copyItem(atPath: "\(rig.path)/root/var/lib/dpkg", toPath: foreign)
    try rig.write("foreign/status", "")
    let words = installs ? ["-i", try package(rig, "2")] : ["--configure", "--pending"]
    let end = try dpkg(rig, ["--admindir=\(foreign)"] + words)
    let sentence = "\(foreign) is not the package database of \(rig.path)/root"
    #expect(end.complaint.components(separatedBy: sentence).count == 2, "\(end.complaint)")
    #expect(try rig.store.manifest() == before)
  }

  /// A dpkg that brings another dpkg runs a program without a name when it ends.
  @Test func aDpkgThatReplacesItselfIsFollowed() throws {
    let rig = try prepared()
    let program = try rig.write("bin/dpkg", "")
    try FileManager.default.removeItem(atPath: program)
    try FileManager.default.copyItem(atPath: "/usr/bin/dpkg", toPath: program)
    _ = try dpkg(rig, ["--pre-invoke=rm \(program)", "-i", try package(rig, "1")], as: program)
    #expect(!FileManager.default.fileExists(atPath: program))
    #expect(try rig.trust("list", "--source", "transaction").output.isEmpty)
    #expect(try accepts(rig, "state", "usr/bin/prog", "program 1"))
  }

  /// apt calls its hooks through shells, and the last one from a copy of itself.
  @Test func whatAptPreparedGoesWhenItsWorkIsDone() throws {
    let rig = try prepared()
    let places = "--state \(rig.path)/state --socket /nonexistent"
    let hooks = try shipped("etc/apt/apt.conf.d/20lilium").matches(of: /\{"(.+)";\}/).map { match in
      String(match.1).replacingOccurrences(of: "/usr/bin/liliumctl", with: TrustRig.program)
        .replacing(/transaction [a-z]+/) { "\($0.output) \(places)" }
    }
    try #require(hooks.count == 2)
    try rig.write("build-1/DEBIAN/config", "#!/bin/sh\n# asks\n", mode: 0o755)
    let archive = try package(rig, "1")
    try rig.write(
      "apt",
      """
      echo \(archive) | sh -c '\(hooks[0])'
      \(TrustRig.program) trust list --source transaction --state \(rig.path)/state
      (sh -c '\(hooks[1])'; :)
      \(TrustRig.program) trust list --source transaction --state \(rig.path)/state
      """)
    let end = try rig.start("/bin/sh", ["\(rig.path)/apt"])
    #expect(end.complaint.isEmpty)
    let lines = end.output.split(separator: "\n")
    #expect(lines.count == 1, "\(lines)")
    #expect(lines.first?.contains("transaction:prog") == true)
  }

  /// Nobody who is not dpkg's child begins a transaction.
  @Test func withoutDpkgNothingBegins() throws {
    let rig = try prepared()
    for word in ["begin", "end", "prepare", "prune"] {
      let end = try rig.trust("transaction", word)
      #expect(end.status == 0)
      #expect(end.output.isEmpty)
    }
    #expect(try rig.store.manifest().paths == 0)
  }
}
