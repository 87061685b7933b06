// Owns the grammar of a condition: CEL's, without what the rule language leaves out.
// It must not resolve names or types. It stops at the first error of a rule; the rules around it are read all the same.

/// Why parsing stopped.
enum ParseError: Error {
  case finding(Finding)
  /// An invalid token: the lexer has said it all.
  case reported
}

struct Parser {
  let tokens: [Token]
  private(set) var index = 0
  private var nesting = 0

  /// How deep conditions may nest. Everything that walks one may recurse because of it.
  static let depthLimit = 64

  init(_ tokens: [Token]) { self.tokens = tokens }

  var next: Token? { index < tokens.count ? tokens[index] : nil }

  mutating func advance() { index += 1 }

  /// Takes the next token if it is this symbol.
  mutating func take(_ symbol: Symbol) -> Bool {
    guard next?.isSymbol(symbol) == true else { return false }
    index += 1
    return true
  }

  /// A finding at the next token, or behind the last one.
  func failure(_ message: String, hint: String? = nil) -> ParseError {
    if next?.kind == .invalid { return .reported }
    let end = tokens.last?.range.upperBound ?? 0
    return .finding(Finding(range: next?.range ?? end..<end, message: message, hint: hint))
  }

  /// A whole condition up to the last token.
  mutating func parseCondition() throws(ParseError) -> Syntax {
    let condition = try parseAny()
    switch next?.kind {
    case nil: return condition
    case .word("and"): throw failure("expected an operator, found \"and\"", hint: "write &&")
    case .word("or"): throw failure("expected an operator, found \"or\"", hint: "write ||")
    case .word("when"): throw failure("a rule has one \"when\"", hint: "join conditions with &&")
    default: throw failure("expected an operator or the end of the rule, found \(nextDescription)")
    }
  }

  /// The next token as messages name it.
  var nextDescription: String {
    switch next?.kind {
    case .word(let word): quoted(word)
    case .symbol(let symbol): quoted(symbol.rawValue)
    case .integer: "a number"
    case .string: "a string"
    case .invalid, nil: "the end"
    }
  }

  mutating func parseAny() throws(ParseError) -> Syntax {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.depthLimit else { throw tooDeep() }
    let first = try parseAll()
    guard next?.isSymbol(.or) == true else { return first }
    var parts = [first]
    while take(.or) { parts.append(try parseAll()) }
    return try node(.any(parts), over: parts)
  }

  private mutating func parseAll() throws(ParseError) -> Syntax {
    let first = try parseRelation()
    guard next?.isSymbol(.and) == true else { return first }
    var parts = [first]
    while take(.and) { parts.append(try parseRelation()) }
    return try node(.all(parts), over: parts)
  }

  private mutating func parseRelation() throws(ParseError) -> Syntax {
    var left = try parseUnary()
    while let token = next {
      if case .symbol(let symbol) = token.kind, let comparison = symbol.comparison {
        advance()
        let right = try parseUnary()
        left = try node(.compare(comparison, left, right), over: [left, right])
      } else if token.isWord("in") {
        advance()
        let right = try parseUnary()
        left = try node(.member(left, in: right), over: [left, right])
      } else {
        break
      }
    }
    return left
  }

  mutating func parseUnary() throws(ParseError) -> Syntax {
    guard let start = next?.range.lowerBound else { throw failure("the condition is not finished") }
    if take(.not) {
      nesting += 1
      defer { nesting -= 1 }
      guard nesting <= Self.depthLimit else { throw tooDeep() }
      let inner = try parseUnary()
      return try node(.not(inner), start..<inner.range.upperBound, over: [inner])
    }
    if take(.minus) {
      guard case .integer(let magnitude)? = next?.kind else {
        throw failure("expected a number after \"-\"", hint: "arithmetic is not part of the rule language")
      }
      return try parseInteger(magnitude, isNegative: true, from: start)
    }
    return try parseMember()
  }

  /// A node, unless the condition grows too deep with it.
  func node(_ kind: Syntax.Kind, _ range: Range<Int>? = nil, over parts: [Syntax]) throws(ParseError) -> Syntax {
    let start = parts.first?.range.lowerBound ?? 0
    let node = Syntax(kind, range ?? start..<(parts.last?.range.upperBound ?? start), over: parts)
    guard node.depth <= Self.depthLimit else {
      throw .finding(Finding(range: node.range, message: Self.tooDeep, hint: Self.tooDeepHint))
    }
    return node
  }

  private func tooDeep() -> ParseError { failure(Self.tooDeep, hint: Self.tooDeepHint) }

  private static let tooDeep = "the condition nests deeper than \(depthLimit) levels"
  private static let tooDeepHint = "write it as several rules, or as a list"
}
