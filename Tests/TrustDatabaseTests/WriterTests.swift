// Writers beside one another, readers beside writers, and writers that end in the middle.

import AccessModel
import Glibc
import Synchronization
import SystemCalls
import Testing
import TrustDatabase

@Suite struct WriterTests {
  private let folder = Folder()
  private var store: TrustStore { folder.store }

  private func count() throws -> UInt64? { try store.snapshot().entry(at: bytes("/count"))?.contents.first?.size }

  /// Runs it on threads of their own; what they threw.
  private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws -> [String] {
    let thrown = Collected()
    let threads = try (0..<count).map { number in
      try Thread.start("writer") {
        do { try body(number) } catch { thrown.add("\(error)") }
      }
    }
    for thread in threads { thread.join() }
    return thrown.all
  }

  @Test func twoWritersTakeTurns() throws {
    let trust = folder.trust
    try store.update { _ in }
    let child = try Child.start(.count, in: folder)
    let thrown = try onThreads(4) { _ in for _ in 0..<25 { try addOne(TrustStore(folder: trust)) } }
    #expect(wait(for: child) == 0 && thrown == [])
    #expect(try count() == 125)
    #expect(try store.manifest().generation == 126)
    #expect(folder.names.count == 3)
  }

  @Test func aWriterThatDoesNotWaitIsToldWhoWrites() throws {
    try store.update { try $0.set(entry(0), at: bytes("/a")) }
    try store.update {
      try $0.set(entry(1), at: bytes("/a"))
      let start = Clock.monotonic()
      #expect(throws: TrustStoreError.busy(pid: getpid())) { try store.update { _ in } }
      #expect(throws: TrustStoreError.busy(pid: getpid())) { try store.update(waitingSeconds: 1) { _ in } }
      #expect((1_000_000_000..<20_000_000_000).contains(Clock.monotonic() - start))
      // Readers never wait.
      #expect(try store.snapshot().entry(at: bytes("/a")) == entry(0))
      store.removeStaleFiles()
    }
    #expect(try store.snapshot().entry(at: bytes("/a")) == entry(1))
    #expect(TrustStoreError.busy(pid: 12).description.contains("process 12"))
  }

  @Test func aKilledWriterHoldsNothing() throws {
    let before = try store.update { try $0.set(entry(0), at: bytes("/a")) }
    let child = try Child.start(.hold, in: folder)
    try until { if case TrustStoreError.busy(child)? = failure { true } else { false } }
    #expect(try store.manifest() == before)
    ChildProcess.end(child)
    let after = try store.update { try $0.set(entry(1), at: bytes("/a")) }
    #expect(after.generation == before.generation + 1)
  }

  private var failure: (any Error)? {
    do { try store.update { _ in } } catch { return error }
    return nil
  }

  private func until(_ condition: () throws -> Bool) throws {
    let end = Clock.monotonic() + 60_000_000_000
    while try !condition() {
      try #require(Clock.monotonic() < end, "it did not happen within a minute")
      Clock.sleep(nanoseconds: 2_000_000)
    }
  }

  /// SIGKILL at any moment of a writing: what is current is all of one round.
  @Test(arguments: 0..<20)
  func aKilledWriterLeavesAWholeGeneration(_ seed: Int) throws {
    var random = Random(seed)
    let before = try store.update { try writeRound(0, $0) }
    let child = try Child.start(.writeForEver, in: folder)
    try until { try store.manifest() != before }
    Clock.sleep(nanoseconds: UInt64.random(in: 0...60_000_000, using: &random))
    ChildProcess.end(child)
    let manifest = try store.manifest()
    let all = try everything(store.snapshot())
    #expect(all.count == 400 && manifest.generation > before.generation)
    let round = try #require(all[bytes("/0")]?.contents.first.map { Int($0.added - 1_700_000_000) })
    #expect(round > 0 && all.values.allSatisfy { $0 == entry(round) })
    let next = try store.update { try writeRound(-1, $0) }
    // The number of a file that the killed one had begun is not used again.
    #expect((1...2).contains(next.generation - manifest.generation))
    #expect(folder.names == ["current", next.file, "lock"])
  }

  @Test func readersAlwaysFindAWholeGeneration() throws {
    let trust = folder.trust
    try store.update { try writeRound(1, $0) }
    let child = try Child.start(.writeForEver, in: folder)
    defer { ChildProcess.end(child) }
    let first = try store.manifest().generation
    try until { try store.manifest().generation > first }
    let thrown = try onThreads(2) { _ in
      let reader = TrustStore(folder: trust)
      var last: UInt64 = 0
      for _ in 0..<200 {
        let snapshot = try reader.snapshot()
        guard snapshot.manifest.generation >= last else { throw Errno(ESTALE) }
        last = snapshot.manifest.generation
        let round = try snapshot.entry(at: bytes("/0"))
        try snapshot.forEachPath { path, entry in
          if entry != round { throw Errno(EBADMSG) }
          return true
        }
      }
    }
    #expect(thrown == [])
  }

  @Test(.enabled(if: Child.canMount), arguments: [600_000, 1_500_000, 3_000_000])
  func aFullDiskLeavesTheOldGeneration(_ size: Int) throws {
    #expect(try Child.run(.fill, in: folder, onFileSystemOf: size) == 0)
  }

  @Test func aLimitOnFilesLeavesTheOldGeneration() throws {
    #expect(wait(for: try Child.start(.limit, in: folder)) == 0)
  }

  @Test(.enabled(if: Child.canMount)) func whatCannotBeWrittenCanBeRead() throws {
    try store.update { try $0.set(entry(1), at: bytes("/a")) }
    #expect(try Child.runReadOnly(.read, in: folder) == 0)
    #expect(try store.manifest().generation == 1)
  }
}

private final class Collected: Sendable {
  private let values = Mutex<[String]>([])
  func add(_ value: String) { values.withLock { $0.append(value) } }
  var all: [String] { values.withLock { $0 } }
}
