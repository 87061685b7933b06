// mountinfo: escapes, optional fields, lines that are no lines; and the table that is made of it.

import Testing

@testable import ProcFS

@Suite struct MountInfoTests {
  private func parse(_ content: some Sequence<UInt8>) -> (entries: [MountEntry], malformed: Int) {
    reading(content) { MountInfo.parse($0) }
  }

  @Test(arguments: ["", "shared:1 ", "shared:1 master:2 propagate_from:3 unbindable "])
  func optionalFieldsMayBeAny(_ optional: String) {
    let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime \(optional)- ext3 /dev/root rw,errors=continue\n"
    let expected = MountEntry(
      id: 36, parent: 35, major: 98, minor: 0, root: bytes("/mnt1"), mountPoint: bytes("/mnt2"), type: bytes("ext3"),
      source: bytes("/dev/root"))
    let found = parse(line.utf8)
    #expect(found.entries == [expected] && found.malformed == 0)
  }

  @Test(arguments: [
    ("/a\\040b", "/a b"), ("/a\\011b", "/a\tb"), ("/a\\012b", "/a\nb"), ("/a\\134b", "/a\\b"), ("/a\\043b", "/a#b"),
    ("/\\134040", "/\\040"), ("/a\\", "/a\\"), ("/a\\04", "/a\\04"), ("/a\\048", "/a\\048"), ("/a\\777", "/a\\777"),
    ("/a\\0400", "/a 0"), ("-", "-"), ("/-", "/-"),
  ])
  func escapesAreUndone(_ written: String, _ name: String) {
    let line = "1 2 0:30 \(written) \(written) rw - tmpfs \(written) rw\n"
    let entry = parse(line.utf8).entries.first
    #expect(entry?.root == bytes(name) && entry?.mountPoint == bytes(name) && entry?.source == bytes(name))
  }

  @Test func namesAreBytes() {
    let line = bytes("1 2 0:30 / /") + [0xff, 0xfe] + bytes(" rw - tmpfs none rw\n")
    #expect(parse(line).entries.map(\.mountPoint) == [[0x2f, 0xff, 0xfe]])
  }

  @Test(arguments: [
    "1 2 0:30 / / rw tmpfs none rw", "1 2 0:30 / / rw shared:1", "", "x", "1", "1 2", "1 2 0", "1 2 0:", "1 2 0:30",
    "1 2 0:30 / / rw -", "a 2 0:30 / / rw - tmpfs none rw", "1 2 x:30 / / rw - tmpfs none rw",
    "1 2 4294967296:0 / / rw - tmpfs none rw", "1 2 0:4294967296 / / rw - tmpfs none rw",
    "1 18446744073709551616 0:1 / / rw - tmpfs none rw", "1 2 0 :1 / / rw - tmpfs none rw",
    "-1 2 0:30 / / rw - tmpfs none rw",
  ])
  func aLineThatIsNoneIsCountedAndPassedOver(_ line: String) {
    let good = "1 2 0:30 / /good rw - tmpfs none rw"
    let found = parse("\(good)\n\(line)\n\(good)\n".utf8)
    #expect(found.entries.map(\.mountPoint) == [bytes("/good"), bytes("/good")])
    #expect(found.malformed == 1)
  }

  @Test func everyCutGivesTheLinesBeforeIt() {
    let line = "36 35 98:0 /r /mnt\\040x rw shared:1 - ext4 /dev/x rw\n"
    let whole = Array((line + line).utf8)
    for length in 0..<whole.count {
      let found = parse(whole[..<length])
      #expect(found.entries.count + found.malformed == (length + line.utf8.count - 1) / line.utf8.count)
      if length >= line.utf8.count { #expect(found.entries.first?.mountPoint == bytes("/mnt x")) }
    }
  }

  @Test func thisMachinesOwnAreAllRead() throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    let found = try buffer.withUnsafeMutableBytes { buffer in
      let count = try ProcessFile.mountinfo.read(pid: 1, into: buffer)
      return MountInfo.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    #expect(found.malformed == 0)
    #expect(found.entries.contains { $0.mountPoint == bytes("/proc") && $0.type == bytes("proc") })
    #expect(found.entries.contains { $0.mountPoint == bytes("/") })
    #expect(Set(found.entries.map(\.id)).count == found.entries.count)
  }
}

@Suite struct MountTableTests {
  private func entry(_ minor: UInt32, _ root: String, _ point: String, _ type: String = "ext4") -> MountEntry {
    MountEntry(
      id: 1, parent: 0, major: 8, minor: minor, root: bytes(root), mountPoint: bytes(point), type: bytes(type),
      source: [])
  }

  private func point(_ table: MountTable, _ minor: UInt32) -> String? {
    table.place(major: 8, minor: minor).map { String(decoding: $0.mountPoint, as: UTF8.self) }
  }

  @Test func theMountThatShowsTheWholeRootIsKept() {
    let table = MountTable()
    table.replace(with: [
      entry(1, "/sub", "/bind"), entry(1, "/", "/whole"), entry(1, "/x", "/late"), entry(2, "/y", "/part"),
    ])
    #expect(point(table, 1) == "/whole")
    #expect(point(table, 2) == "/part")
    #expect(table.place(major: 8, minor: 1)?.type == bytes("ext4"))
  }

  @Test func aNewPictureReplacesTheOldOne() {
    let table = MountTable()
    #expect(point(table, 1) == nil)
    table.replace(with: [entry(1, "/", "/a")])
    table.replace(with: [entry(2, "/", "/b", "xfs")])
    #expect(point(table, 1) == nil)
    #expect(point(table, 2) == "/b")
    #expect(table.place(major: 2, minor: 8) == nil, "major and minor are not mixed up")
  }
}
