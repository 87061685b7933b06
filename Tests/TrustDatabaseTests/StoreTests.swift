// The store as its users see it: what is set is found, in this generation and the next, and nothing else.

import AccessModel
import Glibc
import SystemCalls
import Testing
import TrustDatabase

@Suite struct StoreTests {
  private let folder = Folder()
  private var store: TrustStore { folder.store }

  @Test func noStoreIsMissing() {
    #expect(throws: TrustStoreError.missing(folder: folder.trust)) { try store.manifest() }
    #expect(throws: TrustStoreError.missing(folder: folder.trust)) { try store.snapshot() }
    store.removeStaleFiles()
    #expect(
      TrustStoreError.missing(folder: "/t").description == "/t: there is no trust database; run liliumctl trust sync")
  }

  @Test func anEmptyChangeMakesAnEmptyStore() throws {
    let manifest = try store.update { _ in }
    #expect(manifest.generation == 1 && manifest.paths == 0 && manifest.contents == 0)
    #expect(try store.manifest() == manifest)
    let snapshot = try store.snapshot()
    #expect(try snapshot.entry(at: bytes("/a")) == nil && snapshot.wherever(digest(1)) == nil)
    #expect(try everything(snapshot).isEmpty)
    #expect(folder.names == ["current", "generation-1.mdb", "lock"])
  }

  @Test func whatIsSetIsFoundInTheNextGenerations() throws {
    let seen = SeenFile(device: DeviceNumber(major: 8, minor: 1), inode: 77, changeTime: 123_456_789_012)
    let rich = TrustEntry(contents: [content(1, verity: 2, seen: seen), content(3, source: .transaction)])
    let before = Clock.realtime() / 1_000_000_000
    var manifest = try store.update {
      try $0.set(rich, at: bytes("/usr/bin/a"))
      try $0.set(entry(distrusted: true), at: bytes("/usr/bin/b"))
      try $0.setWherever(content(4, source: .file))
      #expect(try $0.entry(at: bytes("/usr/bin/a")) == rich)
      #expect(try $0.wherever(digest(4)) == content(4, source: .file))
    }
    #expect(manifest.generation == 1 && manifest.paths == 2 && manifest.contents == 1)
    #expect((before...(before + 60)).contains(manifest.written))
    manifest = try store.update {
      try $0.set(entry(5), at: bytes("/c"))
      #expect(try $0.remove(bytes("/usr/bin/b")))
      #expect(try !$0.remove(bytes("/usr/bin/b")))
    }
    #expect(manifest.generation == 2 && manifest.paths == 2 && manifest.file == "generation-2.mdb")
    let snapshot = try store.snapshot()
    #expect(snapshot.manifest == manifest)
    #expect(try everything(snapshot) == [bytes("/usr/bin/a"): rich, bytes("/c"): entry(5)])
    #expect(try snapshot.wherever(digest(4)) == content(4, source: .file) && snapshot.wherever(digest(5)) == nil)
    #expect(folder.names == ["current", "generation-2.mdb", "lock"])
  }

  @Test func aSnapshotStaysWhatItWas() throws {
    try store.update { try $0.set(entry(1), at: bytes("/a")) }
    let old = try store.snapshot()
    try store.update { try $0.set(entry(2), at: bytes("/a")) }
    #expect(try old.entry(at: bytes("/a")) == entry(1))
    #expect(try store.snapshot().entry(at: bytes("/a")) == entry(2))
  }

  private static let oddPaths: [[UInt8]] = [
    bytes("/"), bytes("/a b"), bytes("/a\nb"), bytes("/\u{1b}[31m"), bytes("/ä/\u{1F600}"), [0x2f, 0xff, 0xfe, 0x80],
    bytes("/a"), bytes("/a/"), bytes("/a//b"), bytes("/../x"), [0x2f] + (1...255).map { UInt8($0) },
  ]

  /// Around every length at which the key changes; pairs that differ in the last byte only.
  private static let longPaths: [[UInt8]] = [399, 400, 401, 439, 440, 441, 442, 511, 512, 513, 4094, 4095].flatMap {
    length in
    [0x61, 0x62].map { [0x2f] + [UInt8](repeating: 0x78, count: length - 2) + [$0] }
  }

  @Test func oddAndLongPathsAreKeptApart() throws {
    let paths = Self.oddPaths + Self.longPaths
    try store.update { transaction in
      for (number, path) in paths.enumerated() { try transaction.set(entry(number), at: path) }
    }
    let snapshot = try store.snapshot()
    #expect(snapshot.manifest.paths == paths.count)
    for (number, path) in paths.enumerated() {
      let found = try snapshot.entry(at: path)
      #expect(found == entry(number), "path \(number) of \(path.count) bytes")
    }
    let all = try everything(snapshot)
    #expect(Set(all.keys) == Set(paths))
    try store.update { transaction in
      for path in paths {
        let removed = try transaction.remove(path)
        #expect(removed)
      }
    }
    #expect(try store.manifest().paths == 0)
  }

  @Test(arguments: [
    [], bytes("a"), bytes("usr/bin"), [0x2f, 0x61, 0], [0x2f] + [UInt8](repeating: 0x61, count: 4095),
  ])
  func whatIsNoPathIsRefused(_ path: [UInt8]) throws {
    try store.update { transaction in
      #expect(throws: TrustStoreError.self) { try transaction.set(entry(1), at: path) }
      let found = try transaction.entry(at: path)
      let removed = try transaction.remove(path)
      #expect(found == nil && !removed)
    }
    #expect(try store.manifest().paths == 0)
    #expect(try store.snapshot().entry(at: path) == nil)
  }

  @Test func whatIsBeyondTheLimitsIsRefused() throws {
    try store.update { transaction in
      #expect(throws: TrustStoreError.self) {
        try transaction.set(TrustEntry(contents: (0...1024).map { content($0) }), at: bytes("/a"))
      }
      #expect(throws: TrustStoreError.self) { try transaction.setWherever(content(1, size: .max)) }
      try transaction.set(TrustEntry(contents: (0..<1024).map { content($0) }), at: bytes("/a"))
    }
    #expect(try store.snapshot().entry(at: bytes("/a"))?.contents.count == 1024)
  }

  @Test func aPrefixIsAPrefixOfBytes() throws {
    let long = [UInt8](repeating: 0x78, count: 500)
    let paths =
      ["/usr", "/usr/bin/a", "/usr/bin/b", "/usr/binary", "/usr/lib/c", "/v"].map(bytes)
      + [bytes("/") + long + bytes("/1"), bytes("/") + long + bytes("/2"), bytes("/") + long]
    try store.update { for path in paths { try $0.set(entry(1), at: path) } }
    let snapshot = try store.snapshot()
    for prefix in ["", "/", "/usr", "/usr/bin", "/usr/bin/", "/usr/bin/a", "/w", "/usr/bin/aa"] {
      let found = try everything(snapshot, from: prefix)
      #expect(Set(found.keys) == Set(paths.filter { $0.starts(with: bytes(prefix)) }), "\(prefix)")
    }
    for count in [399, 400, 401, 440, 500, 501, 502] {
      let prefix = String(decoding: (bytes("/") + long + bytes("/")).prefix(count), as: UTF8.self)
      let found = try everything(snapshot, from: prefix)
      #expect(Set(found.keys) == Set(paths.filter { $0.starts(with: bytes(prefix)) }), "\(count) bytes")
    }
  }

  @Test func aWalkEndsWhereItIsToldAndThrowsWhatIsThrown() throws {
    try store.update { for number in 0..<10 { try $0.set(entry(number), at: bytes("/\(number)")) } }
    let snapshot = try store.snapshot()
    var seen = 0
    try snapshot.forEachPath { _, _ in
      seen += 1
      return seen < 4
    }
    #expect(seen == 4)
    #expect(throws: Errno(ECANCELED)) { try snapshot.forEachPath { _, _ in throw Errno(ECANCELED) } }
  }

  /// The walk may remove, change and add, before and behind where it stands.
  @Test func aWalkMayChangeWhatItWalks() throws {
    try store.update { for number in 100..<1000 { try $0.set(entry(number), at: bytes("/p/\(number)")) } }
    try store.update { transaction in
      var seen: [[UInt8]] = []
      try transaction.forEachPath(from: bytes("/p/")) { path, entry in
        seen.append(path)
        let number = Int(entry.contents[0].added - 1_700_000_000)
        switch number % 3 {
        case 0: try transaction.remove(path)
        case 1: try transaction.set(TrustEntry(contents: entry.contents + [content(7)]), at: path)
        default: try transaction.set(entry, at: bytes("/q/\(number)"))
        }
        return true
      }
      #expect(seen == (100..<1000).map { bytes("/p/\($0)") })
    }
    let all = try everything(store.snapshot())
    for number in 100..<1000 {
      let here = all[bytes("/p/\(number)")]
      #expect(here?.contents.count == [nil, 2, 1][number % 3])
      #expect((all[bytes("/q/\(number)")] != nil) == (number % 3 == 2))
    }
  }

  @Test func contentsAreWalkedOnce() throws {
    try store.update { for number in 0..<300 { try $0.setWherever(content(number)) } }
    try store.update { transaction in
      #expect(try transaction.removeWherever(digest(5)))
      #expect(try !transaction.removeWherever(digest(5)))
      try transaction.setWherever(content(6, size: 7))
    }
    var seen: Set<ContentHash> = []
    let snapshot = try store.snapshot()
    try snapshot.forEachContent { content in
      let isNew = seen.insert(content.hash).inserted
      #expect(isNew)
      return true
    }
    #expect(seen == Set((0..<300).filter { $0 != 5 }.map(digest)) && snapshot.manifest.contents == 299)
    #expect(try snapshot.wherever(digest(6))?.size == 7)
  }

  @Test func aChangeThatThrowsChangesNothing() throws {
    let before = try store.update { try $0.set(entry(1), at: bytes("/a")) }
    #expect(throws: Errno(ECANCELED)) {
      try store.update {
        try $0.set(entry(2), at: bytes("/a"))
        try $0.set(entry(2), at: bytes("/b"))
        throw Errno(ECANCELED)
      }
    }
    #expect(try store.manifest() == before)
    #expect(try everything(store.snapshot()) == [bytes("/a"): entry(1)])
    #expect(folder.names == ["current", "generation-1.mdb", "lock"])
  }

  @Test func whereNothingChangesTheGenerationStays() throws {
    let before = try store.update { try $0.set(entry(1), at: bytes("/a")) }
    let after = try store.update {
      try $0.set(entry(1), at: bytes("/a"))
      try $0.remove(bytes("/b"))
      try $0.set(TrustEntry(contents: []), at: bytes("/c"))
    }
    #expect(after == before)
  }

  @Test func anEmptyEntryIsNone() throws {
    try store.update { try $0.set(entry(1), at: bytes("/a")) }
    let manifest = try store.update { try $0.set(TrustEntry(contents: []), at: bytes("/a")) }
    #expect(manifest.paths == 0 && manifest.generation == 2)
  }

  @Test func aTransactionEndsWithItsUpdate() throws {
    var kept: TrustTransaction?
    try store.update {
      try $0.set(entry(1), at: bytes("/a"))
      kept = $0
    }
    let late = try #require(kept)
    #expect(throws: TrustStoreError.self) { try late.set(entry(2), at: bytes("/a")) }
    #expect(throws: TrustStoreError.self) { try late.entry(at: bytes("/a")) }
    #expect(throws: TrustStoreError.self) { try late.forEachPath { _, _ in true } }
    #expect(try store.snapshot().entry(at: bytes("/a")) == entry(1))
  }

  /// A generation does not keep the room of what was removed.
  @Test func theFileShrinksAgain() throws {
    let large = try store.update { for number in 0..<3000 { try $0.set(entry(number), at: bytes("/\(number)")) } }
    let small = try store.update { for number in 0..<2990 { try $0.remove(bytes("/\(number)")) } }
    #expect(large.byteCount > 200_000 && small.byteCount < 50_000 && small.paths == 10)
    #expect(try folder.read(small.file).count == Int(small.byteCount))
  }
}
