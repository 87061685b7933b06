// Owns how many records each rule, or each reason without a rule, may cause; pure, under a time that is given.
// It must not read a clock, log or allocate in `admit`: that is called on the answer path.

internal import AccessModel

/// Token buckets, one a rule and one a (mechanism, reason). A bucket is kept as the time at which it would be full
/// again (the generic cell rate algorithm), so that it needs no refilling.
struct RateLimiter: Sendable {
  struct Suppressed: Sendable {
    let sample: Decision
    let count: UInt64
  }

  private struct Bucket {
    var fullAgain: UInt64 = 0
    var suppressed: UInt64 = 0
    var sample: Decision?
  }

  private(set) var totalSuppressed: UInt64 = 0
  private var buckets: [Bucket]
  private var hasSuppressed = false
  private var latest: UInt64 = 0
  /// Suppressed under the policy before, and not yet taken.
  private var fromBefore: [Suppressed] = []
  /// Nanoseconds that one record costs.
  private var cost: UInt64 = 0
  /// Nanoseconds of debt up to which a record passes.
  private var tolerance: UInt64 = .max

  /// off, capability, default, and each failure.
  private static let reasonsWithoutRule = 3 + Failure.allCases.count
  private static let fixedBuckets = Mechanism.allCases.count * reasonsWithoutRule

  init(limit: RateLimit?, ruleCount: Int) {
    buckets = Array(repeating: Bucket(), count: Self.fixedBuckets + 1 + max(0, ruleCount))
    setLimit(limit)
  }

  mutating func setLimit(_ limit: RateLimit?) {
    (cost, tolerance) = (0, .max)
    guard let limit else { return }
    cost = 1_000_000_000 / limit.perSecond
    let (debt, overflow) = (limit.burst - 1).multipliedReportingOverflow(by: cost)
    tolerance = overflow ? .max : debt
  }

  /// Whether the decision may be recorded at this time (CLOCK_MONOTONIC, nanoseconds); counted if not.
  mutating func admit(_ decision: Decision, now: UInt64) -> Bool {
    // Threads read the clock before they take turns here: time must not run backwards between two of them.
    latest = max(latest, now)
    let now = latest
    let index = bucketIndex(of: decision)
    let start = max(buckets[index].fullAgain, now)
    if start - now <= tolerance {
      buckets[index].fullAgain = start &+ cost
      return true
    }
    buckets[index].suppressed += 1
    buckets[index].sample = decision
    totalSuppressed += 1
    hasSuppressed = true
    return false
  }

  /// What was suppressed since the last call.
  mutating func takeSuppressed() -> [Suppressed] {
    guard hasSuppressed else { return [] }
    hasSuppressed = false
    var taken = fromBefore
    fromBefore = []
    for index in buckets.indices {
      guard let sample = buckets[index].sample else { continue }
      taken.append(Suppressed(sample: sample, count: buckets[index].suppressed))
      buckets[index].suppressed = 0
      buckets[index].sample = nil
    }
    return taken
  }

  /// Takes over what the limiter before this one has counted.
  mutating func follow(_ previous: inout RateLimiter) {
    totalSuppressed = previous.totalSuppressed
    fromBefore = previous.takeSuppressed()
    hasSuppressed = !fromBefore.isEmpty
  }

  /// The rules come after the reasons; between them one bucket for rules of a policy that is just being replaced.
  private func bucketIndex(of decision: Decision) -> Int {
    if let rule = decision.reason.rule {
      let index = Self.fixedBuckets + 1 + rule.index
      return rule.index >= 0 && index < buckets.count ? index : Self.fixedBuckets
    }
    let base = Int(decision.mechanism.rawValue) * Self.reasonsWithoutRule
    switch decision.reason {
    case .off: return base
    case .capability: return base + 1
    case .default, .rule, .undecided: return base + 2
    case .failure(let failure): return base + 3 + Int(failure.rawValue)
    }
  }
}
