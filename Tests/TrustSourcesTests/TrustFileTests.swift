// Owns the text of trust files: every form of a line, every error with its place, and what editing leaves alone.

import Foundation
import Testing

@testable import TrustSources

private let hash = String(repeating: "0123456789abcdef", count: 4)
private let hashBytes = Hexadecimal.bytes(bytes(hash)[...], count: 32)!

private func parse(_ content: String) -> (file: TrustFile?, errors: [TrustSourceError]) {
  TrustFile.parse(bytes(content), name: "t")
}

@Suite struct TrustFileTests {
  @Test func everyFormOfALine() throws {
    let content = """
      # a comment
        \t# another
      /usr/bin/x 12 \(hash)

      \t/opt/a%20b%23%25%0a   0\t\(hash.uppercased())   # why
      * 9223372036854775807 \(hash)
      ! /opt/never # at all
      /opt/caf\u{e9} 1 \(hash)
      """
    let file = try #require(parse(content).file)
    #expect(
      file.entries == [
        .content(path: bytes("/usr/bin/x"), size: 12, sha256: hashBytes),
        .content(path: bytes("/opt/a b#%\n"), size: 0, sha256: hashBytes),
        .anywhere(size: UInt64(Int64.max), sha256: hashBytes), .distrusted(path: bytes("/opt/never")),
        .content(path: bytes("/opt/caf\u{e9}"), size: 1, sha256: hashBytes),
      ])
    #expect(file.lines.map(\.number) == [3, 5, 6, 7, 8])
  }

  @Test func theCanonicalTextSaysTheSame() throws {
    let odd = [0x2f] + (1...255).filter { $0 != 0x2f }.map { UInt8($0) }
    let entries: [TrustFile.Entry] = [
      .content(path: odd, size: .init(Int64.max), sha256: hashBytes), .anywhere(size: 1, sha256: hashBytes),
      .distrusted(path: odd), .content(path: bytes("/a"), size: 1, sha256: hashBytes),
    ]
    let written = TrustFile.text(of: entries)
    #expect(TrustFile.parse(written, name: "t").file?.entries == entries)
    #expect(written.allSatisfy { $0 == 0x0a || $0 >= 0x20 && $0 < 0x7f })
    #expect(text(entries[3].line) == "/a 1 \(hash)")
  }

  @Test(arguments: [
    ("x 1 \(hash)", 1, "a path must be absolute"), ("/a/../b 1 \(hash)", 1, "a path has no . or .. in it"),
    ("/ 1 \(hash)", 1, "/ is no file"),
    ("/a/ 1 \(hash)", 1, "a path has one slash between two names and none at its end"),
    ("/a%2 1 \(hash)", 3, "not an escape"), ("/a%zz 1 \(hash)", 3, "not an escape"),
    ("/a%", 3, "not an escape"),
    ("/a% 1 \(hash)", 3, "not an escape"), ("/a%00b 1 \(hash)", 1, "a path has no zero byte"),
    ("/a#b 1 \(hash)", 3, "a # in a path"), ("/a\u{1b}b 1 \(hash)", 3, "a control byte"),
    ("/a", 3, "the size in bytes is missing"), ("/a 1", 5, "the SHA-256 is missing"),
    ("/a 1 #", 5, "the SHA-256 is missing"),
    ("/a -1 \(hash)", 4, "not a size in bytes"), ("/a 0x1 \(hash)", 4, "not a size in bytes"),
    ("/a 9223372036854775808 \(hash)", 4, "not a size in bytes"), ("/a +1 \(hash)", 4, "not a size in bytes"),
    ("/a 1 \(hash.dropLast())g", 6, "not a SHA-256: not all of it is hexadecimal digits"),
    ("/a 1 \(hash.prefix(32))", 6, "not a SHA-256: as long as an MD5"),
    ("/a 1 \(hash)0", 6, "not a SHA-256: 65 characters"),
    ("/a 1 \(hash) /b", 71, "a word too many"), ("/a b 1 \(hash)", 4, "not a size in bytes"),
    ("*", 2, "the size in bytes is missing"),
    ("* 1 \(hash) x", 70, "a word too many"), ("!", 2, "the path that is never trusted is missing"),
    ("! a", 3, "a path must be absolute"),
    ("! /a 1", 6, "a word too many"), ("!/a", 1, "a path must be absolute"), ("/a\r 1 \(hash)", 3, "a control byte"),
    ("/a 1 \(hash)\r", 6, "not a SHA-256: 65 characters"),
  ]) func everyErrorHasItsPlace(_ line: String, _ column: Int, _ message: String) throws {
    let (file, errors) = parse("# first\n\(line)\n/ok 1 \(hash)\n")
    #expect(file == nil && errors.count == 1)
    #expect(errors.first?.message == message)
    #expect(errors.first?.place == "t:2:\(column)")
    #expect(errors.first?.remedy.isEmpty == false)
  }

  @Test func longLinesAndManyErrorsAreBounded() {
    let long = "/" + String(repeating: "%61", count: 6000)
    #expect(parse(long).errors.first?.message == "longer than 16384 bytes")
    #expect(parse("# " + String(repeating: "x", count: 20000)).errors.count == 1)
    #expect(parse(String(repeating: "x\n", count: 1000)).errors.count == 20)
  }

  @Test func twoContentsOfOnePathAreBothThere() {
    #expect(parse("/a 1 \(hash)\n/a 2 \(hash)\n! /a\n").file?.entries.count == 3)
  }
}

