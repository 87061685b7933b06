// What read(2) on a fanotify group gives, byte by byte: struct fanotify_event_metadata and its information records.

import CFanotify
import Fanotify
import Testing

@Suite struct EventBufferTests {
  /// One open that waits for an answer, with a pidfd record; little endian, as on the machines that Lilium runs on.
  static let event: [UInt8] = [
    0x20, 0x00, 0x00, 0x00,  // event_len: 32
    0x03,  // vers
    0x00,  // reserved
    0x18, 0x00,  // metadata_len: 24
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,  // mask: FAN_OPEN_PERM
    0x2a, 0x00, 0x00, 0x00,  // fd: 42
    0xd2, 0x04, 0x00, 0x00,  // pid: 1234
    0x04, 0x00, 0x08, 0x00,  // info: FAN_EVENT_INFO_TYPE_PIDFD, pad, len 8
    0x2b, 0x00, 0x00, 0x00,  // pidfd: 43
  ]
  static let bare: [UInt8] = [0x18] + event[1..<24]

  /// A buffer of exactly these bytes, so that a read past the end is seen by the checkers.
  private func first(_ bytes: some Sequence<UInt8>) -> Result<(event: FanotifyEvent, length: Int), EventBufferError> {
    let all = Array(bytes)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: all.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: all)
    return Result { () throws(EventBufferError) in try EventBuffer.first(in: UnsafeRawBufferPointer(buffer)) }
  }

  private func error(_ bytes: [UInt8]) -> EventBufferError? {
    guard case .failure(let error) = first(bytes) else { return nil }
    return error
  }

  /// The event with a record of another type before the pidfd's.
  private func event(records: [UInt8]) -> [UInt8] {
    var bytes = Self.bare + records
    bytes.replaceSubrange(0..<4, with: withUnsafeBytes(of: UInt32(bytes.count).littleEndian, Array.init))
    return bytes
  }

  @Test func theLayoutIsThatOfTheKernelsHeader() {
    #expect(Int(lil_fan_metadata_size) == Self.bare.count)
    #expect(lil_fan_metadata_version == UInt32(Self.event[4]))
    #expect(lil_fan_info_type_pidfd == UInt32(Self.event[24]))
    #expect(lil_fan_info_type_fid == UInt32(FileEventTests.event[24]))
    #expect(lil_fan_open_perm == 0x10000)
  }

  @Test func readsAnEventWithItsPIDDescriptor() throws {
    let (event, length) = try first(Self.event).get()
    #expect(length == 32)
    #expect(event.mask == 0x10000 && event.descriptor == 42 && event.pid == 1234 && event.pidDescriptor == 43)
    #expect(event.isPermission && !event.isExecute && !event.isOverflow)
  }

  @Test func readsAnEventWithoutRecords() throws {
    let (event, length) = try first(Self.bare).get()
    #expect(length == 24)
    #expect(event.descriptor == 42 && event.pidDescriptor == -1)
  }

  @Test func theNextEventStandsBehindTheLength() throws {
    let both = Self.event + Self.bare
    let (_, length) = try first(both).get()
    let (next, rest) = try first(both[length...]).get()
    #expect(next.pidDescriptor == -1 && length + rest == both.count)
  }

  @Test(
    arguments: [
      (0x10000, true, false, false), (0x40000, true, true, false), (0x50000, true, true, false),
      (0x4000, false, false, true), (0x20, false, false, false), (0, false, false, false),
    ] as [(UInt64, Bool, Bool, Bool)])
  func aMaskSaysWhatIsAsked(_ mask: UInt64, _ permission: Bool, _ execute: Bool, _ overflow: Bool) throws {
    var bytes = Self.event
    bytes.replaceSubrange(8..<16, with: withUnsafeBytes(of: mask.littleEndian, Array.init))
    let event = try first(bytes).get().event
    #expect(event.isPermission == permission && event.isExecute == execute && event.isOverflow == overflow)
  }

  @Test func negativeDescriptorsStayNegative() throws {
    var bytes = Self.event
    bytes.replaceSubrange(16..<20, with: [0xff, 0xff, 0xff, 0xff])
    bytes.replaceSubrange(28..<32, with: [0xfe, 0xff, 0xff, 0xff])
    let event = try first(bytes).get().event
    #expect(event.descriptor == -1 && event.pidDescriptor == -2)
  }

  @Test(
    arguments: [
      // A file handle record first, of 12 bytes, and one of the least length.
      ([1, 0, 12, 0, 9, 9, 9, 9, 9, 9, 9, 9, 4, 0, 8, 0, 43, 0, 0, 0], 43),
      ([5, 0, 4, 0, 4, 0, 8, 0, 43, 0, 0, 0], 43), ([255, 1, 4, 0, 254, 7, 8, 0, 4, 0, 8, 0], -1),
      // The pidfd's record may grow; bytes behind the records that are too few for one are none.
      ([4, 0, 12, 0, 43, 0, 0, 0, 9, 9, 9, 9], 43), ([4, 0, 8, 0, 43, 0, 0, 0, 4, 0, 8], 43),
      ([1, 0, 8, 0, 9, 9, 9, 9, 4, 0], -1),
      // Lengths that would stand still or run out of the event end the walk.
      ([1, 0, 0, 0, 4, 0, 8, 0, 43, 0, 0, 0], -1), ([1, 0, 3, 0, 4, 0, 8, 0, 43, 0, 0, 0], -1),
      ([1, 0, 255, 255, 4, 0, 8, 0, 43, 0, 0, 0], -1), ([4, 0, 9, 0, 43, 0, 0, 0], -1), ([4, 0, 4, 0], -1),
      ([4, 0, 7, 0, 43, 0, 0], -1),
    ] as [([UInt8], Int32)])
  func recordsOfOtherTypesArePassedOver(_ records: [UInt8], _ pidDescriptor: Int32) throws {
    let (event, length) = try first(event(records: records)).get()
    #expect(event.pidDescriptor == pidDescriptor)
    #expect(length == 24 + records.count)
  }

  @Test func aLongerHeadIsSteppedOver() throws {
    var bytes = Self.bare + [7, 7, 7, 7, 7, 7, 7, 7] + Self.event[24...]
    bytes[0] = 40
    bytes[6] = 32
    let (event, length) = try first(bytes).get()
    #expect(event.pidDescriptor == 43 && length == 40)
  }

  @Test(arguments: 0..<32)
  func anEventThatIsCutIsRefused(_ length: Int) {
    let cut = Array(Self.event[..<length])
    #expect(error(cut) == (length < 24 ? .truncated : .badLength(32)))
  }

  @Test func anotherVersionIsRefused() {
    for version in UInt8.min...UInt8.max where version != 3 {
      var bytes = Self.event
      bytes[4] = version
      #expect(error(bytes) == .unknownVersion(version))
    }
  }

  @Test(arguments: [0, 1, 23, 33, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as [UInt32])
  func aLengthThatCannotBeIsRefused(_ length: UInt32) {
    var bytes = Self.event
    bytes.replaceSubrange(0..<4, with: withUnsafeBytes(of: length.littleEndian, Array.init))
    #expect(error(bytes) == .badLength(length))
  }

  @Test(arguments: [0, 23, 33, 0xffff] as [UInt16])
  func aHeadThatCannotBeIsRefused(_ head: UInt16) {
    var bytes = Self.event
    bytes.replaceSubrange(6..<8, with: withUnsafeBytes(of: head.littleEndian, Array.init))
    #expect(error(bytes) == .badLength(32))
  }

  @Test func brokenBytesNeverTrapAndNeverStandStill() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = Self.event + Self.bare
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      if case .success(let found) = first(bytes) { #expect(found.length >= 24 && found.length <= bytes.count) }
    }
  }
}
