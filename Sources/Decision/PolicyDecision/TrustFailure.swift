// Owns the question whether a rule is undecided only because content could not be judged: no database, no thread, no
// lease, nothing to read. Then `on_failure` answers, not the rule.
// It must not ask a database: it tries both answers that one could give.

internal import AccessModel

extension Policy {
  /// Why the content could not be judged, where an undecided rule would speak under one judgement and be silent under
  /// the other. Where it is undecided for another reason as well, as a path that is not verified, the judgement may
  /// make no difference: then nil. So it is where the file has no path or status that can be read: who makes a file can
  /// see to that, by a path too long or a file system of his own, and shall not choose `on_failure` by it.
  func trustFailure(deciding rule: CompiledRule, _ facts: Facts) -> Failure? {
    guard let failure = facts.trustFailure, rule.readsTrust,
      !facts.failed.contains(.objectStatus), !facts.failed.contains(.objectPath)
    else { return nil }
    let (trusted, unknown) = (speaks(rule, assuming: .trusted, facts), speaks(rule, assuming: .unknown, facts))
    return trusted == nil || trusted != unknown ? failure : nil
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
