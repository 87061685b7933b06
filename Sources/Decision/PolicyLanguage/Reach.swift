// Owns the question whether a rule can ever speak, given those before it.
// It must not compare what conditions mean: it sees constants and equal texts.

internal import AccessModel

/// The rules seen so far, as far as they can keep later ones from speaking.
struct Reach {
  /// The first rule of each mechanism that always matches.
  private var ends: [Mechanism: RuleReference] = [:]
  private var seen: [Condition: [(verdict: Verdict, rule: RuleReference)]] = [:]

  /// A condition as written, its spaces and comments apart.
  private struct Condition: Hashable {
    let mechanism: Mechanism
    let words: String
  }

  /// What is to be said about a rule; it counts for those after it.
  mutating func warnings(
    about rule: Rule, _ tokens: [Token], _ condition: Range<Int>?, _ text: SourceText
  ) -> [Finding] {
    let whole = tokens[0].range.lowerBound..<(tokens.last?.range.upperBound ?? 0)
    var warnings: [Finding] = []
    if let end = ends[rule.mechanism] {
      warnings.append(
        Finding(range: whole, message: "this rule is never reached: \(end.name) always matches", hint: nil))
    } else if let twin = twin(of: rule, tokens, text) {
      warnings.append(Finding(range: whole, message: "\(twin.name) has the same condition and speaks first", hint: nil))
    }
    if case .bool(let value) = rule.condition, let condition {
      let hint = value ? "leave it out" : "the rule never matches"
      warnings.append(Finding(range: condition, message: "the condition is always \(value)", hint: hint))
    }
    if rule.alwaysMatches, ends[rule.mechanism] == nil { ends[rule.mechanism] = rule.reference }
    return warnings
  }

  /// An earlier rule with the same condition that leaves this one nothing to say. After an allow rule a deny rule still
  /// has something: it holds where the condition is undecided.
  private mutating func twin(of rule: Rule, _ tokens: [Token], _ text: SourceText) -> RuleReference? {
    guard !rule.alwaysMatches else { return nil }
    let words = tokens.dropFirst(3).map { text.string($0.range) }.joined(separator: " ")
    let key = Condition(mechanism: rule.mechanism, words: words)
    let twin = seen[key]?.first { $0.verdict == rule.verdict || $0.verdict == .deny }
    seen[key, default: []].append((rule.verdict, rule.reference))
    return twin?.rule
  }
}

extension Rule {
  fileprivate var alwaysMatches: Bool {
    switch condition {
    case nil, .bool(true): true
    default: false
    }
  }
}
