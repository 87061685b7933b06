// Owns the question whether a rule is undecided for want of a trust database: then `on_failure` answers, not the rule.
// It must not ask a database: it tries both answers that one could give.

internal import AccessModel

extension Policy {
  /// Whether an undecided rule would speak under one of the database's answers and be silent under the other. Where it
  /// is undecided for another reason as well, as a path that is not verified, the database may make no difference.
  func failsForTrust(_ rule: CompiledRule, _ facts: Facts) -> Bool {
    guard facts.trustIsUnavailable, rule.readsTrust else { return false }
    let (trusted, unknown) = (speaks(rule, assuming: .trusted, facts), speaks(rule, assuming: .unknown, facts))
    return trusted == nil || trusted != unknown
  }

  /// Nil where that needs further facts.
  private func speaks(_ rule: CompiledRule, assuming trust: TrustState, _ facts: Facts) -> Bool? {
    switch facts.assuming(trust, { program.evaluate(rule.condition, facts) }) {
    case .yes: true
    case .no: false
    case .undecided: rule.verdict == .deny
    case .needs: nil
    }
  }
}
