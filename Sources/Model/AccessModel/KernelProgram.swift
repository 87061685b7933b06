// Owns rules as the kernel itself can evaluate them: steps that only lead forward, one entry for each mechanism.
// It must not compile rules (PolicyDecision does) nor load them (LSMEnforcement does).

/// Why a step gives its verdict; the raw values are the kernel's side's.
public enum KernelReason: UInt8, CaseIterable, Sendable, Hashable {
  case capability, rule, undecided, `default`
}

/// One step. Both ways out of a question lead to later steps.
public enum KernelStep: Sendable, Hashable {
  /// `unknown` is the answer where a field that is read is not known.
  case ask(KernelQuestion, unknown: Bool, onTrue: Int, onFalse: Int)
  /// `rule` counts from 1; 0 is the default.
  case verdict(Verdict, KernelReason, rule: Int)
}

/// A rule that the kernel cannot be asked to evaluate.
public struct KernelRefusal: Sendable, Hashable {
  public let mechanism: Mechanism
  public let rule: RuleReference
  /// What in it cannot be had in the kernel, as the second half of a sentence that begins with the rule.
  public let why: String

  public init(mechanism: Mechanism, rule: RuleReference, why: String) {
    self.mechanism = mechanism
    self.rule = rule
    self.why = why
  }
}

/// The rules of the mechanisms whose doors are system calls. A mechanism with a refusal has no entry: other means must
/// sense it.
public struct KernelProgram: Sendable {
  public let steps: [KernelStep]
  /// The first step of each mechanism that has a program.
  public let entries: [Mechanism: Int]
  /// In the order of the mechanisms, then of the rules.
  public let refusals: [KernelRefusal]

  /// The kernel's side has room for so many steps.
  public static let stepLimit = 1024

  public init(steps: [KernelStep], entries: [Mechanism: Int], refusals: [KernelRefusal]) {
    self.steps = steps
    self.entries = entries
    self.refusals = refusals
  }

  /// The mechanisms that have a program.
  public var mechanisms: MechanismSet {
    entries.keys.reduce(into: MechanismSet()) { $0.formUnion(MechanismSet($1)) }
  }

  /// What has to be looked up on the host, each once, in the order of the steps.
  public var names: [KernelName] {
    var seen: Set<KernelName> = []
    return steps.compactMap { step in
      guard case .ask(let question, _, _, _) = step, case .name(let name) = question.operand else { return nil }
      return seen.insert(name).inserted ? name : nil
    }
  }
}
