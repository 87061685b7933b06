// Owns the worlds of the tests: temporary files, a waiting room that counts, a trust database and a watch that say what
// they are told to.
// It must not test anything.

import AccessModel
import ContentDigest
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import Integrity

/// A temporary folder that goes with its owner.
final class Folder {
  let path: String

  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  @discardableResult func write(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws -> String {
    let file = "\(path)/\(name)"
    try Descriptor.open(file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600).writeAll(bytes)
    try #require(chmod(file, mode) == 0)
    return file
  }

  deinit {
    guard let stream = opendir(path) else { return }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map { $0 } }
      unlink("\(path)/\(String(decoding: name, as: UTF8.self))")
    }
    closedir(stream)
    rmdir(path)
  }
}

/// A waiting room that counts who came, and may be full.
final class Room: WaitingRoom {
  private let entered = Atomic(0)
  private let left = Atomic(0)
  private let isFull: Bool
  init(isFull: Bool = false) { self.isFull = isFull }

  func enter() -> Bool {
    if isFull { return false }
    entered.add(1, ordering: .relaxed)
    return true
  }

  func leave() { left.add(1, ordering: .relaxed) }
  var visits: Int { entered.load(ordering: .relaxed) }
  var isEmpty: Bool { visits == left.load(ordering: .relaxed) }
}

/// A database of one answer, which notes what it is asked.
final class Base: TrustBase {
  struct World {
    var expectation = TrustExpectation.possible
    /// For questions without a path.
    var elsewhere = TrustExpectation.unknown
    var trusted: Set<ContentHash> = []
    var otherwise = TrustState.changed
    var judged: [ContentHash] = []
    var paths: [[UInt8]?] = []
  }

  let world = Mutex(World())

  func expectation(ofSize size: UInt64, at path: [UInt8]?) -> TrustExpectation {
    world.withLock { world in
      world.paths.append(path)
      return path == nil ? world.elsewhere : world.expectation
    }
  }

  func judge(_ digest: ContentHash, _ kind: DigestKind, size: UInt64, at path: [UInt8]?) -> TrustState {
    world.withLock { world in
      world.judged.append(digest)
      return world.trusted.contains(digest) ? .trusted : world.otherwise
    }
  }

  func knowsVerity(ofSize size: UInt64, at path: [UInt8]?) -> Bool { true }
  var judged: [ContentHash] { world.withLock { $0.judged } }
}

/// Says yes or no, and runs something when it is asked.
final class Watch: ContentWatch {
  private let answer: Bool
  private let whenAsked: @Sendable () -> Void
  private let count = Atomic(0)

  init(_ answer: Bool = true, whenAsked: @escaping @Sendable () -> Void = {}) {
    self.answer = answer
    self.whenAsked = whenAsked
  }

  func watch(_ descriptor: Int32) -> Bool {
    count.add(1, ordering: .relaxed)
    whenAsked()
    return answer
  }

  var questions: Int { count.load(ordering: .relaxed) }
}

/// One thread's point and all that it rests on.
struct World {
  let folder = Folder()
  let base = Base()
  let cache: DigestCache
  let modes = IntegrityModes()
  let room: Room
  let watch: Watch

  init(cache: DigestCache = DigestCache(), room: Room = Room(), watch: Watch = Watch()) {
    self.cache = cache
    self.room = room
    self.watch = watch
  }

  func point() throws -> IntegrityInformation {
    try IntegrityInformation(
      base: base, cache: cache, modes: modes, watch: watch, room: room, storage: StorageTable())
  }

  func trust(_ content: [UInt8]) throws {
    let digest = try #require(ContentHash(try ContentDigest.sha256(of: content)))
    base.world.withLock { _ = $0.trusted.insert(digest) }
  }

  /// What is asked of an open file, as after the object's own facts were fetched.
  func sheet(_ descriptor: Int32, path: String? = nil) throws -> Facts {
    let facts = Facts()
    facts.begin(pid: 1, operation: .open, objectHandle: descriptor)
    let status = try FileStatus.of(descriptor: descriptor)
    let key = ContentKey(status, 0)
    facts.object.identity = key.identity
    facts.object.size = key.size
    facts.object.changeTime = key.changeTime
    facts.object.owner = status.owner
    facts.object.mode = status.mode & 0o7777
    facts.object.links = status.links
    facts.object.path = Array((path ?? "/nowhere").utf8)
    facts.object.pathVerified = path != nil
    facts.markPresent([.objectStatus, .objectPath])
    return facts
  }

  /// The facts of a file after everything about its content was asked.
  func ask(_ path: String, _ wanted: FactSet = [.objectTrust]) throws -> Facts {
    let file = try Descriptor.open(path, O_RDONLY)
    let facts = try sheet(file.rawValue, path: path)
    try point().fetch(wanted, into: facts)
    return facts
  }
}

/// What the cache knows a file by.
func contentKey(_ path: String) throws -> ContentKey {
  let file = try Descriptor.open(path, O_RDONLY)
  let mount = FileStatus.uniqueMount(of: file.rawValue)
  let system = try FileSystemStatus.of(descriptor: file.rawValue)
  return ContentKey(try FileStatus.of(descriptor: file.rawValue), mount ?? system.identity)
}

/// Longer than the step of the clock that change times come from.
func passTheClocksStep() { Clock.sleep(nanoseconds: 80_000_000) }

func content(_ count: Int, seed: UInt8 = 31) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* Int(seed) &+ $0 >> 8) }
}

func hash(_ bytes: [UInt8]) throws -> ContentHash { try #require(ContentHash(try ContentDigest.sha256(of: bytes))) }
