// Events that name their file by a handle: byte by byte, and as this kernel tells them of a file of the test's own.

import CFanotify
import Glibc
import SystemCalls
import Testing

@testable import Fanotify

@Suite struct FileEventTests {
  /// A chmod of a file on ext4, as Linux 6.18 told it.
  static let event: [UInt8] = [
    0x34, 0x00, 0x00, 0x00,  // event_len: 52
    0x03, 0x00, 0x18, 0x00,  // vers, reserved, metadata_len: 24
    0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // mask: FAN_ATTRIB
    0xff, 0xff, 0xff, 0xff,  // fd: FAN_NOFD
    0xec, 0x2d, 0x00, 0x00,  // pid
    0x01, 0x00, 0x1c, 0x00,  // info: FAN_EVENT_INFO_TYPE_FID, pad, len 28
    0xd6, 0x52, 0xff, 0x0f, 0xab, 0x49, 0x42, 0x02,  // fsid
    0x08, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,  // handle_bytes: 8, handle_type: 1
    0x01, 0x00, 0x01, 0x00, 0x30, 0xd1, 0xb7, 0x0c,  // handle
  ]
  private static let head = Array(event[..<24])

  private func first(_ bytes: [UInt8]) -> Result<(event: FileEvent, length: Int), EventBufferError> {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    return Result { () throws(EventBufferError) in try EventBuffer.firstFile(in: UnsafeRawBufferPointer(buffer)) }
  }

  private func event(_ records: [UInt8]) -> [UInt8] {
    var bytes = Self.head + records
    bytes.replaceSubrange(0..<4, with: withUnsafeBytes(of: UInt32(bytes.count).littleEndian, Array.init))
    return bytes
  }

  /// A file handle record with this count of bytes said, and that many there.
  private func record(said: UInt32, there: Int, fileSystem: UInt8 = 7) -> [UInt8] {
    let length = UInt16(20 + there)
    return [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + [UInt8](repeating: fileSystem, count: 8)
      + withUnsafeBytes(of: said.littleEndian, Array.init) + [1, 0, 0, 0] + [UInt8](repeating: 9, count: there)
  }

  @Test func readsTheFile() throws {
    let (event, length) = try first(Self.event).get()
    #expect(length == 52 && event.mask == 4 && !event.isOverflow)
    #expect(event.fileSystem == 0x0242_49ab_0fff_52d6 && event.handle != nil)
  }

  @Test func anOverflowNamesNoFile() throws {
    var bytes = event([])
    bytes.replaceSubrange(8..<16, with: withUnsafeBytes(of: lil_fan_q_overflow.littleEndian, Array.init))
    let (event, length) = try first(bytes).get()
    #expect(event.isOverflow && event.handle == nil && event.fileSystem == 0 && length == 24)
  }

  @Test(
    arguments: [
      (8, 8, true), (1, 1, true), (128, 128, true), (4, 12, true), (0, 0, false), (0, 8, false),
      (9, 8, false), (129, 129, false), (128, 127, false), (.max, 8, false), (0x7fff_ffff, 8, false),
      (0x8000_0008, 8, false), (200, 300, false),
    ] as [(UInt32, Int, Bool)])
  func aHandleIsAsLongAsItSays(_ said: UInt32, _ there: Int, _ isWhole: Bool) throws {
    let (event, length) = try first(event(record(said: said, there: there))).get()
    #expect((event.handle != nil) == isWhole)
    #expect(event.fileSystem == 0x0707_0707_0707_0707 && length == 44 + there)
  }

  @Test(
    arguments: [
      // A record that ends within its head; none at all; one of another type alone; one that runs out.
      [1, 0, 12, 0, 7, 7, 7, 7, 7, 7, 7, 7], [], [2, 0, 8, 0, 1, 2, 3, 4], [1, 0, 40, 0, 7, 7, 7, 7],
      [1, 0, 0, 0], [1, 0, 4, 0], [1, 0, 19, 0] + [UInt8](repeating: 7, count: 15),
    ] as [[UInt8]])
  func aRecordThatIsCutNamesNoFile(_ records: [UInt8]) throws {
    let (event, _) = try first(event(records)).get()
    #expect(event.handle == nil && event.fileSystem == 0)
  }

  @Test func recordsOfOtherTypesArePassedOver() throws {
    let (event, _) = try first(event([4, 0, 8, 0, 1, 2, 3, 4] + record(said: 8, there: 8))).get()
    #expect(event.handle != nil)
  }

  @Test(arguments: 0..<52) func anEventThatIsCutIsRefused(_ length: Int) {
    guard case .failure(let error) = first(Array(Self.event[..<length])) else {
      Issue.record("\(length) bytes are no event")
      return
    }
    #expect(error == (length < 24 ? .truncated : .badLength(52)))
  }

  @Test func brokenBytesNeverTrapAndNeverStandStill() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = Self.event + event(record(said: 128, there: 128))
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      if case .success(let found) = first(bytes) { #expect(found.length >= 24 && found.length <= bytes.count) }
    }
  }
}

