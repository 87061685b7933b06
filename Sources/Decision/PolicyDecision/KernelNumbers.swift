// Owns comparisons of numbers by questions that compare as signed, exact for numbers of 64 bits as well.
// It must not know attributes.

internal import AccessModel
internal import PolicyLanguage

enum KernelNumbers {
  static func equal(_ field: KernelField, _ value: Int64) -> KernelFormula {
    field.isWide && value < 0 ? .never(field) : .ask(.equal, field, constant(value))
  }

  static func compare(_ comparison: Comparison, _ field: KernelField, _ value: Int64) -> KernelFormula {
    switch comparison {
    case .equal: equal(field, value)
    case .notEqual: equal(field, value).negated
    case .less: below(.less, field, value)
    case .lessOrEqual: below(.lessOrEqual, field, value)
    case .greater: below(.lessOrEqual, field, value).negated
    case .greaterOrEqual: below(.less, field, value).negated
    }
  }

  static func compare(_ comparison: Comparison, _ a: KernelField, _ b: KernelField) -> KernelFormula {
    switch comparison {
    case .equal: .ask(.equal, a, .field(b))
    case .notEqual: .ask(.equal, a, .field(b)).negated
    case .less: less(a, b)
    case .lessOrEqual: less(b, a).negated
    case .greater: less(b, a)
    case .greaterOrEqual: less(a, b).negated
    }
  }

  /// A wide number that reads as negative is larger than any that a rule can write.
  private static func below(_ test: KernelTest, _ field: KernelField, _ value: Int64) -> KernelFormula {
    let plain = KernelFormula.ask(test, field, constant(value))
    guard field.isWide else { return plain }
    return value < 0 ? .never(field) : .conjunction([plain, isNegative(field).negated])
  }

  /// Of two numbers of which one reads as negative, the other is the smaller one; else they compare as they read.
  private static func less(_ a: KernelField, _ b: KernelField) -> KernelFormula {
    let plain = KernelFormula.ask(.less, a, .field(b))
    guard a.isWide || b.isWide else { return plain }
    let (high, otherHigh) = (isNegative(a), isNegative(b))
    let isAlike = KernelFormula.compare(.equal, high, otherHigh)
    return .disjunction([.conjunction([isAlike, plain]), .conjunction([isAlike.negated, otherHigh])])
  }

  private static func isNegative(_ field: KernelField) -> KernelFormula { .ask(.less, field, .constant(0)) }

  private static func constant(_ value: Int64) -> KernelOperand { .constant(UInt64(bitPattern: value)) }
}
