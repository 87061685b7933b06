// Owns the layout of what read(2) on a fanotify group gives: struct fanotify_event_metadata and its information records
// (fanotify(7), include/uapi/linux/fanotify.h). Host byte order.
// It must not read a descriptor or trust a length.

internal import CFanotify
internal import SystemCalls

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

  /// Every information record begins with type (1 byte), padding (1), length (2); records of other types are passed over.
  private static func pidDescriptor(in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int32 {
    var offset = start
    while offset + 4 <= end {
      let type = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt8.self)
      let length = Int(unsafe bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self))
      guard length >= 4, offset + length <= end else { return none }
      if type == pidDescriptorType, length >= 8 {
        return unsafe bytes.loadUnaligned(fromByteOffset: offset + 4, as: Int32.self)
      }
      offset += length
    }
    return none
  }
}
