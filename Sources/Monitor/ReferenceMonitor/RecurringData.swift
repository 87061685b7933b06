// Owns which files of data come again: only for those it pays to find out whether the kernel may remember the answer.
// It must not decide anything: what it forgets or mixes up costs time, never a verdict.

internal import AccessModel
internal import Synchronization

/// A table of fixed size, one place for each file: the later one drives the earlier one out. Thread-safe.
final class RecurringData: Sendable {
  private static let seen: UInt32 = 1
  private static let hopeless: UInt32 = 2
  private static let states: UInt32 = 3
  /// A power of two.
  private static let places = 32_768
  private let table = Mutex([UInt32](repeating: 0, count: places))

  /// True when the file comes for the second time, or later, and nobody has given it up.
  func comesAgain(_ object: ObjectFacts) -> Bool {
    let (place, tag) = Self.key(object)
    return table.withLock { table in
      let entry = table[place]
      if entry & ~Self.states == tag, entry & Self.states != 0 { return entry & Self.states == Self.seen }
      table[place] = tag | Self.seen
      return false
    }
  }

  /// Nothing comes of it until the file, the policy or the trust in it changes.
  func giveUp(_ object: ObjectFacts) {
    let (place, tag) = Self.key(object)
    table.withLock { $0[place] = tag | Self.hopeless }
  }

  func reset() {
    table.withLock { table in for place in table.indices { table[place] = 0 } }
  }

  private static func key(_ object: ObjectFacts) -> (place: Int, tag: UInt32) {
    var hash = UInt64(object.identity.device.major) << 32 | UInt64(object.identity.device.minor)
    for part in [object.identity.inode, UInt64(bitPattern: object.changeTime), object.size] {
      hash = (hash ^ part) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 29
    }
    return (Int(truncatingIfNeeded: hash) & (places - 1), UInt32(truncatingIfNeeded: hash >> 32) & ~states)
  }
}
