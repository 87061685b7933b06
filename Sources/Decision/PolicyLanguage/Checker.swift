// Owns the types: resolves names, checks that every operator and function fits its operands, and folds constants.
// It must not look at other rules. It goes on after an error; what rests on the erroneous part is not reported again.

internal import AccessModel

struct Checker {
  /// Nil where the rule's own is not known.
  let mechanism: Mechanism?
  var findings: [Finding] = []
  /// The literals that were held against a path, for a later look at them.
  var pathLiterals: [PathLiteral] = []

  /// A rule with more errors is not read to its end.
  private static let findingLimit = 16

  init(_ mechanism: Mechanism?) { self.mechanism = mechanism }

  mutating func report(_ range: Range<Int>, _ message: String, hint: String? = nil) {
    findings.append(Finding(range: range, message: message, hint: hint))
  }

  /// The whole condition; nil where an error was reported.
  mutating func condition(_ syntax: Syntax) -> Expression? {
    guard let expression = check(syntax) else { return nil }
    guard expression.type == .bool else {
      report(syntax.range, "the condition is \(expression.type.phrase), not a bool", hint: "compare it with something")
      return nil
    }
    return expression
  }

  /// The typed and folded form of a part; nil where an error was reported.
  mutating func check(_ syntax: Syntax) -> Expression? {
    guard findings.count < Self.findingLimit else { return nil }
    switch syntax.kind {
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .string(let bytes): return .string(bytes)
    case .list(let elements): return list(elements)
    case .name(let name): return attribute(name, syntax.range)
    case .not(let inner):
      return bool(inner, operator: "!", hint: "write !( ) around a comparison").map { .not($0).folded }
    case .all(let parts): return bools(parts, operator: "&&").map { .all($0).folded }
    case .any(let parts): return bools(parts, operator: "||").map { .any($0).folded }
    case .compare(let comparison, let a, let b): return compare(comparison, a, b, syntax.range)
    case .member(let element, in: let list): return member(element, in: list)
    case .call(let call): return self.call(call, syntax.range)
    }
  }

  private mutating func attribute(_ name: String, _ range: Range<Int>) -> Expression? {
    if let attribute = Attribute(name: name) {
      if let mechanism, !attribute.mechanisms.contains(mechanism) {
        let owners = attribute.mechanisms.members.map(\.name).joined(separator: ", ")
        let hint = Vocabulary.hint(forForeign: attribute, in: mechanism)
        report(range, "\(mechanism.name) has no \(name): it belongs to \(owners)", hint: hint)
        return nil
      }
      return .attribute(attribute)
    }
    if let refusal = Vocabulary.refusal(of: name) {
      report(range, refusal)
      return nil
    }
    report(range, "unknown attribute \(quoted(name))", hint: Vocabulary.hint(forUnknown: name, in: mechanism))
    return nil
  }

  private mutating func bool(_ syntax: Syntax, operator symbol: String, hint: String? = nil) -> Expression? {
    guard let expression = check(syntax) else { return nil }
    guard expression.type == .bool else {
      report(syntax.range, "\(quoted(symbol)) needs a bool; this is \(expression.type.phrase)", hint: hint)
      return nil
    }
    return expression
  }

  private mutating func bools(_ parts: [Syntax], operator symbol: String) -> [Expression]? {
    let checked = parts.compactMap { bool($0, operator: symbol, hint: "compare it with something") }
    return checked.count == parts.count ? checked : nil
  }

  /// A list holds literals of one type.
  private mutating func list(_ elements: [Syntax]) -> Expression? {
    var ints: [Int64] = []
    var strings: [[UInt8]] = []
    for element in elements {
      switch element.kind {
      case .int(let value) where strings.isEmpty: ints.append(value)
      case .string(let bytes) where ints.isEmpty: strings.append(bytes)
      case .int, .string:
        report(element.range, "a list holds ints or strings, not both")
        return nil
      default:
        report(
          element.range, "a list holds numbers and quoted strings only", hint: "join comparisons with || instead")
        return nil
      }
    }
    return strings.isEmpty ? .intList(ints) : .stringList(strings)
  }

