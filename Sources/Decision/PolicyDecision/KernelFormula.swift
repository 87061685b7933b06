// Owns a condition as questions that the kernel can answer, joined by "all" and "any" alone: negation stands at the
// questions.
// It must not know attributes. What it does is sound in Kleene's logic, where a value may be unknown.

internal import AccessModel
internal import PolicyLanguage

/// A condition without negation, but of single questions. Constants stand at the top only.
indirect enum KernelFormula {
  case constant(Bool)
  case question(KernelQuestion, isNegated: Bool)
  case all([KernelFormula])
  case any([KernelFormula])

  static func ask(_ test: KernelTest, _ field: KernelField, _ operand: KernelOperand) -> KernelFormula {
    .question(KernelQuestion(test, field, operand), isNegated: false)
  }

  /// No, where the field is known.
  static func never(_ field: KernelField) -> KernelFormula { .question(.never(field), isNegated: false) }

  /// True where all are: false settles it, whatever the others are.
  static func conjunction(_ parts: [KernelFormula]) -> KernelFormula {
    fold(parts, settledBy: false) { .all($0) }
  }

  /// True where one is: true settles it.
  static func disjunction(_ parts: [KernelFormula]) -> KernelFormula {
    fold(parts, settledBy: true) { .any($0) }
  }

  private static func fold(
    _ parts: [KernelFormula], settledBy end: Bool, _ combine: ([KernelFormula]) -> KernelFormula
  ) -> KernelFormula {
    var rest: [KernelFormula] = []
    for part in parts {
      guard case .constant(let value) = part else {
        rest.append(part)
        continue
      }
      if value == end { return .constant(end) }
    }
    switch rest.count {
    case 0: return .constant(!end)
    case 1: return rest[0]
    default: return combine(rest)
    }
  }

  var negated: KernelFormula {
    switch self {
    case .constant(let value): .constant(!value)
    case .question(let question, let isNegated): .question(question, isNegated: !isNegated)
    case .all(let parts): .any(parts.map(\.negated))
    case .any(let parts): .all(parts.map(\.negated))
    }
  }

  /// How many questions it has.
  var count: Int {
    switch self {
    case .constant: 0
    case .question: 1
    case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.count }
    }
  }

  /// Whether some question reads what may not be known.
  var mayBeUnknown: Bool {
    switch self {
    case .constant: return false
    case .question(let question, _):
      if case .field(let other) = question.operand, !other.isAlwaysKnown { return true }
      return !question.field.isAlwaysKnown
    case .all(let parts), .any(let parts): return parts.contains(where: \.mayBeUnknown)
    }
  }
}

extension KernelFormula {
  /// Whether two conditions compare so. As every operator does, it has no value where one of them has none, even where
  /// the other alone would settle it.
  static func compare(_ comparison: Comparison, _ a: KernelFormula, _ b: KernelFormula) -> KernelFormula {
    switch comparison {
    case .equal: .disjunction([.conjunction([a, b]), .conjunction([a.negated, b.negated])])
    case .notEqual: .disjunction([.conjunction([a, b.negated]), .conjunction([a.negated, b])])
    case .less: .disjunction([.conjunction([a.negated, b]), a.unknown, b.unknown])
    case .greaterOrEqual: compare(.less, a, b).negated
    case .greater: compare(.less, b, a)
    case .lessOrEqual: compare(.less, b, a).negated
    }
  }

  /// Unknown where the condition is, else false.
  private var unknown: KernelFormula { .conjunction([self, negated]) }
}
