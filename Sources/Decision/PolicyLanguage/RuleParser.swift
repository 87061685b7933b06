// Owns the grammar of a rule: `allow|deny MECHANISM [when CONDITION]`.
// It must not check types.

internal import AccessModel

/// A rule as far as it could be read.
struct RuleSyntax {
  var verdict: Verdict?
  var mechanism: Mechanism?
  var condition: Syntax?
  /// Whether everything was read without an error.
  var isComplete = true
  var findings: [Finding] = []

  /// Reads a statement that has at least one token.
  init(_ tokens: [Token]) {
    var parser = Parser(tokens)
    do throws(ParseError) {
      try readVerdict(&parser)
      try readMechanism(&parser)
      guard parser.next != nil else { return }
      try readWhen(&parser)
      condition = try parser.parseCondition()
    } catch {
      isComplete = false
      if case .finding(let finding) = error { findings.append(finding) }
    }
  }

  /// A wrong word here is reported, and reading goes on: the rest of the rule may have errors of its own.
  private mutating func readVerdict(_ parser: inout Parser) throws(ParseError) {
    guard case .word(let word)? = parser.next?.kind, let range = parser.next?.range else {
      throw parser.failure("expected allow or deny, found \(parser.nextDescription)")
    }
    verdict = Verdict(name: word)
    if verdict == nil {
      let hint = Suggestion.sentence(for: word, among: Verdict.allCases.map(\.name), limit: 2)
      report(range, "a rule begins with allow or deny, not with \(quoted(word))", hint: hint)
      // A line that does not look like a rule at all has been described well enough.
      guard hint != nil, parser.tokens.count > 1, case .word = parser.tokens[1].kind else { throw .reported }
    }
    parser.advance()
  }

  private mutating func readMechanism(_ parser: inout Parser) throws(ParseError) {
    let names = Mechanism.allCases.map(\.name)
    guard case .word(let word)? = parser.next?.kind, let range = parser.next?.range, word != "when" else {
      throw parser.failure("the mechanism is missing", hint: "one of \(names.joined(separator: ", "))")
    }
    mechanism = Mechanism(name: word)
    if mechanism == nil {
      let hint = Suggestion.sentence(for: word, among: names) ?? "one of \(names.joined(separator: ", "))"
      report(range, "unknown mechanism \(quoted(word))", hint: hint)
    }
    parser.advance()
  }

  private mutating func readWhen(_ parser: inout Parser) throws(ParseError) {
    guard parser.next?.isWord("when") == true else {
      let hint =
        switch parser.next?.kind {
        case .symbol(.comma): "a rule is about one mechanism; write one rule for each"
        case .word("if"): "write when"
        default: "as in: deny exec when object.links == 0"
        }
      throw parser.failure("expected \"when\" or the end of the rule, found \(parser.nextDescription)", hint: hint)
    }
    parser.advance()
    if parser.next == nil {
      throw parser.failure("the condition is missing", hint: "leave out \"when\" for a rule that always matches")
    }
  }

  private mutating func report(_ range: Range<Int>, _ message: String, hint: String?) {
    isComplete = false
    findings.append(Finding(range: range, message: message, hint: hint))
  }
}
