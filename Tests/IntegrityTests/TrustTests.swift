// What makes a file's content trusted, and each reason why it is not.

import AccessModel
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import Integrity

@Suite(.enabled(if: ProcessSetup.effectiveUserID == 0)) struct TrustTests {
  private let world = World()

  private func trust(_ path: String) throws -> TrustState? {
    let facts = try world.ask(path)
    return facts.present.contains(.objectTrust) ? facts.object.trust : nil
  }

  @Test(arguments: [0, 1, 4095, 4096, 4097, 32768, 131_072, 131_073, 1_000_000])
  func contentThatIsTrustedIs(_ count: Int) throws {
    let bytes = content(count)
    try world.trust(bytes)
    let path = try world.folder.write("file", bytes)
    let facts = try world.ask(path)
    #expect(facts.present.isSuperset(of: [.objectTrust, .objectDigest]) && facts.object.trust == .trusted)
    #expect(try facts.object.digest == hash(bytes))
    #expect(world.room.visits == (count > 131_072 ? 1 : 0), "only a long file is read elsewhere")
    #expect(world.room.isEmpty)
  }

  @Test func oneBitMakesAnotherContent() throws {
    let bytes = content(5000)
    try world.trust(bytes)
    for place in [0, 2500, 4999] {
      var changed = bytes
      changed[place] ^= 1
      #expect(try trust(try world.folder.write("file", changed)) == .changed)
    }
  }

  @Test(arguments: [(.unknown, .unknown), (.changed, .changed)] as [(TrustExpectation, TrustState)])
  func whatCannotBeTrustedIsNotRead(_ expectation: TrustExpectation, _ state: TrustState) throws {
    world.base.world.withLock { $0.expectation = expectation }
    #expect(try trust(try world.folder.write("file", content(200_000))) == state)
    #expect(world.room.visits == 0 && world.base.judged.isEmpty && world.cache.counts.misses == 0)
  }

  @Test func withoutADatabaseNothingIsKnown() throws {
    world.base.world.withLock { $0.expectation = .unavailable }
    let facts = try world.ask(try world.folder.write("file", [1]))
    #expect(facts.failed.contains(.objectTrust) && facts.failure == .trustUnavailable)
  }

  /// A path that may be forged is no path.
  @Test func anUnverifiedPathIsNotAsked() throws {
    let bytes = content(100)
    try world.trust(bytes)
    let file = try Descriptor.open(try world.folder.write("file", bytes), O_RDONLY)
    for (elsewhere, state) in [(.unknown, .unknown), (.possible, .trusted)] as [(TrustExpectation, TrustState)] {
      world.base.world.withLock { $0.elsewhere = elsewhere }
      let facts = try world.sheet(file.rawValue)
      try world.point().fetch(.objectTrust, into: facts)
      #expect(facts.object.trust == state && facts.present.contains(.objectTrust))
    }
    #expect(world.base.world.withLock { $0.paths.allSatisfy { $0 == nil } })
  }

  @Test(arguments: [FactSet.objectStatus, .objectPath]) func withoutStatusOrPathItFailsAsTheyDid(_ missing: FactSet)
    throws
  {
    let file = try Descriptor.open(try world.folder.write("file", [1]), O_RDONLY)
    let facts = try world.sheet(file.rawValue)
    facts.markFailed(missing, because: .outOfThreads)
    try world.point().fetch([.objectTrust], into: facts)
    #expect(facts.failed.contains(.objectTrust) && facts.failure == .outOfThreads)
  }

  @Test(arguments: [O_WRONLY, O_RDWR]) func whoHoldsItForWritingSpoilsIt(_ flags: Int32) throws {
    let bytes = content(100)
    try world.trust(bytes)
    let path = try world.folder.write("file", bytes)
    do {
      let writer = try Descriptor.open(path, flags)
      #expect(try trust(path) == .openForWriting)
      _ = writer.rawValue
    }
    #expect(try trust(path) == .trusted)
  }

  /// Also one that comes while the file is read.
  @Test func aWriterThatComesMeanwhileSpoilsIt() throws {
    let bytes = content(100)
    let folder = Folder()
    let path = try folder.write("file", bytes)
    passTheClocksStep()
    let (flags, name) = (O_WRONLY, path)
    let opened = Opened()
    let world = World(watch: Watch(whenAsked: { opened.open(name, flags) }))
    try world.trust(bytes)
    #expect(try world.ask(path).object.trust == .openForWriting)
    #expect(world.cache.counts.kept == 0)
  }

  @Test func aMappingSpoilsItToo() throws {
    let bytes = content(4096)
    try world.trust(bytes)
    let path = try world.folder.write("file", bytes)
    let page: UnsafeMutableRawPointer? = try {
      let file = try Descriptor.open(path, O_RDWR)
      return mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
    }()
    #expect(try trust(path) == .openForWriting)
    munmap(page, 4096)
    #expect(try trust(path) == .trusted)
  }

  @Test func aFullWaitingRoomIsAFailure() throws {
    let world = World(room: Room(isFull: true))
    try world.trust(content(200_000))
    let facts = try world.ask(try world.folder.write("file", content(200_000)), [.objectTrust, .objectDigest])
    #expect(facts.failed.isSuperset(of: [.objectTrust, .objectDigest]) && facts.failure == .outOfThreads)
  }

  /// /proc and sysfs give bytes that their size does not promise, and another host or process may give others.
  @Test func contentThatIsMadeUpIsNotTrusted() throws {
    let made = try Descriptor.open("/proc/self/maps", O_RDONLY).readAll(limit: 1 << 20)
    try world.trust(made)
    try world.trust([])
    let facts = try world.ask("/proc/self/maps", [.objectTrust, .objectDigest])
    #expect(facts.object.trust == .openForWriting && !facts.present.contains(.objectDigest))
  }

  // MARK: - By size alone

  private func bySize(_ mode: UInt32, owner: UInt32 = 0) throws -> TrustState? {
    let path = try world.folder.write("model", content(300_000), mode: mode)
    try #require(chown(path, owner, 0) == 0)
    world.modes.replace(with: [(Array(world.folder.path.utf8), .size)])
    return try trust(path)
  }

  @Test func theSizeIsEnoughWhereItIsSaid() throws {
    #expect(try bySize(0o644) == .trusted)
    #expect(world.room.visits == 0 && world.base.judged.isEmpty)
  }

  @Test(arguments: [(0o664, 0), (0o646, 0), (0o644, 1000)] as [(UInt32, UInt32)])
  func notOfAFileThatOthersWrite(_ mode: UInt32, _ owner: UInt32) throws {
    #expect(try bySize(mode, owner: owner) == .changed)
    #expect(world.room.visits == 1)
  }

  /// Otherwise any file of the size of something trusted would do.
  @Test func notBecauseTheSizeIsTrustedElsewhere() throws {
    world.base.world.withLock { $0.elsewhere = .possible }
    #expect(try bySize(0o644) == .changed)
  }

  @Test func notWhileSomebodyWrites() throws {
    let path = try world.folder.write("model", content(3000))
    world.modes.replace(with: [(Array(path.utf8), .size)])
    let writer = try Descriptor.open(path, O_WRONLY)
    #expect(try trust(path) == .openForWriting)
    _ = writer.rawValue
  }
}

/// Keeps what was opened until it goes.
final class Opened: @unchecked Sendable {
  private var descriptors: [Int32] = []

  func open(_ path: String, _ flags: Int32) {
    if let file = try? Descriptor.open(path, flags) { descriptors.append(file.release()) }
  }

  deinit { for number in descriptors { closeDescriptor(number) } }
}
