// Digests of open files: right, kept while the file stays as it is, and never a moment longer.

import AccessModel
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import Integrity

@Suite(.enabled(if: ProcessSetup.effectiveUserID == 0)) struct DigestTests {
  private let world = World()

  private func digest(_ path: String, in other: World? = nil) throws -> ContentHash? {
    let facts = try (other ?? world).ask(path, .objectDigest)
    return facts.present.contains(.objectDigest) ? facts.object.digest : nil
  }

  /// Puts a digest into the cache that is not the file's, so that an answer shows where it came from.
  private func plant(_ path: String) throws -> ContentHash {
    let planted = try hash([0xde, 0xad])
    let key = try contentKey(path)
    world.cache.keep(planted, for: key, world.cache.ticket(for: key.identity))
    return planted
  }

  @Test(arguments: [0, 1, 55, 56, 63, 64, 4096, 32767, 32768, 32769, 131_072, 300_000, 9_000_000])
  func aDigestIsThatOfTheContent(_ count: Int) throws {
    let bytes = content(count)
    #expect(try digest(try world.folder.write("file", bytes)) == hash(bytes))
  }

  @Test func aKnownAnswer() throws {
    let facts = try world.ask(try world.folder.write("abc", Array("abc".utf8)), .objectDigest)
    #expect(
      String(decoding: facts.object.digest.hexadecimal, as: UTF8.self)
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func aSparseFileIsReadToItsEnd() throws {
    let path = try world.folder.write("sparse", [])
    try #require(truncate(path, 20 << 20) == 0)
    #expect(try digest(path) == hash([UInt8](repeating: 0, count: 20 << 20)))
    #expect(world.room.visits == 1 && world.room.isEmpty)
  }

  // MARK: - Kept

  @Test func aDigestIsKeptForAnUnchangedFile() throws {
    let path = try world.folder.write("file", content(1000))
    passTheClocksStep()
    #expect(try digest(path) == hash(content(1000)))
    #expect(world.cache.counts.kept == 1 && world.watch.questions == 1)
    let planted = try plant(path)
    #expect(try digest(path) == planted, "the file is not read again")
    #expect(world.cache.counts.hits == 1)
  }

  @Test func aTrustQuestionUsesItToo() throws {
    let path = try world.folder.write("file", content(1000))
    passTheClocksStep()
    _ = try plant(path)
    try world.trust([0xde, 0xad])
    #expect(try world.ask(path).object.trust == .trusted)
  }

  enum Change: CaseIterable { case write, sameBytes, mode, times, cut, replaced, mapped }

  /// Whatever moves the change time, with the modification time put back.
  @Test(arguments: Change.allCases) func aChangedFileIsReadAgain(_ change: Change) throws {
    var bytes = content(5000)
    let path = try world.folder.write("file", bytes)
    passTheClocksStep()
    let planted = try plant(path)
    #expect(try digest(path) == planted)
    var before = stat()
    try #require(stat(path, &before) == 0)
    bytes = try apply(change, path, bytes)
    let times = [timeval(before.st_atim), timeval(before.st_mtim)]
    try #require(utimes(path, times) == 0)
    #expect(try digest(path) == hash(bytes))
  }

  private func apply(_ change: Change, _ path: String, _ bytes: [UInt8]) throws -> [UInt8] {
    var bytes = bytes
    switch change {
    case .write, .sameBytes:
      if change == .write { bytes[100] ^= 1 }
      let file = try Descriptor.open(path, O_WRONLY)
      try file.writeAll(bytes)
    case .mode: try #require(chmod(path, 0o600) == 0)
    case .times: break
    case .cut:
      bytes = Array(bytes.dropLast())
      try #require(truncate(path, bytes.count) == 0)
    case .replaced:
      bytes = content(5000, seed: 7)
      try world.folder.write("new", bytes)
      try #require(rename(world.folder.path + "/new", path) == 0)
    case .mapped:
      bytes[100] ^= 1
      let file = try Descriptor.open(path, O_RDWR)
      let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
      try #require(page != MAP_FAILED)
      page?.storeBytes(of: bytes[100], toByteOffset: 100, as: UInt8.self)
      munmap(page, 4096)
    }
    return bytes
  }

  /// Two contents may carry one change time until the clock has moved on.
  @Test func whatWasWrittenJustNowIsNotKept() throws {
    let path = try world.folder.write("file", content(1000))
    _ = try digest(path)
    #expect(world.cache.counts.kept == 0 && world.cache.counts.refused == 1)
    passTheClocksStep()
    _ = try digest(path)
    #expect(world.cache.counts.kept == 1)
  }

  @Test func whatNobodyTellsOfIsNotKept() throws {
    let other = World(watch: Watch(false))
    let path = try other.folder.write("file", content(1000))
    passTheClocksStep()
    for _ in 0..<3 { #expect(try digest(path, in: other) == hash(content(1000))) }
    #expect(other.cache.counts.kept == 0 && other.cache.counts.refused == 3)
  }

  /// Who may write a file can keep its change time still (shared mappings on tmpfs, exchanged extents on ext4 and xfs).
  @Test(arguments: [(0o664, 0), (0o646, 0), (0o644, 1000)] as [(UInt32, UInt32)])
  func aKeptDigestIsNotUsedForAFileThatOthersWrite(_ mode: UInt32, _ owner: UInt32) throws {
    let path = try world.folder.write("file", content(1000), mode: mode)
    try #require(chown(path, owner, 0) == 0)
    passTheClocksStep()
    _ = try plant(path)
    #expect(try digest(path) == hash(content(1000)))
  }

  @Test func aForgottenFileIsReadAgain() throws {
    let (one, two) = (try world.folder.write("one", content(1)), try world.folder.write("two", content(2)))
    passTheClocksStep()
    let planted = try plant(one)
    _ = try plant(two)
    world.cache.forget(try contentKey(one).identity)
    #expect(try digest(one) == hash(content(1)))
    #expect(try digest(two) == planted, "others stay")
    #expect(world.cache.counts.forgotten == 1)
    world.cache.forget(nil)
    #expect(try digest(two) == hash(content(2)))
  }

  /// A change that is told between the watch and the end of the reading.
  @Test func aChangeThatIsToldMeanwhileIsNotOverlooked() throws {
    let cache = DigestCache()
    let folder = Folder()
    let path = try folder.write("file", content(1000))
    let identity = try contentKey(path).identity
    passTheClocksStep()
    let other = World(cache: cache, watch: Watch(whenAsked: { cache.forget(identity) }))
    _ = try digest(path, in: other)
    #expect(cache.counts.kept == 0 && cache.counts.refused == 1)
  }

  /// The file grows under the reader and nobody holds it when it is looked at.
  @Test func aFileThatChangesMeanwhileIsReadAgain() throws {
    let folder = Folder()
    let path = try folder.write("file", content(1000))
    passTheClocksStep()
    let once = Once()
    let other = World(
      watch: Watch(whenAsked: {
        if once.isFirst { try? Descriptor.open(path, O_WRONLY).writeAll(content(1000, seed: 9)) }
      }))
    #expect(try digest(path, in: other) == hash(content(1000, seed: 9)))
    #expect(other.cache.counts.kept == 0, "it was written just now")
  }

  @Test func aFileThatGrowsAllTheTimeHasNoDigest() throws {
    let folder = Folder()
    let path = try folder.write("file", content(1000))
    passTheClocksStep()
    let other = World(
      watch: Watch(whenAsked: {
        try? Descriptor.open(path, O_WRONLY | O_APPEND).writeAll([1])
      }))
    let facts = try other.ask(path, [.objectDigest])
    #expect(!facts.present.contains(.objectDigest) && facts.failed.contains(.objectDigest))
  }

  /// The facts at hand are of a file that was replaced: nothing may be said of another under their name.
  @Test func factsOfAnotherFileAreNotMixedUp() throws {
    let file = try Descriptor.open(try world.folder.write("file", content(10)), O_RDONLY)
    let facts = try world.sheet(file.rawValue)
    facts.object.identity.inode += 1
    try world.point().fetch(.objectDigest, into: facts)
    #expect(facts.failed.contains(.objectDigest))
  }

  @Test func whatIsNoFileHasNoDigest() throws {
    for path in ["/dev/null", "/tmp"] {
      let facts = try world.ask(path, [.objectDigest])
      #expect(!facts.present.contains(.objectDigest), "\(path)")
    }
  }

  /// Another thread is done with the same long file.
  @Test func aLongReadingEndsWhenTheDigestIsKnown() throws {
    let path = try world.folder.write("long", [])
    try #require(truncate(path, 64 << 20) == 0)
    let file = try Descriptor.open(path, O_RDONLY)
    let known = try hash([1, 2, 3])
    let reading = try ContentReading(room: world.room)
    guard case .found(let digest) = reading.read(file.rawValue, size: 64 << 20, known: { known }) else {
      Issue.record("it was read to its end")
      return
    }
    #expect(digest == known)
    guard case .otherSize = reading.read(file.rawValue, size: 1 << 20, known: { nil }) else {
      Issue.record("more bytes than its size")
      return
    }
    guard case .otherSize = reading.read(file.rawValue, size: 65 << 20, known: { nil }) else {
      Issue.record("fewer bytes than its size")
      return
    }
    #expect(world.room.isEmpty)
  }
}

/// True once.
private final class Once: Sendable {
  private let spent = Atomic(false)
  var isFirst: Bool { !spent.exchange(true, ordering: .relaxed) }
}

extension timeval {
  fileprivate init(_ time: timespec) { self.init(tv_sec: time.tv_sec, tv_usec: time.tv_nsec / 1000) }
}