/// Marks of inodes that belong to the test alone, in groups that ask nobody.
@Suite(.enabled(if: ProcessSetup.effectiveUserID == 0)) final class InodeMarkTests {
  private let folder: String

  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    for name in ["file", "other", "moved"] {
      unlink("\(folder)/\(name)")
      rmdir("\(folder)/\(name)")
    }
    rmdir(folder)
  }

  private func write(_ name: String = "file") throws -> String {
    try Descriptor.open("\(folder)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).writeAll([1, 2, 3])
    return "\(folder)/\(name)"
  }

  private func events(_ group: NotificationGroup) throws -> [FileEvent] {
    var found: [FileEvent] = []
    while try group.readEvents({ found.append($0) }) {}
    return found
  }

  private static let all: FileEvents = [.modify, .closeWrite, .attributes, .moved, .deleted]

  enum Change: CaseIterable { case write, cut, mode, owner, name, link, openForWriting }

  private func change(_ change: Change, _ path: String) throws {
    switch change {
    case .write: try Descriptor.open(path, O_WRONLY).writeAll([9])
    case .cut: try #require(truncate(path, 1) == 0)
    case .mode: try #require(chmod(path, 0o755) == 0)
    case .owner: try #require(chown(path, 1, 1) == 0)
    case .name: try #require(rename(path, folder + "/moved") == 0)
    case .link: try #require(link(path, folder + "/other") == 0)
    case .openForWriting: _ = try Descriptor.open(path, O_WRONLY)
    }
  }

  @Test(arguments: Change.allCases) func aChangeIsToldWithTheFile(_ kind: Change) throws {
    let path = try write()
    let file = try Descriptor.open(path, O_RDONLY)
    let status = try FileStatus.of(descriptor: file.rawValue)
    let group = try NotificationGroup()
    try group.watch(file.rawValue, Self.all, evictable: true)
    _ = try Descriptor.open(path, O_RDONLY)
    #expect(try events(group).isEmpty, "reading is no change")
    try change(kind, path)
    let told = try events(group)
    #expect(!told.isEmpty)
    let system = try FileSystemStatus.of(descriptor: file.rawValue)
    let mount = try Descriptor.open(folder, O_RDONLY)
    for event in told {
      #expect(event.fileSystem == system.identity)
      var handle = try #require(event.handle)
      let found = try handle.openPath(mount: mount.rawValue)
      #expect(try FileStatus.of(descriptor: found.rawValue).isSameFile(as: status))
    }
  }

  @Test func aWatchEnds() throws {
    let path = try write()
    let file = try Descriptor.open(path, O_RDONLY)
    let group = try NotificationGroup()
    try group.watch(file.rawValue, Self.all, evictable: true)
    try group.stopWatching(at: "/proc/self/fd/\(file.rawValue)", Self.all)
    #expect(throws: Errno.noEntry) { try group.stopWatching(at: "/proc/self/fd/\(file.rawValue)", Self.all) }
    try change(.write, path)
    #expect(try events(group).isEmpty)
    try group.watch(file.rawValue, Self.all, evictable: true)
    try group.stopWatchingAll()
    try change(.write, path)
    #expect(try events(group).isEmpty)
  }

  @Test func aFolderThatMovesIsTold() throws {
    try #require(mkdir(folder + "/file", 0o755) == 0)
    let place = try Descriptor.open(folder + "/file", 0o10000000)
    let group = try NotificationGroup()
    try group.watch(at: "/proc/self/fd/\(place.rawValue)", [.moved, .ofFolder], evictable: false)
    _ = try Descriptor.open(folder + "/file/x", O_WRONLY | O_CREAT, mode: 0o600)
    try #require(unlink(folder + "/file/x") == 0)
    #expect(try events(group).isEmpty, "what happens in it is not told")
    try #require(rename(folder + "/file", folder + "/moved") == 0)
    #expect(try events(group).count == 1)
  }

  /// So whoever writes one file again and again fills no queue.
  @Test func eventsOfOneFileAreMerged() throws {
    let file = try Descriptor.open(try write(), O_RDWR)
    let other = try Descriptor.open(try write("other"), O_RDWR)
    let group = try NotificationGroup()
    try group.watch(file.rawValue, Self.all, evictable: true)
    try group.watch(other.rawValue, Self.all, evictable: true)
    for _ in 0..<1000 {
      try file.writeAll([1])
      try other.writeAll([1])
    }
    #expect(try (2...4).contains(events(group).count))
  }

  @Test func anIgnoreMarkComesAndGoes() throws {
    try #require(PermissionGroup.canIgnore)
    let file = try Descriptor.open(try write(), O_RDONLY)
    let group = try PermissionGroup()
    let path = "/proc/self/fd/\(file.rawValue)"
    #expect(throws: Errno.noEntry) { try group.stopIgnoring([.open, .execute], file.rawValue) }
    for _ in 0..<2 { try group.ignore([.open, .execute], file.rawValue) }
    try group.stopIgnoring([.open, .execute], file.rawValue)
    #expect(throws: Errno.noEntry) { try group.stopIgnoring([.open, .execute], at: path) }
    try group.ignore([.open, .execute], file.rawValue)
    try group.stopIgnoring([.open, .execute], at: path)
    try group.ignore([.open, .execute], file.rawValue)
    try group.forgetInodes()
    #expect(throws: Errno.noEntry) { try group.stopIgnoring([.open, .execute], at: path) }
  }

  /// So the kernel releases it before whatever takes it long, and nobody waits for a process that ends.
  @Test func aPermissionGroupIsNumberedAboveWhatIsOpenedAfterIt() throws {
    let group = try PermissionGroup()
    let later = try Descriptor.open("/proc/self/fd", O_RDONLY)
    #expect(group.number >= 4096)
    #expect(later.rawValue < group.number)
  }
}
