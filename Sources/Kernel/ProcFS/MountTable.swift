// Owns the latest picture of the initial mount namespace that threads may ask: device -> type and mount point.
// It must not read mountinfo itself, and a question must never wait for I/O.

internal import Synchronization

/// Shared and thread-safe; the lock is held for a look-up only.
public final class MountTable: Sendable {
  public struct Place: Sendable, Hashable {
    public var type: [UInt8]
    public var mountPoint: [UInt8]
    public init(type: [UInt8], mountPoint: [UInt8]) {
      self.type = type
      self.mountPoint = mountPoint
    }
  }

  private let places = Mutex<[UInt64: Place]>([:])

  public init() {}

  /// The device's type and one of its mount points, or nil where the device is not mounted here.
  public func place(major: UInt32, minor: UInt32) -> Place? {
    places.withLock { $0[UInt64(major) << 32 | UInt64(minor)] }
  }

  /// Takes a new picture. Where a device has several mounts, the one that shows its whole root is kept.
  public func replace(with entries: [MountEntry]) {
    var next: [UInt64: Place] = [:]
    for entry in entries {
      let key = UInt64(entry.major) << 32 | UInt64(entry.minor)
      if next[key] != nil, entry.root != [0x2f] { continue }
      next[key] = Place(type: entry.type, mountPoint: entry.mountPoint)
    }
    places.withLock { $0 = next }
  }
}
