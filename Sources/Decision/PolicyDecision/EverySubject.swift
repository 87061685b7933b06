// Owns the proof that a decision rests on the object alone: what may be handed to the kernel as its own answer.
// It must not guess: where a subject could make a difference, or the object could change unseen, there is none.

public import AccessModel
internal import PolicyLanguage

extension Policy {
  /// What every subject gets for this object, however it is opened or executed; nil where that may differ, and for
  /// mechanisms other than `exec`. Whether the object is code or data is not asked: the decision holds for code, and
  /// data passes. `needs` names groups of facts about the object only. Allocates nothing.
  ///
  /// The rules are evaluated with all that concerns the subject undecided. A condition that comes out true or false all
  /// the same does so for each value that those facts can have, known or not: CEL's operators let no operand that they
  /// needed be undecided. So an earlier rule that is false is false for everybody, and one that is undecided ends the
  /// proof.
  public func decideForEverySubject(_ mechanism: Mechanism, _ facts: Facts) -> Outcome? {
    let settings = settings[mechanism]
    guard mechanism == .exec, settings.mode != .off else { return nil }
    let rules = program.rules(of: mechanism)
    for index in rules.indices {
      if rules[index].readsSurroundings { return nil }
      switch facts.withoutSubject({ program.evaluate(rules[index].condition, facts) }) {
      case .no: continue
      case .yes: return outcome(mechanism, settings, rules[index].verdict, .rule(rules[index].reference))
      case .undecided: return nil
      case .needs(let groups): return .needs(groups)
      }
    }
    return outcome(mechanism, settings, settings.defaultVerdict, .default)
  }
}
