// Owns checksum lists: what sha256sum writes is read back, and what it would not check is refused.

import Foundation
import Testing

@testable import TrustSources

private let hash = String(repeating: "0123456789abcdef", count: 4)

@Suite struct ChecksumListTests {
  private static let names = [
    "plain", "with  blanks", " leading", "*star", "back\\slash", "new\nline", "return\r", "brackets (a) = b", "\u{e9}",
    "#hash",
    "tab\t", "SHA256 (x) = y", "\\", "-n",
  ]

  /// Every way in which sha256sum writes a list.
  @Test(arguments: [[], ["--tag"], ["--binary"], ["--text"]])
  func whatSha256sumWrites(_ options: [String]) throws {
    let folder = Folder()
    for name in Self.names { try folder.write(name, "content of \(name)") }
    let list = try run("/usr/bin/sha256sum", options + ["--"] + Self.names, in: folder.path)
    let parsed = ChecksumList.parse(list, name: "l")
    #expect(parsed.errors.isEmpty)
    let entries = try #require(parsed.list?.entries)
    #expect(entries.map { text($0.path) } == Self.names)
    #expect(Set(entries.map(\.sha256)).count == Self.names.count)
    let first = text(try run("/usr/bin/sha256sum", folder.path("plain"))).prefix(64)
    #expect(text(Hexadecimal.text(entries[0].sha256)) == first)
  }

  /// A list that is read is one that `sha256sum --check --strict` takes as well.
  @Test(arguments: [
    "\(hash)  x", "\(hash) *x", "\(hash)\t x", " \t\(hash)  x", "\\\(hash)  a\\\\b\\nc\\rd", "SHA256 (x) = \(hash)",
    "SHA256(x)= \(hash)", "SHA256 (a) (b) =\(hash)", "\\SHA256 (a\\nb) = \(hash)", hash.uppercased() + "  x",
  ]) func formsThatAreTaken(_ line: String) throws {
    #expect(ChecksumList.parse(bytes(line + "\n"), name: "l").list?.entries.count == 1)
    #expect(try isTakenBySha256sum(line))
  }

  @Test(arguments: [
    ("\(hash)", 65), ("\(hash) ", 65), ("\(hash)  ", 67), ("\(hash)x", 1), ("\(hash.dropLast())  x", 1),
    ("\(hash)0  x", 1),
    ("x", 1), ("MD5 (x) = \(hash.prefix(32))", 1), ("SHA512 (x) = \(hash)\(hash)", 1), ("SHA256 x = \(hash)", 1),
    ("SHA256 (x \(hash)", 1), ("SHA256 (x) \(hash)", 11), ("SHA256 (x) = \(hash.dropLast())", 14),
    ("SHA256 () = \(hash)", 9),
    ("\\\(hash)  a\\x", 69), ("\\\(hash)  a\\", 69),
  ]) func formsThatAreRefused(_ line: String, _ column: Int) throws {
    let parsed = ChecksumList.parse(bytes("# a comment\n\n\(line)\n"), name: "l")
    #expect(parsed.list == nil)
    #expect(parsed.errors.map(\.place) == ["l:3:\(column)"])
    // It takes an empty name for one, and then finds no such file.
    #expect(try parsed.errors.first?.message == "no path" || !isTakenBySha256sum(line))
  }

  /// sha256sum takes these, and looks for names that nobody meant, or has another meaning for them.
  @Test(arguments: ["\(hash)  x\r", "\(hash)  x\0y", "\(hash) x"]) func strictness(_ line: String) {
    #expect(ChecksumList.parse(bytes(line), name: "l").errors.count == 1)
  }

  @Test(arguments: [
    ("x", "/f/x"), ("./d//x", "/f/d/x"), ("/abs/x", "/abs/x"), ("../x", nil), ("/a/../b", nil), (".", "/f"), ("/", nil),
  ]) func absolutePaths(_ path: String, _ expected: String?) {
    let entry = ChecksumList.Entry(path: bytes(path), sha256: [], line: 1)
    #expect(entry.absolutePath(below: bytes("/f")).map { text($0) } == expected)
  }

  /// A line that it understands names a file that is not there; one that it does not is "improperly formatted".
  private func isTakenBySha256sum(_ line: String) throws -> Bool {
    let folder = Folder()
    let list = try folder.write("list", line + "\n")
    let said = text(try run("/bin/sh", "-c", "sha256sum --check '\(list)' 2>&1", in: folder.path, status: nil))
    return !said.contains("no properly formatted")
  }
}
