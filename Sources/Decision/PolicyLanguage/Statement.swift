// Owns which lines make one rule.
// It must not parse: a broken rule must end where the next one begins.

/// The tokens of one rule, which may go on over several lines.
///
/// A rule goes on in the next line while a ( or [ is open, and after `when`, `in` or a binary operator. A line that
/// begins with a verdict, or with two words in a row, is a new rule whatever came before: no condition has that, so a
/// bracket that was left open cannot swallow the rules below it.
struct Statement {
  private(set) var tokens: [Token] = []
  /// What the lexer found in these lines.
  private(set) var findings: [Finding] = []
  /// Brackets that are open at the end.
  private var depth = 0

  /// Cuts a file into rules.
  static func all(in text: SourceText) -> [Statement] {
    var statements: [Statement] = []
    var current = Statement()
    for line in text.lines {
      let lexer = Lexer(line, of: text.source.bytes)
      guard !lexer.tokens.isEmpty || !lexer.findings.isEmpty else { continue }
      if !current.goesOn || lexer.tokens.beginRule, !lexer.tokens.isEmpty {
        if !current.isEmpty { statements.append(current) }
        current = Statement()
      }
      current.append(lexer)
    }
    if !current.isEmpty { statements.append(current) }
    return statements
  }

  private var isEmpty: Bool { tokens.isEmpty && findings.isEmpty }

  private var goesOn: Bool {
    guard depth == 0 else { return true }
    switch tokens.last?.kind {
    case .word(let word): return word == "when" || word == "in"
    case .symbol(let symbol): return symbol == .and || symbol == .or || symbol.comparison != nil
    default: return false
    }
  }

  private mutating func append(_ lexer: Lexer) {
    tokens += lexer.tokens
    findings += lexer.findings
    for token in lexer.tokens {
      switch token.kind {
      case .symbol(.openParenthesis), .symbol(.openBracket): depth += 1
      case .symbol(.closeParenthesis), .symbol(.closeBracket): depth = max(0, depth - 1)
      default: break
      }
    }
  }
}

extension [Token] {
  /// Whether a line with these tokens can only be the first of a rule.
  fileprivate var beginRule: Bool {
    guard case .word(let first)? = self.first?.kind else { return false }
    if first == "allow" || first == "deny" { return true }
    guard count > 1, case .word(let second) = self[1].kind else { return false }
    return first != "in" && second != "in"
  }
}
