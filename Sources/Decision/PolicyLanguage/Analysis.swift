// Owns the way from rule files to a rule set and everything that is to be said about them.
// It must not hide one rule's errors behind another's: each rule is read by itself.

internal import AccessModel

struct Analysis {
  private var rules: [Rule] = []
  private var diagnostics: [Diagnostic] = []
  private var reach = Reach()

  /// Further findings of the same file are counted, not shown.
  private static let limit = 1000

  mutating func add(_ source: RuleSource) {
    let text = SourceText(source)
    var found: [Diagnostic] = []
    var unshown = 0
    for statement in Statement.all(in: text) {
      for diagnostic in add(statement, text) {
        if found.count < Self.limit { found.append(diagnostic) } else { unshown += 1 }
      }
    }
    found.sort { ($0.line, $0.column) < ($1.line, $1.column) }
    if unshown > 0 {
      let end = source.bytes.count
      found.append(text.diagnostic(.error, at: end..<end, "\(unshown) more findings in this file are not shown"))
    }
    diagnostics += found
  }

  func finish() -> (rules: RuleSet, diagnostics: [Diagnostic]) { (RuleSet(rules: rules), diagnostics) }

  /// Reads one rule, keeps it if it has no error, and returns what is to be said about it.
  private mutating func add(_ statement: Statement, _ text: SourceText) -> [Diagnostic] {
    var errors = statement.findings
    var warnings: [Finding] = []
    if let tokens = statement.tokens.nonEmpty {
      let syntax = RuleSyntax(tokens)
      errors += syntax.findings
      var checker = Checker(syntax.mechanism)
      let condition = syntax.condition.flatMap { checker.condition($0) }
      errors += checker.findings
      if errors.isEmpty, syntax.isComplete, let verdict = syntax.verdict, let mechanism = syntax.mechanism {
        let reference = Self.reference(tokens, text, index: rules.count)
        let rule = Rule(reference: reference, mechanism: mechanism, verdict: verdict, condition: condition)
        errors += anchorErrors(rule, checker.pathLiterals, tokens)
        warnings += pathWarnings(checker.pathLiterals, except: errors)
        if errors.isEmpty {
          warnings += reach.warnings(about: rule, tokens, syntax.condition?.range, text)
          warnings += requestWarnings(rule, tokens)
          rules.append(rule)
        }
      }
    }
    return errors.map { text.diagnostic(.error, at: $0.range, $0.message, hint: $0.hint) }
      + warnings.map { text.diagnostic(.warning, at: $0.range, $0.message, hint: $0.hint) }
  }

  /// The rule's text is what was written, without comments and with its lines joined.
  private static func reference(_ tokens: [Token], _ text: SourceText, index: Int) -> RuleReference {
    var lines: [(line: Int, range: Range<Int>)] = []
    for token in tokens {
      if let last = lines.last, token.range.lowerBound <= text.lines[last.line].upperBound {
        lines[lines.count - 1].range = last.range.lowerBound..<token.range.upperBound
      } else {
        lines.append((text.lineIndex(of: token.range.lowerBound), token.range))
      }
    }
    return RuleReference(
      file: text.source.file, path: text.source.path, line: (lines.first?.line ?? 0) + 1,
      text: lines.map { text.string($0.range) }.joined(separator: " "), index: index)
  }

  /// A deny rule for `open` must name files: only what is named is sensed.
  private func anchorErrors(_ rule: Rule, _ literals: [PathLiteral], _ tokens: [Token]) -> [Finding] {
    guard rule.mechanism == .open, rule.verdict == .deny, rule.anchors == nil else { return [] }
    if case .bool(false) = rule.condition { return [] }
    let named = rule.condition.flatMap(PathAnchor.named(by:)) ?? []
    let findings = named.compactMap { anchor -> Finding? in
      guard let problem = anchor.problem else { return nil }
      let range = literals.first { $0.bytes == anchor.path }?.range ?? tokens[0].range
      return Finding(range: range, message: problem.message, hint: problem.hint)
    }
    guard findings.isEmpty else { return findings }
    return [
      Finding(
        range: tokens[0].range.lowerBound..<tokens[1].range.upperBound,
        message: "an open rule must name the files or folders that it protects",
        hint: "with object.path == ..., object.path in [...], object.path.startsWith(...), or object.directory == ...")
    ]
  }

  /// What a deny rule for `ioctl` does not name is sensed all the same, and every program calls ioctl(2).
  private func requestWarnings(_ rule: Rule, _ tokens: [Token]) -> [Finding] {
    guard rule.mechanism == .ioctl, rule.verdict == .deny, rule.requestLimit == nil else { return [] }
    return [
      Finding(
        range: tokens[0].range.lowerBound..<tokens[1].range.upperBound,
        message: "this rule makes the kernel report every ioctl of the host",
        hint: "name the requests, as in operation.request in [\"TIOCSTI\", \"TIOCLINUX\"]")
    ]
  }

  private func pathWarnings(_ literals: [PathLiteral], except errors: [Finding]) -> [Finding] {
    literals.compactMap { literal in
      guard let problem = literal.problem, !errors.contains(where: { $0.range == literal.range }) else { return nil }
      return Finding(range: literal.range, message: problem.message, hint: problem.hint)
    }
  }
}

extension Array {
  fileprivate var nonEmpty: Self? { isEmpty ? nil : self }
}