@Suite struct TrustFileEditingTests {
  private let folder = Folder()
  private let entry = TrustFile.Entry.content(path: bytes("/opt/a b"), size: 1, sha256: hashBytes)

  @Test func aMissingFileIsBegunAndReadBack() throws {
    let path = folder.path("local.trust")
    #expect(try TrustFile.edit(path, adding: [entry, entry]) == TrustFile.Change(added: 1, removed: 0))
    #expect(TrustFile.read(path).file?.entries == [entry])
    #expect(try folder.read("local.trust").hasPrefix("# "))
    let status = try FileManager.default.attributesOfItem(atPath: path)
    #expect(status[.posixPermissions] as? Int == 0o644)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["local.trust"])
  }

  @Test func otherLinesStayAsTheyAre() throws {
    let kept = "#  why\n\n  /usr/bin/x\t12 \(hash.uppercased()) # mine\n! /never\n"
    let path = try folder.write("t.trust", kept + "/gone 1 \(hash) # soon\n#end")
    let change = try TrustFile.edit(path, adding: [entry]) { $0.path == bytes("/gone") }
    #expect(change == TrustFile.Change(added: 1, removed: 1))
    #expect(try folder.read("t.trust") == kept + "#end\n/opt/a%20b 1 \(hash)\n")
    let before = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
    #expect(try TrustFile.edit(path, adding: [entry]) == TrustFile.Change(added: 0, removed: 0))
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int == before)
  }

  @Test func anEntryThatIsRemovedAndAddedIsAtTheEnd() throws {
    let path = try folder.write("t.trust", "/opt/a%20b 1 \(hash)\n/z 1 \(hash)\n")
    #expect(try TrustFile.edit(path, adding: [entry]) { $0 == entry } == TrustFile.Change(added: 1, removed: 1))
    #expect(try folder.read("t.trust") == "/z 1 \(hash)\n/opt/a%20b 1 \(hash)\n")
  }

  @Test func aFileWithAnErrorIsLeftAlone() throws {
    let path = try folder.write("t.trust", "nonsense\n")
    #expect { try TrustFile.edit(path, adding: [entry]) } throws: { ($0 as? TrustSourceError)?.place == "\(path):1:1" }
    #expect(try folder.read("t.trust") == "nonsense\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["t.trust"])
  }

  @Test(arguments: [0o664, 0o646]) func whatOthersCanWriteIsNotBelieved(_ mode: Int) throws {
    let path = try folder.write("t.trust", "", mode: mode)
    #expect(TrustFile.read(path).errors.first?.kind == .notProtected)
    #expect(TrustFile.read(path, protection: .anyone).file != nil)
    #expect(throws: TrustSourceError.self) { try TrustFile.edit(path, adding: [entry]) }
  }

  @Test func linksAndFoldersAreNoTrustFiles() throws {
    try folder.write("real.trust", "")
    try folder.link("t.trust", to: "real.trust")
    #expect(TrustFile.read(folder.path("t.trust")).errors.first?.message == "is a link")
    #expect(TrustFile.read(folder.path).errors.first?.message == "is no regular file")
    try run("/usr/bin/mkfifo", "-m", "600", folder.path("pipe"))
    #expect(TrustFile.read(folder.path("pipe")).errors.first?.message == "is no regular file")
  }

  @Test func aDraftThatACrashLeftIsUsedAgain() throws {
    try folder.write(".t.trust.new", "half a li", mode: 0o600)
    _ = try TrustFile.edit(folder.path("t.trust"), adding: [entry])
    #expect(TrustFile.read(folder.path("t.trust")).file?.entries == [entry])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["t.trust"])
  }

  /// No edit is lost, however many are made at once.
  @Test func editorsWaitForOneAnother() async throws {
    let path = folder.path("t.trust")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask {
          let entry = TrustFile.Entry.content(path: bytes("/f\(number)"), size: 1, sha256: hashBytes)
          let change = try TrustFile.edit(path, adding: [entry])
          #expect(change.added == 1)
        }
      }
      try await group.waitForAll()
    }
    #expect(TrustFile.read(path).file?.entries.count == 40)
  }
}

