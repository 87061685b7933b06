// Owns what the kernel tells about auditing as a whole (struct audit_status, linux/audit.h).
// It must not judge it.

/// The state of the kernel's audit system.
public struct AuditStatus: Sendable, Hashable {
  /// 0: off; 1: on; 2: on, and locked until the next boot.
  public var enabled: UInt32
  /// What the kernel does when it cannot log: 0 nothing, 1 prints, 2 panics.
  public var failure: UInt32
  /// The daemon that reads records by unicast, 0 where there is none.
  public var pid: UInt32
  /// Records a second; 0 is no limit.
  public var rateLimit: UInt32
  /// Records that may wait; 0 is no limit.
  public var backlogLimit: UInt32
  /// Records that the kernel lost since boot or since somebody reset the count.
  public var lost: UInt32
  public var backlog: UInt32
  /// How long a call waits for room in the backlog, in clock ticks (HZ); 0 where the kernel does not tell.
  public var backlogWaitTime: UInt32

  public var isOn: Bool { enabled != 0 }
  public var isLocked: Bool { enabled == 2 }

  /// Nil where the bytes are too short; older kernels end before the wait time.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 32 else { return nil }
    func word(_ index: Int) -> UInt32 {
      // Short replies end before the later fields.
      guard bytes.count >= 4 * (index + 1) else { return 0 }
      return unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self) }
    }
    enabled = word(1)
    failure = word(2)
    pid = word(3)
    rateLimit = word(4)
    backlogLimit = word(5)
    lost = word(6)
    backlog = word(7)
    backlogWaitTime = word(9)
  }
}
