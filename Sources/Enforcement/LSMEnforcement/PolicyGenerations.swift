// Owns which rules a policy had that the kernel decided by: an event names a rule by its number in its own policy.
// It must not keep more than the last few: events are read within moments.

public import AccessModel
internal import Synchronization

/// The rules of the policies that the kernel was given last. Thread-safe.
public final class PolicyGenerations: Sendable {
  private static let most = 16
  private let kept = Mutex<[(generation: UInt64, rules: [RuleReference])]>([])

  public init() {}

  /// Before the kernel gets the policy. `rules` stand in their order, so that the first has the number 1.
  public func keep(_ rules: [RuleReference], as generation: UInt64) {
    kept.withLock { kept in
      kept.removeAll { $0.generation == generation }
      if kept.count == Self.most { kept.removeFirst() }
      kept.append((generation, rules))
    }
  }

  /// The rule with this number, counted from 1. Of a policy that is not known, as that of a daemon before this one, it
  /// has no file: the number stands in the place of the line.
  public func rule(_ number: UInt32, of generation: UInt64) -> RuleReference {
    let index = Int(number) - 1
    let rules = kept.withLock { $0.last { $0.generation == generation }?.rules } ?? []
    if rules.indices.contains(index) { return rules[index] }
    return RuleReference(file: "(earlier policy)", path: "", line: Int(number), text: "", index: index)
  }
}
