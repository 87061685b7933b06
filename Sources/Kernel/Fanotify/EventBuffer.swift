// Owns the layout of what read(2) on a fanotify group gives: struct fanotify_event_metadata and its information records
// (fanotify(7), include/uapi/linux/fanotify.h). Host byte order.
// It must not read a descriptor or trust a length.

internal import CFanotify
public import SystemCalls

/// One event. The descriptors are not owned here: who reads the event closes them.
public struct FanotifyEvent: Sendable, Hashable {
  /// FAN_* event bits.
  public var mask: UInt64
  /// The opened object, or negative (FAN_NOFD) where there is none.
  public var descriptor: Int32
  /// Thread group id of the subject in this process's pid namespace; 0 where it is outside of it.
  public var pid: Int32
  /// A pidfd of the subject, or negative where the kernel could not make one.
  public var pidDescriptor: Int32

  /// FAN_OPEN_EXEC_PERM: the object is executed.
  public var isExecute: Bool { mask & lil_fan_open_exec_perm != 0 }
  /// A permission event: it waits for an answer.
  public var isPermission: Bool { mask & (lil_fan_open_exec_perm | lil_fan_open_perm) != 0 }
  /// Closes what came with the event. Once only, and after the answer, which names the descriptor by its number.
  public func closeDescriptors() {
    if descriptor >= 0, pidDescriptor >= 0 {
      SystemCalls.closeDescriptors(descriptor, pidDescriptor)
    } else if max(descriptor, pidDescriptor) >= 0 {
      closeDescriptor(max(descriptor, pidDescriptor))
    }
  }

  /// FAN_Q_OVERFLOW: events were lost.
  public var isOverflow: Bool { mask & lil_fan_q_overflow != 0 }
}

/// Why a buffer is not a sequence of events.
public enum EventBufferError: Error, Hashable, Sendable {
  case truncated
  case unknownVersion(UInt8)
  case badLength(UInt32)
}

public enum EventBuffer {
  static let metadataSize = 24
  static let metadataVersion: UInt8 = 3
  static let pidDescriptorType: UInt8 = 4
  static let none: Int32 = -1

  /// The event at the start of `bytes`, and how many bytes it takes.
  public static func first(in bytes: UnsafeRawBufferPointer) throws(EventBufferError) -> (
    event: FanotifyEvent, length: Int
  ) {
    guard bytes.count >= metadataSize else { throw .truncated }
    let length = unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
    let version = unsafe bytes.loadUnaligned(fromByteOffset: 4, as: UInt8.self)
    let head = Int(unsafe bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    guard version == metadataVersion else { throw .unknownVersion(version) }
    guard head >= metadataSize, Int(length) >= head, Int(length) <= bytes.count else { throw .badLength(length) }
    let event = unsafe FanotifyEvent(
      mask: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      descriptor: bytes.loadUnaligned(fromByteOffset: 16, as: Int32.self),
      pid: bytes.loadUnaligned(fromByteOffset: 20, as: Int32.self),
      pidDescriptor: pidDescriptor(in: bytes, from: head, to: Int(length)))
    return (event, Int(length))
  }

  private static func pidDescriptor(in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int32 {
    guard let record = unsafe record(pidDescriptorType, in: bytes, from: start, to: end), record.count >= 4
    else { return none }
    return unsafe record.loadUnaligned(as: Int32.self)
  }

  /// What stands behind the head of the first record of a type. Every information record begins with type (1 byte),
  /// padding (1), length (2); records of other types are passed over.
  private static func record(
    _ type: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int
  ) -> UnsafeRawBufferPointer? {
    var offset = start
    while offset + 4 <= end {
      let found = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt8.self)
      let length = Int(unsafe bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self))
      guard length >= 4, offset + length <= end else { return nil }
      if found == type { return unsafe UnsafeRawBufferPointer(rebasing: bytes[offset + 4..<offset + length]) }
      offset += length
    }
    return nil
  }
}

// MARK: - Events that name their file

/// What happened to a file, in a group that reports file handles (FAN_REPORT_FID).
public struct FileEvent {
  /// FAN_* event bits; FAN_ONDIR where the file is a folder.
  public var mask: UInt64
  /// The file system by its f_fsid (statfs(2)); 0 where there is no file.
  public var fileSystem: UInt64
  /// The file; nil where the event has none (an overflow), or the kernel could not make one.
  public var handle: FileHandle?

  /// FAN_Q_OVERFLOW: events were lost.
  public var isOverflow: Bool { mask & lil_fan_q_overflow != 0 }
  /// FAN_DELETE_SELF and nothing else: the file is gone, and was not changed before.
  public var isDeletionOnly: Bool { mask & ~lil_fan_ondir == lil_fan_delete_self }
}

extension EventBuffer {
  static let fileHandleType: UInt8 = 1
  /// f_fsid (8 bytes), then handle_bytes and handle_type (4 each), then the handle.
  private static let handleHead = 16

  /// The event at the start of `bytes`, and how many bytes it takes.
  public static func firstFile(in bytes: UnsafeRawBufferPointer) throws(EventBufferError) -> (
    event: FileEvent, length: Int
  ) {
    let (event, length) = try unsafe first(in: bytes)
    let head = Int(unsafe bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    var file = FileEvent(mask: event.mask, fileSystem: 0, handle: nil)
    guard let record = unsafe record(fileHandleType, in: bytes, from: head, to: length),
      record.count >= handleHead
    else { return (file, length) }
    file.fileSystem = unsafe record.loadUnaligned(as: UInt64.self)
    let size = Int(unsafe record.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    let type = unsafe record.loadUnaligned(fromByteOffset: 12, as: Int32.self)
    // A handle of no bytes is the kernel's word for none.
    guard size > 0, handleHead + size <= record.count else { return (file, length) }
    let handle = unsafe UnsafeRawBufferPointer(rebasing: record[handleHead..<handleHead + size])
    file.handle = try? unsafe FileHandle(type: type, bytes: handle)
    return (file, length)
  }
}
