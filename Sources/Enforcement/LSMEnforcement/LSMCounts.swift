// Owns what the kernel's programs counted, in the words of the model.
// It must not count anything itself.

public import AccessModel
internal import CBPFLSM

/// Counts since the programs were loaded.
public struct LSMCounts: Sendable, Hashable {
  public struct Allowed: Sendable, Hashable {
    public var mechanism: Mechanism
    /// The name of a `Reason`.
    public var reason: String
    public var count: UInt64
  }

  /// What passed, most of which is no event: denials are, each.
  public var allowed: [Allowed] = []
  /// Decisions that were carried out and whose records are lost: the ring buffer was full.
  public var lostEvents: UInt64
  /// Calls that passed since no policy was found: a defect of Lilium's own.
  public var withoutPolicy: UInt64
  /// Events that could not be read: a defect, too.
  public var malformed: UInt64

  private static let reasons = ["capability", "rule", "undecided", "default"]

  init(_ tally: lil_tally, malformed: UInt64) {
    let numbers = unsafe withUnsafeBytes(of: tally) { unsafe Array($0.bindMemory(to: UInt64.self)) }
    let ofMechanism = 2 * Self.reasons.count
    lostEvents = numbers[Mechanism.allCases.count * ofMechanism + Int(LIL_LOST_EVENTS.rawValue)]
    withoutPolicy = numbers[Mechanism.allCases.count * ofMechanism + Int(LIL_NO_POLICY.rawValue)]
    self.malformed = malformed
    for mechanism in Mechanism.allCases {
      for (index, reason) in Self.reasons.enumerated() {
        let count = numbers[Int(mechanism.rawValue) * ofMechanism + index]
        if count > 0 { allowed.append(Allowed(mechanism: mechanism, reason: reason, count: count)) }
      }
    }
  }
}
