// Owns what becomes of a decision that the kernel made by itself: it is counted and recorded as every other.
// It must not decide again: the policy may be another by now.

public import AccessModel

extension ReferenceMonitor: DecisionRecorder {
  /// Only what the kernel told, and what the enforcement point found out for it, stands in the record: whoever called
  /// may have gone on since, so nothing is fetched.
  public func record(
    _ decision: Decision, effect: Effect, time: Int64, of pid: Int32, on facts: Facts, describe: (Facts) -> Void
  ) {
    // The kernel counts what it allows: most of that is never told.
    if decision.verdict == .deny { tally.count(decision) }
    guard trail.wants(decision) else { return }
    facts.begin(pid: pid, operation: .call)
    describe(facts)
    facts.decidingRule = decision.reason.rule.map { UInt32(clamping: $0.index + 1) } ?? 0
    trail.append(TrailEntry(decision: decision, effect: effect, time: time, answerNanoseconds: nil, facts: facts))
  }
}
