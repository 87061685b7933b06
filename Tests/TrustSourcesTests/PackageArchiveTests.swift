// Owns packages: those that dpkg-deb builds and dpkg unpacks, and hostile ones that are made by hand.

import ContentDigest
import Foundation
import Testing

@testable import TrustSources

private let canBuild = isThere("/usr/bin/dpkg-deb")

/// Hand-made archives.
private enum Made {
  static func tar(_ members: [(name: String, type: Character, link: String, content: String)]) -> [UInt8] {
    members.flatMap { header($0.name, $0.type, $0.link, $0.content.utf8.count) + padded(bytes($0.content)) }
      + [UInt8](repeating: 0, count: 1024)
  }

  static func header(_ name: String, _ type: Character, _ link: String, _ size: Int)
    -> [UInt8]
  {
    var block = [UInt8](repeating: 0, count: 512)
    let put = { (text: String, offset: Int, block: inout [UInt8]) in
      for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
    }
    put(name, 0, &block)
    put("0000644\0", 100, &block)
    put("0000000\0", 108, &block)
    put("0000000\0", 116, &block)
    put(
      String(repeating: "0", count: 11 - String(size, radix: 8).count) + String(size, radix: 8), 124,
      &block)
    put("00000000000", 136, &block)
    put("        ", 148, &block)
    put(String(type), 156, &block)
    put(link, 157, &block)
    put("ustar  \0", 257, &block)
    let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", 148, &block)
    return block
  }

  private static func padded(_ content: [UInt8]) -> [UInt8] {
    content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  static func ar(_ members: [(String, [UInt8])]) -> [UInt8] {
    var archive = bytes("!<arch>\n")
    for (name, content) in members {
      let fill = { (text: String, width: Int) in text + String(repeating: " ", count: width - text.utf8.count) }
      archive += bytes(fill(name, 16) + fill("0", 12) + fill("0", 6) + fill("0", 6) + fill("100644", 8))
      archive += bytes(fill("\(content.count)", 10) + "`\n") + content
      if content.count % 2 == 1 { archive.append(0x0a) }
    }
    return archive
  }

  static let control = tar([
    ("./control", "0", "", "Package: p\nVersion: 1\nArchitecture: all\n"), ("./postinst", "0", "", "#!/bin/sh\n"),
  ])

  static func package(data: [UInt8], control: [UInt8] = control) -> [UInt8] {
    ar([("debian-binary", bytes("2.0\n")), ("control.tar", control), ("data.tar", data)])
  }
}

private func contents(_ archive: [UInt8]) throws -> PackageContents {
  let folder = Folder()
  return try PackageArchive.contents(of: folder.write("p.deb", archive))
}

@Suite(.enabled(if: canBuild, "this machine has no dpkg-deb")) struct PackageArchiveTests {
  /// What is read from the archive is what dpkg-deb unpacks from it, name by name.
  @Test(arguments: ["xz", "zstd", "gzip", "none"]) func whatDpkgDebBuilds(_ compression: String) throws {
    let folder = Folder()
    try folder.write(
      "p/DEBIAN/control",
      "Package: lil-p\nVersion: 1:2-3\nArchitecture: amd64\nMulti-Arch: same\nMaintainer: x\nDescription: x\n y: z\n")
    for script in ["preinst", "postinst", "prerm", "postrm", "config"] {
      try folder.write("p/DEBIAN/\(script)", "#!/bin/sh\n# \(script)\n", mode: 0o755)
    }
    try folder.write("p/DEBIAN/conffiles", "/etc/c\n")
    try folder.write("p/DEBIAN/templates", "x")
    try folder.write("p/etc/c", "conf")
    try folder.write("p/usr/bin/empty", "")
    try folder.write("p/usr/bin/odd \\ name\u{1b} \u{e9} #%", "odd")
    try folder.write("p/usr/lib/" + String(repeating: "long/", count: 60) + String(repeating: "x", count: 200), "long")
    try folder.write("p/usr/lib/large", (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) })
    try run("/bin/ln", folder.path("p/usr/lib/large"), folder.path("p/usr/lib/again"))
    try folder.link("p/usr/lib/link", to: "large")
    try run("/usr/bin/dpkg-deb", "-Z\(compression)", "--root-owner-group", "-b", folder.path("p"), folder.path("p.deb"))
    try run("/usr/bin/dpkg-deb", "-R", folder.path("p.deb"), folder.path("out"))

    let contents = try PackageArchive.contents(of: folder.path("p.deb"))
    #expect(
      text(contents.package) == "lil-p" && text(contents.version) == "1:2-3" && text(contents.infoName) == "lil-p:amd64"
    )
    let unpacked = text(try run("/usr/bin/find", "etc", "usr", "-type", "f", "-print0", in: folder.path("out")))
    #expect(Set(contents.files.map { text($0.path) }) == Set(unpacked.split(separator: "\0").map { "/\($0)" }))
    #expect(contents.files.count == 6)
    for file in contents.files {
      let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("out") + text(file.path)))
      #expect(file.size == UInt64(data.count))
      #expect(file.sha256 == (try ContentDigest.sha256(of: [UInt8](data))))
    }
    #expect(Set(contents.scripts.map(\.name)) == ["preinst", "postinst", "prerm", "postrm", "config"])
    for script in contents.scripts {
      #expect(script.sha256 == (try ContentDigest.sha256(of: bytes("#!/bin/sh\n# \(script.name)\n"))))
    }
  }

  /// Packages as they lie on this machine's disk, where there are any.
  @Test func realPackages() throws {
    let cache = "/var/cache/apt/archives"
    for name in try FileManager.default.contentsOfDirectory(atPath: cache).filter({ $0.hasSuffix(".deb") }).prefix(5) {
      let listed = text(
        try run("/bin/sh", "-c", "dpkg-deb --fsys-tarfile '\(cache)/\(name)' | tar tv | grep -c '^[-h]'", status: nil))
      let contents = try PackageArchive.contents(of: "\(cache)/\(name)")
      #expect(contents.files.count == Int(listed.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
  }
}

