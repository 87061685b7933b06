// Owns the part of the grammar below the operators: names, calls, literals, lists, parentheses.
// It must not know which names and functions there are.

extension Parser {
  mutating func parseMember() throws(ParseError) -> Syntax {
    var value = try parsePrimary()
    while take(.dot) {
      guard let token = next, case .word(let word) = token.kind else {
        throw failure("expected a name after \".\"")
      }
      advance()
      if let open = next, take(.openParenthesis) {
        value = try parseCall(word, token.range, on: value, opened: open)
      } else if case .name(let name) = value.kind {
        value = Syntax(.name("\(name).\(word)"), value.range.lowerBound..<token.range.upperBound)
      } else {
        throw refusal(of: token, "only a function can follow here", hint: "as in x.size()")
      }
    }
    return value
  }

  private mutating func parsePrimary() throws(ParseError) -> Syntax {
    guard let token = next else { throw failure("the condition is not finished") }
    switch token.kind {
    case .string(let bytes):
      advance()
      return Syntax(.string(bytes), token.range)
    case .integer(let magnitude):
      return try parseInteger(magnitude, isNegative: false, from: token.range.lowerBound)
    case .symbol(.openParenthesis):
      advance()
      let inner = try parseAny()
      guard take(.closeParenthesis) else { throw unclosed(token) }
      return inner
    case .symbol(.openBracket):
      advance()
      let elements = try parseSequence(to: .closeBracket, opened: token)
      return try node(.list(elements), token.range.lowerBound..<tokens[index - 1].range.upperBound, over: elements)
    case .word(let word):
      advance()
      return try parseWord(word, token)
    case .symbol(let symbol):
      throw failure("expected a value, found \(quoted(symbol.rawValue))")
    case .invalid:
      throw .reported
    }
  }

  private mutating func parseWord(_ word: String, _ token: Token) throws(ParseError) -> Syntax {
    switch word {
    case "true": return Syntax(.bool(true), token.range)
    case "false": return Syntax(.bool(false), token.range)
    case "null": throw refusal(of: token, "null is not part of the rule language", hint: "every attribute has a value")
    case "in", "when": throw refusal(of: token, "expected a value, found \(quoted(word))")
    default: break
    }
    if let open = next, take(.openParenthesis) {
      return try parseCall(word, token.range, on: nil, opened: open)
    }
    if word == "not" { throw refusal(of: token, "there is no \"not\"", hint: "write !") }
    return Syntax(.name(word), token.range)
  }

  /// The number that is next, its sign already read.
  mutating func parseInteger(_ magnitude: UInt64, isNegative: Bool, from start: Int) throws(ParseError) -> Syntax {
    let value = isNegative ? Int64(exactly: -Int128(magnitude)) : Int64(exactly: magnitude)
    let range = start..<tokens[index].range.upperBound
    guard let value else {
      throw .finding(
        Finding(
          range: range, message: "the number is out of range",
          hint: "from \(Int64.min) to \(Int64.max)"))
    }
    advance()
    return Syntax(.int(value), range)
  }

  /// The arguments of a function, its opening parenthesis already read.
  private mutating func parseCall(
    _ name: String, _ nameRange: Range<Int>, on receiver: Syntax?, opened: Token
  ) throws(ParseError) -> Syntax {
    let arguments = try parseSequence(to: .closeParenthesis, opened: opened)
    let call = Syntax.Call(name: name, nameRange: nameRange, receiver: receiver, arguments: arguments)
    let start = receiver?.range.lowerBound ?? nameRange.lowerBound
    return try node(
      .call(call), start..<tokens[index - 1].range.upperBound, over: arguments + (receiver.map { [$0] } ?? []))
  }

  /// Values with commas between them, up to the closing bracket; a comma may stand behind the last one of a list.
  private mutating func parseSequence(to end: Symbol, opened: Token) throws(ParseError) -> [Syntax] {
    var elements: [Syntax] = []
    while !take(end) {
      if !elements.isEmpty, !take(.comma) { throw unclosed(opened) }
      if end == .closeBracket, !elements.isEmpty, take(end) { break }
      guard next != nil else { throw unclosed(opened) }
      elements.append(try parseAny())
    }
    return elements
  }

  /// At the end of the rule the bracket is at fault, before it whatever stands there.
  private func unclosed(_ opened: Token) -> ParseError {
    let isParenthesis = opened.isSymbol(.openParenthesis)
    if next == nil {
      return refusal(
        of: opened, "this \(quoted(isParenthesis ? "(" : "[")) is not closed",
        hint: "the rule ends with its line, or where the next rule begins")
    }
    return failure("expected \(isParenthesis ? "an operator or \")\"" : "\",\" or \"]\""), found \(nextDescription)")
  }

  private func refusal(of token: Token, _ message: String, hint: String? = nil) -> ParseError {
    .finding(Finding(range: token.range, message: message, hint: hint))
  }
}
