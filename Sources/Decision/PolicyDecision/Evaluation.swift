// Owns the meaning of compiled conditions: three-valued, as CEL's error semantics say, and lazy in the facts.
// It must not allocate, fetch or convert bytes to a String.

internal import AccessModel
internal import PolicyLanguage
internal import RegularExpression

extension Program {
  /// Evaluates a bool node. Recursion is bounded by the language's depth limit.
  func evaluate(_ index: NodeIndex, _ facts: Facts) -> Truth {
    switch nodes[Int(index)] {
    case .bool(let value): Truth(value)
    case .flag(let attribute): flag(attribute, facts)
    case .not(let inner): negation(of: evaluate(inner, facts))
    case .all(let parts): combination(parts, settledBy: .no, facts)
    case .any(let parts): combination(parts, settledBy: .yes, facts)
    case .compareBools(let comparison, let a, let b): compareBools(comparison, a, b, facts)
    case .compareInts(let comparison, let a, let b): compareInts(comparison, a, b, facts)
    case .compareTexts(let comparison, let a, let b):
      texts(a, b, facts) { comparison.holds(Text.order($0, $1)) }
    case .intIn(let element, let list): int(element, in: list, facts)
    case .textIn(let element, let list): text(element, in: list, facts)
    case .intInAttribute(let element, let list): int(element, in: list, facts)
    case .textInAttribute(let element, let list): text(element, in: list, facts)
    case .capability(let capability, in: let list): holds(capability, list, facts)
    case .text(.startsWith, let text, let part): texts(text, part, facts) { Text.starts($0, with: $1) }
    case .text(.endsWith, let text, let part): texts(text, part, facts) { Text.ends($0, with: $1) }
    case .text(.contains, let text, let part): texts(text, part, facts) { Text.contains($0, $1) }
    case .matches(let operand, let pattern): matches(operand, pattern, facts)
    }
  }

  private func negation(of truth: Truth) -> Truth {
    switch truth {
    case .yes: .no
    case .no: .yes
    case .undecided, .needs: truth
    }
  }

  /// `&&` is settled by false, `||` by true. An undecided operand waits for one that settles, on either side of it;
  /// a missing fact ends the walk, so that what lies to its right is asked for only when it matters.
  private func combination(_ parts: Slice, settledBy end: Truth, _ facts: Facts) -> Truth {
    var isUndecided = false
    for index in parts.range {
      let truth = evaluate(children[index], facts)
      if truth == end { return truth }
      if case .needs = truth { return truth }
      if truth == .undecided { isUndecided = true }
    }
    if isUndecided { return .undecided }
    return end == .yes ? .no : .yes
  }

  private func flag(_ attribute: Attribute, _ facts: Facts) -> Truth {
    let availability = availability(of: attribute, facts)
    return availability == .yes ? Truth(flagValue(attribute, facts)) : availability
  }

  private func compareBools(_ comparison: Comparison, _ a: NodeIndex, _ b: NodeIndex, _ facts: Facts) -> Truth {
    let a = evaluate(a, facts)
    let b = evaluate(b, facts)
    guard a == .yes || a == .no, b == .yes || b == .no else { return strict(a, b) }
    return Truth(comparison.holds((a == .yes ? 1 : 0) - (b == .yes ? 1 : 0)))
  }

  /// What a strict operator makes of operands of which at least one has no value.
  private func strict(_ a: Truth, _ b: Truth) -> Truth {
    both(a == .no ? .yes : a, b == .no ? .yes : b)
  }

  private func compareInts(_ comparison: Comparison, _ a: IntOperand, _ b: IntOperand, _ facts: Facts) -> Truth {
    let availability = both(availability(of: a, facts), availability(of: b, facts))
    guard availability == .yes else { return availability }
    let (a, b) = (intValue(a, facts), intValue(b, facts))
    return Truth(comparison.holds(a < b ? -1 : a > b ? 1 : 0))
  }

  private func texts(
    _ a: TextOperand, _ b: TextOperand, _ facts: Facts, _ test: (Span<UInt8>, Span<UInt8>) -> Bool
  ) -> Truth {
    let availability = both(availability(of: a, facts), availability(of: b, facts))
    guard availability == .yes else { return availability }
    return withText(a, facts) { a in withText(b, facts) { b in Truth(test(a, b)) } }
  }

  private func matches(_ operand: TextOperand, _ pattern: ExpressionIndex, _ facts: Facts) -> Truth {
    let availability = availability(of: operand, facts)
    guard availability == .yes else { return availability }
    return withText(operand, facts) { Truth(expressions[Int(pattern)].matches($0)) }
  }
}
