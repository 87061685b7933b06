// What the daemon is told: the same as the snapshot says, without allocation and in little memory.

import AccessModel
import CAllocationCounter
import Glibc
import SystemCalls
import Testing

@testable import TrustDatabase

@Suite struct IndexTests {
  private let folder = Folder()

  private func index(_ change: (TrustTransaction) throws -> Void) throws -> TrustIndex {
    try folder.store.update(change)
    return try TrustIndex(folder.store.snapshot())
  }

  /// Sizes: 100 at /known, 100 and 200 at /both, 300 at /verity, by fs-verity as well (4); anywhere 500 (6) and an
  /// empty one (7).
  private func sample() throws -> TrustIndex {
    try index {
      try $0.set(entry(1), at: bytes("/known"))
      try $0.set(TrustEntry(contents: [content(1), content(2, size: 200)]), at: bytes("/both"))
      try $0.set(TrustEntry(contents: [content(3, size: 300, verity: 4)]), at: bytes("/verity"))
      try $0.set(TrustEntry(contents: [content(1)], isDistrusted: true), at: bytes("/never"))
      try $0.set(TrustEntry(contents: [content(5, size: 0)]), at: bytes("/empty"))
      try $0.setWherever(content(6, size: 500, verity: 8))
      try $0.setWherever(content(7, size: 0))
    }
  }

  @Test(
    arguments: [
      ("/known", 100, TrustExpectation.possible), ("/known", 101, .changed), ("/known", 500, .possible),
      ("/both", 100, .possible), ("/both", 200, .possible), ("/both", 150, .changed), ("/verity", 300, .possible),
      ("/never", 100, .unknown), ("/never", 500, .unknown), ("/empty", 0, .possible), ("/empty", 1, .changed),
      ("/other", 100, .unknown), ("/other", 500, .possible), ("/other", 0, .unknown), (nil, 500, .possible),
      (nil, 100, .unknown), (nil, 0, .unknown), ("/known", .max, .changed), ("/other", .max, .unknown),
      ("/known/", 100, .unknown), ("", 100, .unknown), ("/known", 1 << 63 | 100, .changed),
    ] as [(String?, UInt64, TrustExpectation)])
  func sizesRuleOut(_ path: String?, _ size: UInt64, _ expected: TrustExpectation) throws {
    #expect(try sample().expectation(ofSize: size, at: path.map(bytes)) == expected)
  }

  @Test(
    arguments: [
      ("/known", 1, .content, 100, TrustState.trusted), ("/known", 2, .content, 100, .changed),
      ("/known", 1, .content, 101, .changed), ("/known", 1, .verity, 100, .changed),
      ("/known", 6, .content, 500, .trusted), ("/both", 1, .content, 100, .trusted),
      ("/both", 2, .content, 200, .trusted), ("/both", 2, .content, 100, .changed),
      ("/verity", 3, .content, 300, .trusted), ("/verity", 4, .verity, 300, .trusted),
      ("/verity", 4, .content, 300, .changed), ("/verity", 3, .verity, 300, .changed),
      ("/never", 1, .content, 100, .unknown), ("/never", 6, .content, 500, .unknown),
      ("/never", 8, .verity, 500, .unknown), ("/empty", 5, .content, 0, .trusted),
      ("/empty", 7, .content, 0, .changed), ("/other", 7, .content, 0, .unknown), (nil, 7, .content, 0, .unknown),
      ("/other", 1, .content, 100, .unknown), ("/other", 6, .content, 500, .trusted),
      ("/other", 6, .content, 501, .unknown), ("/other", 8, .verity, 500, .trusted),
      ("/other", 8, .content, 500, .unknown), (nil, 6, .content, 500, .trusted), (nil, 1, .content, 100, .unknown),
      ("/known", 1, .content, 1 << 63 | 100, .changed), (nil, 6, .content, 1 << 63 | 500, .unknown),
    ] as [(String?, Int, DigestKind, UInt64, TrustState)])
  func contentsAreJudged(
    _ path: String?, _ number: Int, _ kind: DigestKind, _ size: UInt64, _ expected: TrustState
  ) throws {
    #expect(try sample().judge(digest(number), kind, size: size, at: path.map(bytes)) == expected)
  }

  @Test(
    arguments: [
      ("/verity", 300, true), ("/verity", 301, false), ("/known", 100, false), ("/known", 500, true),
      ("/never", 500, false), (nil, 500, true), (nil, 300, false), (nil, .max, false),
    ] as [(String?, UInt64, Bool)])
  func verityIsKnown(_ path: String?, _ size: UInt64, _ expected: Bool) throws {
    #expect(try sample().knowsVerity(ofSize: size, at: path.map(bytes)) == expected)
  }

  @Test func anEmptyStoreKnowsNothing() throws {
    let index = try index { _ in }
    #expect(index.paths == 0 && index.contents == 0)
    #expect(index.expectation(ofSize: 0, at: bytes("/a")) == .unknown)
    #expect(index.judge(digest(1), .content, size: 100, at: nil) == .unknown)
  }