@Suite struct TrustFolderTests {
  private let folder = Folder()

  private func read() throws -> TrustFolderReport {
    try TrustFolder(folder.path("trust.d"), root: folder.path("root")).read()
  }

  @Test func filesAreReadInTheOrderOfTheirNames() throws {
    try folder.folder("root/usr/bin")
    try folder.link("root/bin", to: "usr/bin")
    try folder.write("trust.d/20-b.trust", "! /bin/bad\n* 3 \(hash)\n")
    try folder.write("trust.d/10-a.trust", "/bin/x 1 \(hash)\n")
    try folder.write("trust.d/.hidden.trust", "nonsense\n")
    try folder.write("trust.d/readme", "nonsense\n")
    let report = try read()
    #expect(report.files == [bytes("10-a.trust"), bytes("20-b.trust")] && report.errors.isEmpty)
    let root = folder.path("root")
    #expect(
      report.items == [
        TrustItem(
          path: bytes("\(root)/usr/bin/x"), listedPath: bytes("/bin/x"), size: 1, proof: .sha256(hashBytes),
          origin: bytes("10-a.trust"))
      ])
    #expect(report.distrusted.map { text($0.path) } == ["\(root)/usr/bin/bad"])
    #expect(report.anywhere.map(\.size) == [3] && report.anywhere.map { text($0.origin) } == ["20-b.trust"])
  }

  @Test func nothingIsNoError() throws {
    try folder.folder("root")
    #expect(try read() == TrustFolderReport())
  }

  @Test func anErrorIsKeptWithItsPlace() throws {
    try folder.folder("root")
    try folder.write("trust.d/a.trust", "/x 1 \(hash)\nbad\n")
    try folder.write("trust.d/b.trust", "/y 1 \(hash)\n")
    try folder.write("trust.d/c.trust", "/z 1 \(hash)\n", mode: 0o666)
    let report = try read()
    #expect(report.items.map { text($0.listedPath) } == ["/y"])
    #expect(report.errors.map(\.place) == [folder.path("trust.d/a.trust:2:1"), folder.path("trust.d/c.trust")])
  }

  @Test func aFolderThatOthersCanWriteIsNotBelieved() throws {
    try folder.folder("root")
    try folder.folder("trust.d")
    try run("/bin/chmod", "o+w", folder.path("trust.d"))
    #expect { try read() } throws: { ($0 as? TrustSourceError)?.kind == .notProtected }
  }
}
