// Owns how many processes the host has made, by which one can tell that a process number has not come round.
// It must not be asked often: the kernel writes all of /proc/stat for one line.

internal import Synchronization
internal import SystemCalls

/// The kernel's count of processes and threads since boot (proc_stat(5), `processes`).
final class ForkMeter: Sendable {
  private struct Sample {
    var time: Int64 = .min
    var count: UInt64?
  }

  private let last = Mutex(Sample())
  private static let lifetime: Int64 = 1_000_000_000

  /// A count that was true within the last second: never more than there are now.
  var recent: UInt64? {
    let now = Clock.sinceBoot()
    let sample = last.withLock { $0 }
    if sample.time > now - Self.lifetime { return sample.count }
    let count = current
    last.withLock { $0 = Sample(time: now, count: count) }
    return count
  }

  /// The count now; nil where the kernel does not tell.
  var current: UInt64? {
    guard let text = try? Descriptor.open("/proc/stat", 0).readAll(limit: 4 << 20) else { return nil }
    return Self.count(in: text)
  }

  static func count(in text: [UInt8]) -> UInt64? {
    for line in text.split(separator: UInt8(ascii: "\n")).reversed() where line.starts(with: "processes ".utf8) {
      return UInt64(String(decoding: line.dropFirst("processes ".utf8.count), as: UTF8.self))
    }
    return nil
  }
}
