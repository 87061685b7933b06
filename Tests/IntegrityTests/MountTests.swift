// What a digest is worth on another mount, and a file whose writers nobody can tell.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import Integrity

/// A child in a mount namespace of its own, whose files show at `root`.
private final class Namespace {
  let pid: Int32
  var root: String { "/proc/\(pid)/root" }

  init() throws {
    let words = ["unshare", "-m", "--propagation", "private", "sleep", "60"]
    pid = try ChildProcess.start("/usr/bin/unshare", words)
    // It is itself before it is the program that it starts.
    for _ in 0..<1000 where name != "sleep" { Clock.sleep(nanoseconds: 2_000_000) }
    try #require(name == "sleep")
  }

  private var name: String? {
    let text = try? Descriptor.open("/proc/\(pid)/comm", O_RDONLY).readAll(limit: 100)
    return text.map { String(decoding: $0.dropLast(), as: UTF8.self) }
  }

  deinit { ChildProcess.end(pid) }
}

@Suite(.enabled(if: ProcessSetup.effectiveUserID == 0)) struct MountTests {
  private let world = World()

  /// A later mount of another image may bear the same device number, and its file the same inode number, change time
  /// and size: what was read on one mount is not believed on another.
  @Test func aDigestHoldsForItsMountAlone() throws {
    let bytes = content(1000)
    let path = try world.folder.write("file", bytes)
    let elsewhere = try Namespace()
    let other = elsewhere.root + path
    let (here, there) = (try contentKey(path), try contentKey(other))
    #expect(here.identity == there.identity && here.changeTime == there.changeTime && here.size == there.size)
    // Before Linux 6.8 nothing tells two mounts of one file system.
    let file = try Descriptor.open(path, O_RDONLY)
    guard FileStatus.uniqueMount(of: file.rawValue) != nil else { return }
    #expect(here.mount != there.mount)
    let planted = try hash([0xde, 0xad])
    world.cache.keep(planted, for: here, world.cache.ticket(for: here.identity))
    #expect(try world.ask(path, .objectDigest).object.digest == planted)
    #expect(try world.ask(other, .objectDigest).object.digest == hash(bytes))
  }

  @Test func whereWritersCannotBeToldNothingIsBelieved() throws {
    let bytes = content(1000)
    try world.trust(bytes)
    let path = try world.folder.write("file", bytes)
    try #require(chown(path, 1000, 1000) == 0)
    let facts = try withoutLeases { try world.ask(path, [.objectTrust, .objectDigest]) }
    #expect(facts.failed.isSuperset(of: [.objectTrust, .objectDigest]) && facts.failure == .writersUnknown)
    #expect(!facts.present.contains(.objectTrust) && world.base.judged.isEmpty)
    #expect(try world.ask(path).object.trust == .trusted)
  }

  /// The calling thread has no CAP_LEASE meanwhile (capset(2)).
  private func withoutLeases<Result>(_ body: () throws -> Result) throws -> Result {
    typealias Call = @convention(c) (UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>) -> Int32
    let get = unsafeBitCast(try #require(dlsym(nil, "capget")), to: Call.self)
    let set = unsafeBitCast(try #require(dlsym(nil, "capset")), to: Call.self)
    var head: [UInt32] = [0x2008_0522, 0]
    // Effective, permitted, inheritable; twice.
    var sets = [UInt32](repeating: 0, count: 6)
    try #require(get(&head, &sets) == 0)
    var fewer = sets
    fewer[0] &= ~(1 << 28)
    try #require(set(&head, &fewer) == 0)
    defer { _ = set(&head, &sets) }
    return try body()
  }
}
