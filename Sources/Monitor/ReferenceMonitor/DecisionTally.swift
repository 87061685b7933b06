// Owns the counts of decisions by mechanism, verdict and reason, and the distribution of answer times.
// It must not allocate or lock: it is on the answer path.

public import AccessModel
internal import Synchronization

/// Counts since start. Shared by all threads.
public final class DecisionTally: Sendable {
  /// One line of the table.
  public struct Count: Sendable, Hashable {
    public var mechanism: Mechanism
    public var verdict: Verdict
    public var mode: Mode
    /// The reason's name, or for a failure the failure's.
    public var reason: String
    public var count: UInt64
  }

  private static let reasons = ["off", "capability", "rule", "undecided", "default"] + Failure.allCases.map(\.name)
  private static let slots = Mechanism.allCases.count * 2 * 2 * reasons.count

  private let counts: CounterArray
  private let data: CounterArray
  private let times: [LatencyHistogram]

  public init() {
    counts = CounterArray(count: Self.slots)
    data = CounterArray(count: Mechanism.allCases.count)
    times = Mechanism.allCases.map { _ in LatencyHistogram() }
  }

  /// A decision that nobody waited for: the kernel made it by itself.
  public func count(_ decision: Decision) {
    counts.add(
      Self.slot(
        decision.mechanism, decision.verdict, enforced: decision.mode == .enforce, Self.index(of: decision.reason)))
  }

  public func count(_ decision: Decision, nanoseconds: UInt64) {
    count(decision)
    times[Int(decision.mechanism.rawValue)].record(nanoseconds)
  }

  /// Counts an opened file that is data.
  public func countData(_ mechanism: Mechanism, nanoseconds: UInt64) {
    data.add(Int(mechanism.rawValue))
    times[Int(mechanism.rawValue)].record(nanoseconds)
  }

  /// Every count that is not zero.
  public var decisions: [Count] {
    var lines: [Count] = []
    for mechanism in Mechanism.allCases {
      for verdict in Verdict.allCases {
        for enforced in [false, true] {
          for (index, reason) in Self.reasons.enumerated() {
            let count = counts.value(Self.slot(mechanism, verdict, enforced: enforced, index))
            if count == 0 { continue }
            lines.append(
              Count(
                mechanism: mechanism, verdict: verdict, mode: enforced ? .enforce : .audit, reason: reason,
                count: count))
          }
        }
      }
    }
    return lines
  }

  public func dataPassed(_ mechanism: Mechanism) -> UInt64 { data.value(Int(mechanism.rawValue)) }
  public func answerTimes(_ mechanism: Mechanism) -> LatencyHistogram.Summary {
    times[Int(mechanism.rawValue)].summary
  }

  private static func slot(_ mechanism: Mechanism, _ verdict: Verdict, enforced: Bool, _ reason: Int) -> Int {
    ((Int(mechanism.rawValue) * 2 + Int(verdict.rawValue)) * 2 + (enforced ? 1 : 0)) * reasons.count + reason
  }

  private static func index(of reason: Reason) -> Int {
    switch reason {
    case .off: 0
    case .capability: 1
    case .rule: 2
    case .undecided: 3
    case .default: 4
    case .failure(let failure): 5 + Int(failure.rawValue)
    }
  }
}