  /// Thousands of paths of every kind against the snapshot.
  @Test func theIndexSaysWhatTheSnapshotSays() throws {
    var random = Random(11)
    let paths = (0..<4000).map { bytes("/\($0 % 7)/" + String(repeating: "x", count: $0 % 13 * 40) + "\($0)") }
    let index = try index { transaction in
      for (number, path) in paths.enumerated() where number % 2 == 0 {
        let contents = (0..<Int.random(in: 1...3, using: &random)).map {
          content(number * 4 + $0, size: UInt64($0 + 1))
        }
        try transaction.set(TrustEntry(contents: contents, isDistrusted: number % 50 == 0), at: path)
      }
      for number in 0..<1000 { try transaction.setWherever(content(-number, size: 9)) }
    }
    #expect(index.paths == 2000 && index.contents == 1000)
    let snapshot = try folder.store.snapshot()
    for (number, path) in paths.enumerated() {
      let entry = try snapshot.entry(at: path)
      for place in 0..<3 {
        let (hash, size) = (digest(number * 4 + place), UInt64(place + 1))
        let isThere = entry?.contents.contains { $0.hash == hash } == true && entry?.isDistrusted == false
        let isKnown = entry != nil && entry?.isDistrusted == false
        let state = index.judge(hash, .content, size: size, at: path)
        #expect(state == (isThere ? .trusted : isKnown ? .changed : .unknown))
        let expectation = index.expectation(ofSize: size, at: path)
        #expect(expectation == (isThere ? .possible : isKnown ? .changed : .unknown))
      }
    }
    for number in 0..<1000 { #expect(index.judge(digest(-number), .content, size: 9, at: nil) == .trusted) }
  }

  @Test func answersAllocateNothing() throws {
    try folder.store.update { transaction in
      for number in 0..<500 { try transaction.set(entry(number), at: bytes("/usr/bin/\(number)")) }
      try transaction.setWherever(content(900, size: 9))
    }
    let loaded = LoadedTrust(store: folder.store)
    try loaded.load()
    let (known, unknown) = (bytes("/usr/bin/33"), bytes("/home/" + String(repeating: "x", count: 300)))
    let (right, wrong) = (digest(33), digest(1000))
    func ask(_ path: [UInt8]) -> Bool {
      let isTrusted = loaded.judge(right, .content, size: 100, at: path) == .trusted
      let isWrong = loaded.judge(wrong, .verity, size: 9, at: path) == .trusted
      return isTrusted && !isWrong && loaded.expectation(ofSize: 100, at: path) == .possible
        && !loaded.knowsVerity(ofSize: 100, at: path)
    }
    #expect(ask(known) && !ask(unknown))
    var trusted = 0
    let before = lilium_allocations()
    for _ in 0..<1000 {
      if ask(known) { trusted += 1 }
      if ask(unknown) { trusted += 1 }
    }
    #expect(lilium_allocations() == before)
    #expect(trusted == 1000)
  }

  @Test(arguments: [1000, 10000])
  func aPathTakesFewBytes(_ count: Int) throws {
    let index = try index { transaction in
      for number in 0..<count { try transaction.set(entry(number), at: bytes("/usr/lib/some/folder/\(number)")) }
    }
    #expect(index.paths == count && index.byteCount < 100 * count)
  }

  @Test func aLoadSwapsAndAFailureTakesAway() throws {
    let loaded = LoadedTrust(store: folder.store)
    #expect(loaded.expectation(ofSize: 100, at: bytes("/a")) == .unavailable)
    #expect(loaded.state.manifest == nil && loaded.state.problem == nil)
    #expect(throws: TrustStoreError.missing(folder: folder.trust)) { try loaded.load() }
    #expect(loaded.state.problem?.contains("there is no trust database") == true)

    let first = try folder.store.update { try $0.set(entry(1), at: bytes("/a")) }
    #expect(try loaded.load() == first)
    #expect(loaded.state.manifest == first && loaded.state.problem == nil && loaded.index?.paths == 1)
    #expect(loaded.judge(digest(1), .content, size: 100, at: bytes("/a")) == .trusted)

    let second = try folder.store.update { try $0.remove(bytes("/a")) }
    #expect(loaded.judge(digest(1), .content, size: 100, at: bytes("/a")) == .trusted)
    try loaded.load()
    #expect(loaded.judge(digest(1), .content, size: 100, at: bytes("/a")) == .unknown)

    try folder.write(second.file, [1, 2, 3])
    #expect(throws: TrustStoreError.self) { try loaded.load() }
    #expect(loaded.expectation(ofSize: 100, at: bytes("/a")) == .unavailable)
    #expect(loaded.judge(digest(1), .content, size: 100, at: bytes("/a")) == .unknown)
    #expect(!loaded.knowsVerity(ofSize: 100, at: nil))
    #expect(loaded.state.manifest == nil && loaded.state.problem?.contains("is damaged") == true)
  }
}