  private mutating func compare(
    _ comparison: Comparison, _ a: Syntax, _ b: Syntax, _ range: Range<Int>
  ) -> Expression? {
    let (left, right) = (check(a), check(b))
    guard let left, let right else { return nil }
    guard left.type == right.type else {
      let hint = Self.hint(left, right.type) ?? Self.hint(right, left.type)
      report(range, "\(left.type.phrase) cannot be compared with \(right.type.phrase)", hint: hint)
      return nil
    }
    if left.type == .intList || left.type == .stringList {
      report(range, "lists cannot be compared", hint: "use in, or size( )")
      return nil
    }
    let isEquality = comparison == .equal || comparison == .notEqual
    let isSound = isEquality ? inspect(left, right, b) && inspect(right, left, a) : true
    return isSound ? .compare(comparison, left, right).folded : nil
  }

  private static func hint(_ side: Expression, _ other: ValueType) -> String? {
    switch (side, other) {
    case (.attribute(let attribute), _) where attribute.type == .intList || attribute.type == .stringList:
      "write VALUE in \(attribute.name)"
    case (.attribute(let attribute), _): Vocabulary.hint(comparing: attribute, with: other)
    case (.intList, _), (.stringList, _): "write VALUE in [...]"
    default: nil
    }
  }

  private mutating func member(_ element: Syntax, in list: Syntax) -> Expression? {
    let (value, values) = (check(element), check(list))
    guard let value, let values else { return nil }
    if case .list(let literals) = list.kind {
      // An empty list has the type that its place wants.
      if literals.isEmpty, value.type == .string { return .member(value, in: .stringList([])).folded }
      guard fits(value, values, element, list) else { return nil }
      for literal in literals {
        guard case .string(let bytes) = literal.kind else { break }
        guard inspect(value, .string(bytes), literal) else { return nil }
      }
    } else {
      guard fits(value, values, element, list), inspect(values, value, element) else { return nil }
    }
    return .member(value, in: values).folded
  }

  private mutating func fits(_ value: Expression, _ list: Expression, _ a: Syntax, _ b: Syntax) -> Bool {
    switch (value.type, list.type) {
    case (.int, .intList), (.string, .stringList): return true
    case (_, .intList), (_, .stringList):
      report(a.range, "\(value.type.phrase) cannot be in \(list.type.phrase)")
    default:
      let hint = value.type == .string && list.type == .string ? "write x.contains(y) to look for text" : nil
      report(b.range, "\"in\" needs a list; this is \(list.type.phrase)", hint: hint)
    }
    return false
  }

  /// Looks at a literal that is held against an attribute: one that can never be its value is an error.
  mutating func inspect(_ side: Expression, _ other: Expression, _ literal: Syntax, isPrefix: Bool = false) -> Bool {
    guard case .attribute(let attribute) = side, case .string(let bytes) = other else { return true }
    if attribute.isPath {
      pathLiterals.append(PathLiteral(attribute: attribute, bytes: bytes, isPrefix: isPrefix, range: literal.range))
    }
    if attribute == .objectSHA256, let fault = Vocabulary.fault(ofDigest: bytes, isPrefix: isPrefix) {
      report(literal.range, fault.message, hint: fault.hint)
      return false
    }
    guard !isPrefix, let values = Vocabulary.values(of: attribute, in: mechanism) else { return true }
    let word = String(decoding: bytes, as: UTF8.self)
    if values.contains(word) { return true }
    let refusal = Vocabulary.refusal(ofValue: quoted(bytes), of: attribute, among: values)
    report(literal.range, refusal.message, hint: Suggestion.sentence(for: word, among: values) ?? refusal.hint)
    return false
  }
}
