// Owns an event: the records that share a time and a serial.
// It must not interpret them.

/// All records of one event, in the order in which they came.
public struct AuditEvent: Sendable, Hashable {
  /// Nanoseconds since the epoch; milliseconds count.
  public let time: Int64
  public let serial: UInt64
  public let entries: [AuditEntry]
  /// Records are missing: the event was closed before its end was seen, some of it did not fit, or there is no SYSCALL
  /// record although others only come with one.
  public let isTorn: Bool

  public var syscall: AuditEntry? { first(AuditType.syscall) }

  /// The first record of a type (`AuditType`).
  public func first(_ type: UInt16) -> AuditEntry? { entries.first { $0.type == type } }

  public func all(_ type: UInt16) -> [AuditEntry] { entries.filter { $0.type == type } }
}

/// What names an event: a serial begins anew with each boot, and after 2^32.
struct EventIdentity: Hashable, Sendable {
  let time: Int64
  let serial: UInt64
}
