// The digest cache by itself: its bounds, its locks; and the table of modes by place.

import AccessModel
import Synchronization
import SystemCalls
import Testing

@testable import Integrity

@Suite struct CacheTests {
  private func key(_ inode: UInt64, time: Int64 = 1, size: UInt64 = 1, minor: UInt32 = 0, mount: UInt64 = 3)
    -> ContentKey
  {
    ContentKey(
      identity: FileIdentity(device: DeviceNumber(major: 8, minor: minor), inode: inode), mount: mount,
      changeTime: time, size: size)
  }

  private func digest(_ number: UInt64) -> ContentHash {
    ContentHash(withUnsafeBytes(of: (number, number, number, number)) { Array($0) })!
  }

  private func keep(_ cache: DigestCache, _ key: ContentKey, _ number: UInt64) {
    cache.keep(digest(number), for: key, cache.ticket(for: key.identity))
  }

  @Test func aKeyIsAllOfIt() {
    let cache = DigestCache()
    keep(cache, key(7), 42)
    #expect(cache.digest(of: key(7)) == digest(42))
    for other in [key(8), key(7, time: 2), key(7, size: 2), key(7, minor: 1), key(7, mount: 4), key(0), ContentKey()] {
      #expect(cache.digest(of: other) == nil)
    }
    #expect(cache.counts.hits == 1 && cache.counts.misses == 7)
  }

  @Test func aNewContentTakesTheOldOnesPlace() {
    let cache = DigestCache(entries: 64)
    for time in 1...1000 as ClosedRange<Int64> { keep(cache, key(7, time: time), UInt64(time)) }
    #expect(cache.digest(of: key(7, time: 1000)) == digest(1000))
    #expect((1..<1000).allSatisfy { cache.digest(of: key(7, time: $0)) == nil })
  }

  /// A file that several namespaces use is not read anew in turns; and its change is every mount's.
  @Test func mountsDoNotTurnEachOtherOut() {
    let cache = DigestCache()
    for mount in 1...4 as ClosedRange<UInt64> { keep(cache, key(7, mount: mount), mount) }
    #expect((1...4).allSatisfy { cache.digest(of: key(7, mount: $0)) == digest($0) })
    cache.forget(key(7).identity)
    #expect((1...4).allSatisfy { cache.digest(of: key(7, mount: $0)) == nil })
  }

  @Test(arguments: [1, 64, 1000, 16_384]) func itHoldsWhatItPromisesAndNoMore(_ entries: Int) {
    let cache = DigestCache(entries: entries)
    for inode in 1...UInt64(4 * entries) { keep(cache, key(inode), inode) }
    let found = (1...UInt64(4 * entries)).filter { cache.digest(of: key($0)) == digest($0) }.count
    #expect(found <= entries + 64 && found >= min(entries, 1))
    let lately = (UInt64(4 * entries) - UInt64(entries / 4)...UInt64(4 * entries)).count {
      cache.digest(of: key($0)) != nil
    }
    #expect(lately * 10 >= entries / 4 * 9, "what was kept lately is there: \(lately) of \(entries / 4)")
  }

  @Test func rowsOfInodesSpread() {
    let cache = DigestCache(entries: 1024)
    for inode in 0..<512 as Range<UInt64> { keep(cache, key(1 + inode * 256), inode) }
    #expect((0..<512).count { cache.digest(of: key(1 + UInt64($0) * 256)) != nil } > 450)
  }

  @Test func aTicketIsVoidAfterAChange() {
    let cache = DigestCache()
    let (one, two) = (cache.ticket(for: key(7).identity), cache.ticket(for: key(8).identity))
    cache.forget(key(7).identity)
    cache.keep(digest(1), for: key(7), one)
    #expect(cache.digest(of: key(7)) == nil && cache.counts.refused == 1)
    cache.keep(digest(2), for: key(8), two)
    #expect(cache.digest(of: key(8)) != nil, "another file's change does not matter here")
    let late = cache.ticket(for: key(8).identity)
    cache.forget(nil)
    cache.keep(digest(3), for: key(8), late)
    #expect(cache.digest(of: key(8)) == nil)
  }

  /// Four threads keep, find and forget; no answer is ever another file's.
  @Test func threadsDoNotMixFilesUp() throws {
    let cache = DigestCache(entries: 128)
    let wrong = Counter()
    let threads = try (0..<4).map { seed in
      try Thread.start("cache") {
        for round in 0..<50_000 as Range<UInt64> {
          let inode = (round &* 2_654_435_761 &+ UInt64(seed)) % 300
          let key = ContentKey(identity: FileIdentity(inode: inode), changeTime: 1, size: inode)
          let digest = ContentHash(withUnsafeBytes(of: (inode, inode, inode, inode)) { Array($0) })!
          if let found = cache.digest(of: key), found != digest { wrong.count.add(1, ordering: .relaxed) }
          cache.keep(digest, for: key, cache.ticket(for: key.identity))
          if round % 7 == 0 { cache.forget(key.identity) }
          if round % 5000 == 0 { cache.forget(nil) }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(wrong.count.load(ordering: .relaxed) == 0 && cache.counts.hits > 0)
  }

  private final class Counter: Sendable { let count = Atomic(0) }
}

@Suite struct ModeTests {
  private let modes = IntegrityModes()

  private func mode(_ path: String) -> IntegrityMode { modes.mode(of: Array(path.utf8)) }

  @Test func whereNothingIsSaidItIsSHA256() {
    #expect(mode("/usr/bin/ls") == .sha256 && mode("") == .sha256)
  }

  @Test(
    arguments: [
      ("/srv/models/x", .size), ("/srv/models", .size), ("/srv/models2", .sha256), ("/srv/models2/x", .sha256),
      ("/srv/models/code/x", .sha256), ("/srv/models/code", .sha256), ("/srv/models/codex", .size),
      ("/srv/models/code/data/y", .size), ("/srv/one", .size), ("/srv/one2", .sha256), ("/srv", .sha256),
      ("/big/x/y", .size), ("/big", .size), ("/bigger", .sha256),
    ] as [(String, IntegrityMode)])
  func theLongestPlaceHolds(_ path: String, _ expected: IntegrityMode) {
    modes.replace(with: [
      (Array("/srv/models".utf8), .size), (Array("/srv/models/code/".utf8), .sha256),
      (Array("/srv/models/code/data".utf8), .size), (Array("/srv/one".utf8), .size), (Array("/big/".utf8), .size),
    ])
    #expect(mode(path) == expected)
  }

  @Test func theRootHoldsEverything() {
    modes.replace(with: [(Array("/".utf8), .size)])
    #expect(mode("/usr/bin/ls") == .size)
    modes.replace(with: [])
    #expect(mode("/usr/bin/ls") == .sha256)
  }
}
