// Owns the socket that the kernel sends its audit records to, and what is known to be lost there.
// It must not parse a record: AuditEntry does.

internal import CAuditNetlink
internal import Glibc
internal import Synchronization
public import SystemCalls

/// A reader of the kernel's multicast of audit records (AUDIT_NLGRP_READLOG). Any number of readers live beside one
/// another and beside auditd. Joining needs CAP_AUDIT_READ (EPERM); outside the initial network namespace it succeeds,
/// and no record comes. For one reading thread; counters from any.
public final class AuditStream: Sendable {
  private let socket: Descriptor
  /// Bytes that the kernel counts against records that wait, its own bookkeeping included.
  public let receiveBuffer: Int
  private let overruns = Atomic<UInt64>(0)
  private let strangers = Atomic<UInt64>(0)
  private let truncated = Atomic<UInt64>(0)
  private let dropMeter = Mutex(DropMeter())

  /// A buffer for one record of any length (AUDIT_MESSAGE_TEXT_MAX and the header fit).
  public static let recordCapacity = 16 * 1024

  /// One record in the caller's buffer.
  public struct Received: Sendable, Hashable {
    /// `AuditType`.
    public let type: UInt16
    /// Where in the buffer the record's text stands.
    public let text: Range<Int>
  }

  /// Asks for `receiveBuffer` bytes (the kernel gives twice that), past the system's limit where CAP_NET_ADMIN allows
  /// that. Only records of `types` come; an empty set lets all in. E2BIG for more than 1024 types. Joining is itself a
  /// call that audit records (EVENT_LISTENER with its SYSCALL), so the first records may be of this process.
  public init(receiveBuffer: Int, types: Set<UInt16> = []) throws(Errno) {
    let made = Descriptor(owning: try shimCall { lil_audit_stream_socket() })
    let number = made.rawValue
    let size = try shimCall { lil_audit_receive_buffer(number, Int32(clamping: receiveBuffer)) }
    if !types.isEmpty {
      let sorted = types.sorted()
      _ = try shimCall { unsafe lil_audit_filter(number, sorted, UInt32(sorted.count)) }
    }
    // Last, so that no record comes in past the filter.
    _ = try shimCall { lil_audit_join(number) }
    socket = made
    self.receiveBuffer = Int(size)
  }

  /// For poll(2): readable when a record waits.
  public var descriptor: Int32 { socket.rawValue }

  /// The next record, or nil where none waits. Messages that are not the kernel's, and such as do not fit into
  /// `buffer`, are passed over and counted. An overrun is counted and reading goes on.
  public func receive(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Received? {
    while true {
      var sender: UInt32 = 0
      let number = socket.rawValue
      let length: Int
      do throws(Errno) {
        length = try shimCall { unsafe lil_audit_receive(number, buffer.baseAddress, buffer.count, &sender) }
      } catch .again {
        return nil
      } catch {
        guard error == Errno(ENOBUFS) else { throw error }
        overruns.add(1, ordering: .relaxed)
        continue
      }
      guard sender == 0 else {
        strangers.add(1, ordering: .relaxed)
        continue
      }
      guard length <= buffer.count, length >= Int(LIL_NETLINK_HEADER) else {
        truncated.add(1, ordering: .relaxed)
        continue
      }
      let type = unsafe buffer.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
      // The length in the header is not the same for multicast and unicast; the datagram's own is right for both.
      return Received(type: type, text: Int(LIL_NETLINK_HEADER)..<length)
    }
  }

  /// Records that this socket had no room for, since it was made. It goes up while nobody reads: after one overrun
  /// the kernel drops all until the socket has been drained.
  public func drops() throws(Errno) -> UInt64 {
    var value: UInt32 = 0
    let number = socket.rawValue
    _ = try shimCall { unsafe lil_audit_drops(number, &value) }
    return dropMeter.withLock { $0.add(value) }
  }

  /// How often the kernel said ENOBUFS: gaps, of any size.
  public var overrunCount: UInt64 { overruns.load(ordering: .relaxed) }
  /// Messages that somebody else than the kernel sent.
  public var strangerCount: UInt64 { strangers.load(ordering: .relaxed) }
  /// Messages that did not fit, or that were no message.
  public var truncatedCount: UInt64 { truncated.load(ordering: .relaxed) }
}

/// The kernel counts in 32 bits.
struct DropMeter: Sendable {
  private var last: UInt32 = 0
  private var total: UInt64 = 0

  mutating func add(_ reading: UInt32) -> UInt64 {
    total += UInt64(reading &- last)
    last = reading
    return total
  }
}
