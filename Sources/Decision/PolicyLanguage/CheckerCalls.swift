// Owns the functions of the language: size, startsWith, endsWith, contains, matches.
// It must not evaluate them on attributes.

internal import AccessModel
internal import RegularExpression

extension Checker {
  mutating func call(_ call: Syntax.Call, _ range: Range<Int>) -> Expression? {
    guard let receiver = call.receiver else { return plainCall(call, range) }
    switch call.name {
    case "size": return call.arguments.isEmpty ? size(of: receiver, call) : wrongCount(call, "x.size()")
    case "startsWith": return textTest(.startsWith, receiver, call)
    case "endsWith": return textTest(.endsWith, receiver, call)
    case "contains": return textTest(.contains, receiver, call)
    case "matches": return matches(receiver, call)
    default: return unknown(call)
    }
  }

  /// A call without a value before it: `size` alone may be written so, and CEL's `matches`.
  private mutating func plainCall(_ call: Syntax.Call, _ range: Range<Int>) -> Expression? {
    guard call.name == "size" else {
      guard Vocabulary.functions.contains(call.name) else { return unknown(call) }
      report(call.nameRange, "\(call.name) needs a value before it", hint: "write x.\(call.name)(y)")
      return nil
    }
    guard call.arguments.count == 1 else { return wrongCount(call, "size(x)") }
    return size(of: call.arguments[0], call)
  }

  private mutating func unknown(_ call: Syntax.Call) -> Expression? {
    if Vocabulary.macros.contains(call.name) {
      report(call.nameRange, "the macro \(call.name) is not part of the rule language")
    } else {
      let hint = Suggestion.sentence(for: call.name, among: Vocabulary.functions)
      let list = "one of \(Vocabulary.functions.joined(separator: ", "))"
      report(call.nameRange, "unknown function \(quoted(call.name))", hint: hint ?? list)
    }
    return nil
  }

  private mutating func wrongCount(_ call: Syntax.Call, _ form: String) -> Expression? {
    let count = call.arguments.count
    report(
      call.nameRange, "\(call.name) does not take \(count) argument\(count == 1 ? "" : "s")", hint: "write \(form)")
    return nil
  }

  private mutating func size(of syntax: Syntax, _ call: Syntax.Call) -> Expression? {
    guard let value = check(syntax) else { return nil }
    switch value.type {
    case .string, .intList, .stringList: return .size(value).folded
    case .bool, .int:
      report(syntax.range, "size needs a string or a list; this is \(value.type.phrase)")
      return nil
    }
  }

  private mutating func string(_ syntax: Syntax, for function: String) -> Expression? {
    guard let value = check(syntax) else { return nil }
    guard value.type == .string else {
      report(syntax.range, "\(function) needs a string; this is \(value.type.phrase)")
      return nil
    }
    return value
  }

  private mutating func textTest(_ test: TextTest, _ receiver: Syntax, _ call: Syntax.Call) -> Expression? {
    guard call.arguments.count == 1 else { return wrongCount(call, "x.\(call.name)(y)") }
    let (text, part) = (string(receiver, for: call.name), string(call.arguments[0], for: call.name))
    guard let text, let part else { return nil }
    if test == .startsWith { _ = inspect(text, part, call.arguments[0], isPrefix: true) }
    return .text(test, text, part).folded
  }

  private mutating func matches(_ receiver: Syntax, _ call: Syntax.Call) -> Expression? {
    guard call.arguments.count == 1 else { return wrongCount(call, "x.matches(\"pattern\")") }
    let text = string(receiver, for: call.name)
    let argument = call.arguments[0]
    guard case .string(let bytes) = argument.kind else {
      report(
        argument.range, "matches needs its pattern in quotes",
        hint: "patterns are compiled when the rules are loaded")
      return nil
    }
    do throws(RegularExpressionError) {
      let pattern = try RegularExpression(bytes)
      return text.map { .matches($0, pattern).folded }
    } catch {
      report(
        argument.range, "the pattern is refused: \(printable(error.reason))",
        hint: "the syntax is RE2's; a raw string r\"...\" keeps backslashes")
      return nil
    }
  }
}
