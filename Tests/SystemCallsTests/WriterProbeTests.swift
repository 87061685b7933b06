// Who can still write a file, asked by a lease; and that no writer's race with the lease ends this process.

import Glibc
import Synchronization
import SystemCalls
import Testing

@Suite struct WriterProbeTests {
  private let folder = Folder()

  private func asked(_ path: String) throws -> Bool? {
    let file = try Descriptor.open(path, O_RDONLY)
    return try WriterProbe.isHeldForWriting(file.rawValue)
  }

  @Test func aFileThatNobodyWritesIsFree() throws {
    let path = try folder.write("file", [1, 2, 3])
    let file = try Descriptor.open(path, O_RDONLY)
    for _ in 0..<3 { #expect(try WriterProbe.isHeldForWriting(file.rawValue) == false) }
    // The lease is given back: a writer that does not wait is let in.
    _ = try Descriptor.open(path, O_WRONLY | O_NONBLOCK)
  }

  @Test(arguments: [O_WRONLY, O_RDWR, O_WRONLY | O_APPEND]) func anOpenWriterIsSeen(_ flags: Int32) throws {
    let path = try folder.write("file", [1, 2, 3])
    do {
      let writer = try Descriptor.open(path, flags)
      #expect(try asked(path) == true)
      _ = writer.rawValue
    }
    #expect(try asked(path) == false)
  }

  /// A mapping outlives its descriptor, and keeps the open file: one of a descriptor that writes counts as a writer
  /// even where its stores stay private.
  @Test(arguments: [(MAP_SHARED, O_RDWR, true), (MAP_PRIVATE, O_RDWR, true), (MAP_PRIVATE, O_RDONLY, false)])
  func aMappingOfAWriterIsSeen(_ kind: Int32, _ flags: Int32, _ isWriter: Bool) throws {
    let path = try folder.write("file", [UInt8](repeating: 7, count: 4096))
    let pages = try map(path, flags, kind)
    #expect(try asked(path) == isWriter)
    munmap(pages, 4096)
    #expect(try asked(path) == false)
  }

  private func map(_ path: String, _ flags: Int32, _ kind: Int32) throws -> UnsafeMutableRawPointer {
    let file = try Descriptor.open(path, flags)
    let pages = mmap(nil, 4096, PROT_READ | PROT_WRITE, kind, file.rawValue, 0)
    return try #require(pages != MAP_FAILED ? pages : nil)
  }

  @Test func whereThereAreNoLeasesNothingIsKnown() throws {
    #expect(try asked("/tmp") == nil, "a folder")
    #expect(try asked("/dev/null") == nil)
    #expect(throws: Errno.badDescriptor) { _ = try WriterProbe.isHeldForWriting(-1) }
  }

  @Test func aDescriptorThatWritesIsAWriterItself() throws {
    let path = try folder.write("file", [1])
    let file = try Descriptor.open(path, O_RDWR)
    #expect(try WriterProbe.isHeldForWriting(file.rawValue) == true)
  }

  /// Writers that come while the lease is held break it: the kernel signals this process, which must not be ended by it.
  @Test func aRacingWriterEndsNobody() throws {
    let race = Race(path: try folder.write("file", [1]))
    let writers = try (0..<2).map { _ in
      try Thread.start("writer") {
        while !race.isOver.load(ordering: .acquiring) {
          if let file = try? Descriptor.open(race.path, O_WRONLY | O_NONBLOCK) {
            _ = file.rawValue
          } else {
            race.turnedAway.add(1, ordering: .relaxed)
          }
        }
      }
    }
    let file = try Descriptor.open(race.path, O_RDONLY)
    var (held, free) = (0, 0)
    // As long as it takes: on a busy machine the threads meet seldom.
    let end = Clock.monotonic() + 30_000_000_000
    var rounds = 0
    while Clock.monotonic() < end {
      rounds += 1
      if try WriterProbe.isHeldForWriting(file.rawValue) == true { held += 1 } else { free += 1 }
      if rounds > 50_000, held > 0, free > 0, race.turnedAway.load(ordering: .relaxed) > 0 { break }
    }
    race.isOver.store(true, ordering: .releasing)
    for writer in writers { writer.join() }
    #expect(held > 0 && free > 0 && race.turnedAway.load(ordering: .relaxed) > 0, "no race, no test")
  }

  private final class Race: Sendable {
    let path: String
    let isOver = Atomic(false)
    /// EWOULDBLOCK: the lease was broken, and the signal sent.
    let turnedAway = Atomic(0)
    init(path: String) { self.path = path }
  }

  @Test func aFileWithoutVerityHasNoSuchDigest() throws {
    let file = try Descriptor.open(try folder.write("file", [1, 2, 3]), O_RDONLY)
    #expect(VerityDigest.measure(file.rawValue) == nil)
    #expect(VerityDigest.measure(-1) == nil)
    #expect(VerityDigest.measure(try Descriptor.open("/dev/null", O_RDONLY).rawValue) == nil)
  }
}
