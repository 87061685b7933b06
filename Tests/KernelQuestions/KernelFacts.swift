// Owns the facts of one request as the kernel's side has them, and what the steps of a program say to them.
// It must not know rules: it follows the steps as their description says, a second opinion beside the kernel's.

public import AccessModel

/// Facts by field; what is not known is absent.
public struct KernelFacts: Sendable {
  private var values: [UInt64?] = KernelField.allCases.map { _ in nil }

  public init() {}

  public subscript(field: KernelField) -> UInt64? {
    get { values[Int(field.rawValue)] }
    set { values[Int(field.rawValue)] = newValue }
  }
}

/// What the kernel's side says to a request.
public struct KernelOutcome: Sendable, Hashable {
  public var verdict: Verdict
  public var reason: KernelReason
  /// From 1; 0 where no rule spoke.
  public var rule: Int

  public init(_ verdict: Verdict, _ reason: KernelReason, rule: Int = 0) {
    self.verdict = verdict
    self.reason = reason
    self.rule = rule
  }

  /// What `decide` said; nil where the kernel has no word for it.
  public init?(_ decision: Decision) {
    switch decision.reason {
    case .capability: self.init(decision.verdict, .capability)
    case .rule(let rule): self.init(decision.verdict, .rule, rule: rule.index + 1)
    case .undecided(let rule): self.init(decision.verdict, .undecided, rule: rule.index + 1)
    case .default: self.init(decision.verdict, .default)
    case .off, .failure: return nil
    }
  }
}

extension KernelProgram {
  /// Follows the steps. Nil where they lead nowhere or back.
  public func outcome(_ mechanism: Mechanism, _ facts: KernelFacts, _ names: NameBook) -> KernelOutcome? {
    guard var place = entries[mechanism] else { return nil }
    while steps.indices.contains(place) {
      switch steps[place] {
      case .verdict(let verdict, let reason, let rule): return KernelOutcome(verdict, reason, rule: rule)
      case .ask(let question, let unknown, let onTrue, let onFalse):
        let next = question.answer(facts, names) ?? unknown ? onTrue : onFalse
        guard next > place else { return nil }
        place = next
      }
    }
    return nil
  }
}

extension KernelQuestion {
  /// Nil where a field is not known.
  fileprivate func answer(_ facts: KernelFacts, _ names: NameBook) -> Bool? {
    guard let value = facts[field] else { return nil }
    switch operand {
    case .constant(let constant): return test.holds(value, constant)
    case .field(let other): return facts[other].map { test.holds(value, $0) }
    case .name(let name): return names.number(name).map { test.holds(value, $0) } ?? false
    }
  }
}
