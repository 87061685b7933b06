// Whatever becomes of the files, the store says so or gives what was written: never a crash, never something else.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import TrustDatabase

@Suite struct DamageTests {
  private let folder = Folder()
  private var store: TrustStore { folder.store }

  /// A store of some hundred entries in the second generation; all that it holds.
  private func written() throws -> (TrustManifest, [[UInt8]: TrustEntry]) {
    try store.update { try $0.set(entry(0), at: bytes("/old")) }
    let manifest = try store.update { transaction in
      for number in 1..<400 { try transaction.set(entry(number, number + 1), at: bytes("/usr/lib/\(number)")) }
      for number in 0..<50 { try transaction.setWherever(content(number)) }
    }
    return (manifest, try everything(store.snapshot()))
  }

  private func isDamaged(_ body: () throws -> Void) -> Bool {
    do { try body() } catch TrustStoreError.damaged(let path, let why) {
      return path.hasPrefix(folder.trust) && !why.isEmpty
    } catch {
      Issue.record("\(error) instead of damage")
    }
    return false
  }

  /// Readers, writers and the daemon's load all refuse; nobody changes anything.
  private func expectDamage(_ comment: Comment) {
    let before = folder.names
    #expect(isDamaged { _ = try store.snapshot() }, comment)
    #expect(isDamaged { try store.update { try $0.set(entry(9), at: bytes("/new")) } }, comment)
    #expect(isDamaged { try LoadedTrust(store: store).load() }, comment)
    store.removeStaleFiles()
    #expect(folder.names == before, comment)
  }

  @Test func anyByteOfTheFileCounts() throws {
    let (manifest, _) = try written()
    let whole = try folder.read(manifest.file)
    #expect(whole.count == Int(manifest.byteCount))
    for seed in 0..<100 {
      var random = Random(seed)
      var other = whole
      for _ in 0...(seed % 5) {
        let place = Int.random(in: 0..<other.count, using: &random)
        let length = seed % 2 == 0 ? 1 : min(Int.random(in: 1...5000, using: &random), other.count - place)
        for index in place..<(place + length) { other[index] ^= UInt8.random(in: 1...255, using: &random) }
      }
      try folder.write(manifest.file, other)
      expectDamage("seed \(seed)")
    }
    try folder.write(manifest.file, whole)
    #expect(try store.snapshot().manifest == manifest)
  }

