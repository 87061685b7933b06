// Owns a distribution of durations: 16 steps to each doubling, so a percentile is right to about 6 %.
// It must not allocate or lock when it records.

/// Durations in nanoseconds up to about 18 minutes; longer ones count as the longest.
public final class LatencyHistogram: Sendable {
  public struct Summary: Sendable, Hashable {
    public var count: UInt64 = 0
    /// In nanoseconds.
    public var p50: UInt64 = 0
    public var p90: UInt64 = 0
    public var p99: UInt64 = 0
    public var longest: UInt64 = 0
    public init() {}
  }

  private static let steps = 16
  private static let buckets = 16 * 37

  private let counts = CounterArray(count: buckets)

  public init() {}

  public func record(_ nanoseconds: UInt64) { counts.add(Self.bucket(nanoseconds)) }

  public var summary: Summary {
    let values = (0..<Self.buckets).map(counts.value)
    let total = values.reduce(0, +)
    var summary = Summary()
    summary.count = total
    guard total > 0 else { return summary }
    var seen: UInt64 = 0
    for (bucket, value) in values.enumerated() where value > 0 {
      let before = seen
      seen += value
      let upper = Self.upperBound(bucket)
      if before * 2 < total, seen * 2 >= total { summary.p50 = upper }
      if before * 10 < total * 9, seen * 10 >= total * 9 { summary.p90 = upper }
      if before * 100 < total * 99, seen * 100 >= total * 99 { summary.p99 = upper }
      summary.longest = upper
    }
    return summary
  }

  /// Below 16 one bucket a value; above, the four bits behind the highest one choose the step.
  static func bucket(_ value: UInt64) -> Int {
    if value < 16 { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    let step = Int(value >> UInt64(exponent - 4)) & (steps - 1)
    return min((exponent - 3) * steps + step, buckets - 1)
  }

  static func upperBound(_ bucket: Int) -> UInt64 {
    if bucket < 16 { return UInt64(bucket) }
    let exponent = bucket / steps + 3
    let step = UInt64(bucket % steps)
    return (16 + step + 1) << UInt64(exponent - 4) &- 1
  }
}
