// Owns what can be worked out when rules are loaded: parts of a condition that rest on no attribute.
// It must not change what a condition means: CEL's && and || absorb errors, so `false && x` is false whatever x is.

internal import RegularExpression

extension Expression {
  /// The same value with this node worked out where its operands allow it; they are folded already.
  var folded: Expression {
    switch self {
    case .not(.bool(let value)): return .bool(!value)
    case .all(let parts): return Expression.fold(parts, settledBy: false) { .all($0) }
    case .any(let parts): return Expression.fold(parts, settledBy: true) { .any($0) }
    case .compare(let comparison, let a, let b):
      return Expression.order(a, b).map { .bool(comparison.holds($0)) } ?? self
    case .member(.int(let value), in: .intList(let list)): return .bool(list.contains(value))
    case .member(.string(let value), in: .stringList(let list)): return .bool(list.contains(value))
    case .size(.string(let text)): return .int(Int64(Text.count(text.span)))
    case .size(.intList(let list)): return .int(Int64(list.count))
    case .size(.stringList(let list)): return .int(Int64(list.count))
    case .text(let test, .string(let text), .string(let part)):
      return .bool(Expression.holds(test, text.span, part.span))
    case .matches(.string(let text), let pattern): return .bool(pattern.matches(text))
    default: return self
    }
  }

  private static func fold(
    _ parts: [Expression], settledBy end: Bool, _ combine: ([Expression]) -> Expression
  ) -> Expression {
    var rest: [Expression] = []
    for part in parts {
      if case .bool(let value) = part {
        if value == end { return .bool(end) }
      } else {
        rest.append(part)
      }
    }
    switch rest.count {
    case 0: return .bool(!end)
    case 1: return rest[0]
    default: return combine(rest)
    }
  }

  private static func order(_ a: Expression, _ b: Expression) -> Int? {
    switch (a, b) {
    case (.int(let a), .int(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.string(let a), .string(let b)): Text.order(a.span, b.span)
    case (.bool(let a), .bool(let b)): (a ? 1 : 0) - (b ? 1 : 0)
    default: nil
    }
  }

  private static func holds(_ test: TextTest, _ text: Span<UInt8>, _ part: Span<UInt8>) -> Bool {
    switch test {
    case .startsWith: Text.starts(text, with: part)
    case .endsWith: Text.ends(text, with: part)
    case .contains: Text.contains(text, part)
    }
  }
}