@Suite struct HostileArchiveTests {
  private typealias Member = (name: String, type: Character, link: String, content: String)

  @Test func namesAreWhatDpkgUnpacksThemTo() throws {
    let data = Made.tar([
      ("./", "5", "", ""), ("./a", "0", "", "1"), ("/b", "0", "", "2"), ("c//./d", "0", "", "3"),
      ("./e", "1", "./a", ""),
      ("./f", "2", "/etc/shadow", ""), ("./g", "3", "", ""), ("./a", "0", "", "again"), ("./h", "1", "a", ""),
    ])
    let contents = try contents(Made.package(data: data))
    #expect(contents.files.map { text($0.path) } == ["/a", "/b", "/c/d", "/e", "/a", "/h"])
    #expect(contents.files.map(\.size) == [1, 1, 1, 1, 5, 5])
    #expect(contents.files[3].sha256 == contents.files[0].sha256)
    #expect(contents.scripts.map(\.name) == ["postinst"])
  }

  @Test func metapackagesAreEmpty() throws {
    #expect(try contents(Made.package(data: Made.tar([("./", "5", "", "")]))).files.isEmpty)
  }

  @Test(
    arguments: [
      ("../a", "0", "", "cannot be named"), ("./a/../../b", "0", "", "cannot be named"),
      (".", "0", "", "cannot be named"),
      ("./a\nb", "0", "", "cannot be named"), ("./a", "1", "./b", "does not come before it"),
      ("./a", "1", "../etc/shadow", "cannot be named"),
    ] as [(String, Character, String, String)])
  func whatDpkgWouldNotUnpack(_ name: String, _ type: Character, _ link: String, _ message: String) throws {
    let data = Made.tar([(name, type, link, ""), ("./z", "0", "", "z")])
    #expect {
      try contents(Made.package(data: data))
    } throws: { error in
      guard let error = error as? TrustSourceError else { return false }
      return error.kind == .damaged && error.message.contains(message) && !error.description.contains("\n")
    }
  }

  @Test(
    arguments: [
      ([], "does not begin with debian-binary"), ([("debian-binary", "2.0\n")], "control.tar is not"),
      ([("debian-binary", "3.0\n")], "a format other than 2"),
      ([("control.tar", "")], "does not begin with debian-binary"),
      ([("debian-binary", "2.0\n"), ("data.tar", ""), ("control.tar", "")], "control.tar is not"),
      ([("debian-binary", "2.0\n"), ("other", ""), ("control.tar", "")], "control.tar is not"),
      ([("debian-binary", "2.0\n"), ("control.tar", "not a tar")], "format"),
      ([("debian-binary", String(repeating: "2.0\n", count: 1000))], "more than 1024 bytes"),
    ] as [([(String, String)], String)])
  func noPackage(_ members: [(String, String)], _ message: String) throws {
    #expect {
      try contents(Made.ar(members.map { ($0.0, bytes($0.1)) }))
    } throws: { ($0 as? TrustSourceError)?.message.lowercased().contains(message.lowercased()) == true }
  }

  @Test(arguments: [
    ("Version: 1\nArchitecture: all\n", "names no package"), ("Package: ../p\nArchitecture: all\n", "names no package"),
    ("Package: p\n", "names no architecture"), ("Package: p\nArchitecture: a/b\n", "names no architecture"),
    ("Package: p\nPACKAGE: q\nArchitecture: all\n", "twice"), ("", "names no package"),
  ]) func controlFilesThatNameNothing(_ control: String, _ message: String) throws {
    let archive = Made.package(data: Made.tar([]), control: Made.tar([("./control", "0", "", control)]))
    #expect { try contents(archive) } throws: { ($0 as? TrustSourceError)?.message.contains(message) == true }
    let none = Made.package(data: Made.tar([]), control: Made.tar([("./x", "0", "", control)]))
    #expect { try contents(none) } throws: { ($0 as? TrustSourceError)?.message.contains("no control file") == true }
  }

  @Test func aControlArchiveIsBounded() throws {
    let folder = Folder()
    try folder.write("control", "Package: p\nVersion: 1\nArchitecture: all\n")
    try run(
      "/bin/sh", "-c", "head -c 70000000 /dev/zero > big && tar --format=gnu -czf control.tar.gz control big",
      in: folder.path)
    let control = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path("control.tar.gz"))))
    let archive = Made.ar([("debian-binary", bytes("2.0\n")), ("control.tar.gz", control)])
    #expect { try contents(archive) } throws: {
      ($0 as? TrustSourceError)?.message.contains("contents of more than") == true
    }
    let large = Made.package(
      data: [], control: Made.tar([("./control", "0", "", String(repeating: "X: y\n", count: 300_000))]))
    #expect { try contents(large) } throws: { ($0 as? TrustSourceError)?.message.contains("more than 1048576") == true }
  }

  @Test func extendedHeadersAreRefused() throws {
    let folder = Folder()
    try folder.write(String(repeating: "n", count: 120), "x")
    try run("/bin/sh", "-c", "tar --format=pax -cf data.tar n*", in: folder.path)
    let data = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path("data.tar"))))
    #expect {
      try contents(Made.package(data: data))
    } throws: { ($0 as? TrustSourceError)?.message.contains("POSIX interchange") == true }
  }

  /// A sparse member claims a size that no byte stands behind.
  @Test func holesAreRefused() throws {
    let folder = Folder()
    try run("/bin/sh", "-c", "truncate -s 1T hole && tar --format=gnu -S -cf data.tar hole", in: folder.path)
    let data = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path("data.tar"))))
    #expect { try contents(Made.package(data: data)) } throws: {
      ($0 as? TrustSourceError)?.message.contains("holes") == true
    }
  }

  @Test func whatIsNoFileIsRefused() throws {
    let folder = Folder()
    #expect { try PackageArchive.contents(of: folder.path) } throws: { ($0 as? TrustSourceError)?.kind == .damaged }
    #expect { try PackageArchive.contents(of: folder.path("none")) } throws: {
      ($0 as? TrustSourceError)?.kind == .missing
    }
    try run("/usr/bin/mkfifo", folder.path("pipe"))
    #expect(throws: TrustSourceError.self) { try PackageArchive.contents(of: folder.path("pipe")) }
  }

  /// Damage is an error or leaves a package that is one; it never ends the program.
  @Test(arguments: [false, true]) func damagedArchives(_ isCompressed: Bool) throws {
    let folder = Folder()
    let data = Made.tar((0..<20).map { ("./f\($0)", "0", "", String(repeating: "\($0)", count: 200)) })
    var archive = Made.package(data: data)
    if isCompressed, canBuild {
      try folder.write("p/DEBIAN/control", "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n")
      for number in 0..<20 { try folder.write("p/f\(number)", String(repeating: "\(number)", count: 200)) }
      try run("/usr/bin/dpkg-deb", "-Zxz", "-b", folder.path("p"), folder.path("whole.deb"))
      archive = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path("whole.deb"))))
    }
    var state: UInt64 = 42
    let random = { (below: Int) -> Int in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    var refused = 0
    for seed in 0..<150 {
      var damaged = archive
      if seed % 3 == 0 { damaged.removeLast(random(damaged.count - 1)) }
      for _ in 0..<(seed % 5 + 1) { damaged[random(damaged.count)] = UInt8(random(256)) }
      let path = try folder.write("d.deb", damaged)
      do {
        let contents = try PackageArchive.contents(of: path)
        #expect(contents.files.count <= 20 && contents.files.allSatisfy { PathText.fault($0.path) == nil })
      } catch { refused += 1 }
    }
    #expect(refused > 50)
  }
}