  @Test func anyByteOfTheManifestCounts() throws {
    let (manifest, _) = try written()
    let whole = try folder.read("current")
    for seed in 0..<100 {
      var random = Random(seed)
      var other = whole
      for _ in 0...(seed % 4) {
        other[Int.random(in: 0..<other.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      }
      if other == whole { continue }
      try folder.write("current", other)
      #expect(isDamaged { _ = try store.manifest() })
      expectDamage("seed \(seed)")
    }
    try folder.write("current", whole)
    #expect(try store.snapshot().manifest == manifest)
  }

  @Test func noOtherLengthIsTaken() throws {
    let (manifest, _) = try written()
    for name in [manifest.file, "current"] {
      let whole = try folder.read(name)
      var lengths = [0, 1, 15, 16, 512, 4095, 4096, 4097, 8192, whole.count / 2, whole.count - 4096, whole.count - 1]
      lengths += [whole.count + 1, whole.count + 4096]
      for length in Set(lengths) where length >= 0 && length != whole.count {
        let other =
          length < whole.count ? Array(whole[..<length]) : whole + [UInt8](repeating: 0, count: length - whole.count)
        try folder.write(name, other)
        expectDamage("\(name) of \(length) bytes")
      }
      try folder.write(name, whole)
    }
    // Longer than any manifest, and than memory.
    try folder.write("current", [UInt8](repeating: 0x61, count: 100_000))
    expectDamage("a long manifest")
    #expect(truncate(folder.file("current"), 1 << 40) == 0)
    expectDamage("a manifest of a tebibyte")
  }

  @Test func aFileOfAnEarlierGenerationIsNotTaken() throws {
    try store.update { try $0.set(entry(1), at: bytes("/a")) }
    let old = try folder.read("generation-1.mdb")
    try store.update { try $0.set(entry(2), at: bytes("/a")) }
    try folder.write("generation-2.mdb", old)
    expectDamage("an older file under the name of the current one")
    #expect(unlink(folder.file("generation-2.mdb")) == 0)
    expectDamage("no file")
  }

  @Test func withoutAManifestThereIsNoStore() throws {
    _ = try written()
    #expect(unlink(folder.file("current")) == 0)
    #expect(throws: TrustStoreError.missing(folder: folder.trust)) { try store.snapshot() }
    let manifest = try store.update { try $0.set(entry(1), at: bytes("/a")) }
    // The number goes on, and what nobody names is gone.
    #expect(manifest.generation == 3 && folder.names == ["current", "generation-3.mdb", "lock"])
  }

  @Test func anotherReleasesStoreIsLeftAlone() throws {
    _ = try written()
    let body = bytes("lilium-trust 2\nanything\n")
    try folder.write("current", body + bytes("check ") + Checksum.of(body).hexadecimal + [0x0a])
    let expected = TrustStoreError.unsupportedSchema(path: folder.file("current"), schema: 2)
    #expect(throws: expected) { try store.manifest() }
    #expect(throws: expected) { try store.snapshot() }
    #expect(throws: expected) { try store.update(rebuilding: true) { _ in } }
    store.removeStaleFiles()
    #expect(folder.names.contains("generation-2.mdb"))
    #expect(expected.description.contains("has schema 2, and this release reads 1 only; install the release"))
  }

  @Test(arguments: ["generation-2.mdb", "current"])
  func aDamagedStoreIsBegunAnew(_ name: String) throws {
    _ = try written()
    let noise = [UInt8](repeating: 0x5a, count: 5000)
    try folder.write(name, noise)
    let manifest = try store.update(rebuilding: true) { transaction in
      #expect(try transaction.entry(at: bytes("/usr/lib/1")) == nil)
      try transaction.set(entry(7), at: bytes("/new"))
    }
    #expect(manifest.generation == 3)
    #expect(try everything(store.snapshot()) == [bytes("/new"): entry(7)])
    #expect(folder.names == ["current", "generation-3.mdb", "generation-2.damaged", "lock"])
    if name != "current" { #expect(try folder.read("generation-2.damaged") == noise) }
    // One is kept, and an undamaged store is not begun anew.
    try folder.write("generation-3.mdb", noise)
    try store.update(rebuilding: true) { try $0.set(entry(8), at: bytes("/newer")) }
    try store.update(rebuilding: true) { try $0.set(entry(9), at: bytes("/newest")) }
    #expect(try Set(everything(store.snapshot()).keys) == [bytes("/newer"), bytes("/newest")])
    #expect(folder.names == ["current", "generation-5.mdb", "generation-3.damaged", "lock"])
  }

  @Test func aRebuildingThatFailsKeepsTheDamage() throws {
    let (manifest, _) = try written()
    try folder.write(manifest.file, [1])
    #expect(throws: Errno(ECANCELED)) { try store.update(rebuilding: true) { _ in throw Errno(ECANCELED) } }
    expectDamage("after a rebuilding that failed")
  }

  /// What a writer leaves that is killed between its steps.
  @Test(arguments: [
    ["generation-3.mdb"], ["generation-3.mdb", "current.new"], ["current.new"], ["generation-1.mdb"],
    ["generation-1.mdb", "generation-3.mdb", "generation-4.mdb", "current.new"],
  ])
  func whatAKilledWriterLeavesIsTidiedUp(_ names: [String]) throws {
    let (manifest, all) = try written()
    for (index, name) in names.enumerated() { try folder.write(name, [UInt8](repeating: 3, count: index * 5000)) }
    try folder.write("note.txt", [1])
    #expect(try everything(store.snapshot()) == all)
    #expect(throws: Errno(ECANCELED)) { try store.update { _ in throw Errno(ECANCELED) } }
    #expect(folder.names == ["current", manifest.file, "lock", "note.txt"])
    for name in names { try folder.write(name, [1]) }
    store.removeStaleFiles()
    #expect(folder.names == ["current", manifest.file, "lock", "note.txt"])
    for name in names { try folder.write(name, [1]) }
    try store.update { try $0.set(entry(1), at: bytes("/next")) }
    #expect(try everything(store.snapshot()).count == all.count + 1)
    #expect(folder.names.count == 4)
  }

  /// A generation that is what was written, by a writer that wrote nonsense.
  @Test(
    arguments: [
      (Table.paths, bytes("/a"), [1, 0, 1, 0]), (.paths, bytes("/a"), []), (.paths, bytes("/a"), [2, 0, 0, 0]),
      (.contents, digest(1).bytes, EntryFormat.encode(entry(2))), (.contents, digest(1).bytes, [1, 0, 0, 0]),
      (.contents, digest(1).bytes, EntryFormat.encode(entry(1, 1))),
      (.contents, digest(1).bytes, EntryFormat.encode(entry(1, distrusted: true))),
      (.contents, digest(1).bytes, EntryFormat.encode(entry(1), path: bytes("/a"))),
    ] as [(Table, [UInt8], [UInt8])])
  func anEntryThatCannotBeReadIsDamage(_ table: Table, _ key: [UInt8], _ value: [UInt8]) throws {
    try store.update { _ in }
    let opened = try StoreFolder.open(folder.trust, .ofThisProcess)
    let base = try Base(opened, rebuilding: false)
    try base.tables.put(table, key, value)
    _ = try TrustStore.commit(base, opened)
    let snapshot = try store.snapshot()
    #expect(
      isDamaged {
        if table == .paths { _ = try snapshot.entry(at: key) } else { _ = try snapshot.wherever(digest(1)) }
      })
    #expect(isDamaged { try snapshot.forEachPath { _, _ in true } } == (table == .paths))
    #expect(isDamaged { try snapshot.forEachContent { _ in true } } == (table == .contents))
    #expect(isDamaged { _ = try TrustIndex(snapshot) })
  }

  /// A folder in the place of a file makes the step fail that makes the file.
  @Test(arguments: ["generation-3.mdb", "current.new", "current"])
  func aStepThatFailsLeavesTheOldGeneration(_ name: String) throws {
    let (manifest, all) = try written()
    let text = try folder.read("current")
    #expect(throws: TrustStoreError.self) {
      try store.update { transaction in
        try transaction.set(entry(1), at: bytes("/next"))
        if name == "current" { #expect(unlink(folder.file(name)) == 0) }
        #expect(mkdir(folder.file(name), 0o700) == 0)
      }
    }
    #expect(rmdir(folder.file(name)) == 0)
    if name == "current" { try folder.write(name, text) }
    #expect(folder.names == ["current", manifest.file, "lock"])
    #expect(try everything(store.snapshot()) == all)
    try store.update { try $0.set(entry(1), at: bytes("/next")) }
    #expect(try store.snapshot().entry(at: bytes("/next")) == entry(1))
  }
}
