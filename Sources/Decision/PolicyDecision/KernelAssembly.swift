// Owns the way from formulas to steps: short-circuit jumps, all of them forward.
// It must not know attributes or rules.

internal import AccessModel

/// Steps as they are written, with ways on that may not be known yet.
struct KernelAssembly {
  /// A place that later steps begin at.
  typealias Label = Int

  private enum Draft {
    case ask(KernelQuestion, unknown: Bool, onTrue: Label, onFalse: Label)
    case verdict(Verdict, KernelReason, rule: Int)
  }

  private var drafts: [Draft] = []
  private var places: [Int] = []

  var count: Int { drafts.count }

  mutating func label() -> Label {
    places.append(-1)
    return places.count - 1
  }

  /// The next step is the label's.
  mutating func bind(_ label: Label) { places[label] = drafts.count }

  mutating func say(_ verdict: Verdict, _ reason: KernelReason, rule: Int) {
    drafts.append(.verdict(verdict, reason, rule: rule))
  }

  /// Asks until the formula is settled. Without negation inside, each unknown question may be taken for the same: for
  /// false, and the formula is true only where it surely is; for true, and it is false only where it surely is.
  mutating func ask(_ formula: KernelFormula, unknownAs value: Bool, onTrue: Label, onFalse: Label) {
    switch formula {
    case .constant(let value): preconditionFailure("\(value) is no question")
    case .question(let question, let isNegated):
      drafts.append(
        .ask(
          question, unknown: value != isNegated, onTrue: isNegated ? onFalse : onTrue,
          onFalse: isNegated ? onTrue : onFalse))
    case .all(let parts):
      for part in parts.dropLast() {
        let next = label()
        ask(part, unknownAs: value, onTrue: next, onFalse: onFalse)
        bind(next)
      }
      if let last = parts.last { ask(last, unknownAs: value, onTrue: onTrue, onFalse: onFalse) }
    case .any(let parts):
      for part in parts.dropLast() {
        let next = label()
        ask(part, unknownAs: value, onTrue: onTrue, onFalse: next)
        bind(next)
      }
      if let last = parts.last { ask(last, unknownAs: value, onTrue: onTrue, onFalse: onFalse) }
    }
  }

  /// Every label must be bound.
  var steps: [KernelStep] {
    drafts.map { draft in
      switch draft {
      case .ask(let question, let unknown, let onTrue, let onFalse):
        .ask(question, unknown: unknown, onTrue: places[onTrue], onFalse: places[onFalse])
      case .verdict(let verdict, let reason, let rule): .verdict(verdict, reason, rule: rule)
      }
    }
  }
}
