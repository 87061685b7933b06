// Owns the slow, telling form of a decision: what became of each rule that was tried.
// It must come to the same end as `decide`; it may allocate.

public import AccessModel
internal import PolicyLanguage

/// One rule that was tried.
public struct TraceStep: Sendable, Hashable {
  public enum Result: Sendable, Hashable {
    case matched
    case notMatched
    /// A deny rule matches so, an allow rule does not.
    case undecided
    /// Groups that were not fetched; the trace ends here.
    case needs(FactSet)
    /// The rule cannot be decided for this failure, which `on_failure` answers; the trace ends here.
    case failed(Failure)
  }

  public let rule: RuleReference
  public let verdict: Verdict
  public let result: Result
  /// The attributes in the rule whose values cannot be known or believed.
  public let undecided: [Attribute]
}

extension Policy {
  /// The rules of a mechanism as they are tried on these facts, up to the one that speaks. Settings have no say here.
  public func trace(_ mechanism: Mechanism, _ facts: Facts) -> [TraceStep] {
    var steps: [TraceStep] = []
    for rule in program.rules(of: mechanism) {
      let truth = program.evaluate(rule.condition, facts)
      let attributes = rules.rules[rule.reference.index].attributes
      let undecided = attributes.filter { program.availability(of: $0, facts) == .undecided }
      let result: TraceStep.Result =
        switch truth {
        case .yes: .matched
        case .no: .notMatched
        case .undecided: trustFailure(deciding: rule, facts).map { .failed($0) } ?? .undecided
        case .needs(let groups): .needs(groups)
        }
      steps.append(TraceStep(rule: rule.reference, verdict: rule.verdict, result: result, undecided: undecided))
      switch result {
      case .matched, .needs, .failed: return steps
      case .undecided where rule.verdict == .deny: return steps
      case .notMatched, .undecided: continue
      }
    }
    return steps
  }
}
