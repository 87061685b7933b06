// Owns the typed form of a condition: every name is resolved, every operator fits its operands.
// It must not hold positions or text of the source, and must not evaluate attributes: PolicyDecision does.

public import AccessModel
public import RegularExpression

/// The relations of CEL that compare two values of one type.
public enum Comparison: UInt8, Sendable, Hashable {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

  /// Whether the relation holds for operands in this order: negative, zero or positive.
  public func holds(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }
}

/// The tests of CEL that look for one string in another.
public enum TextTest: UInt8, Sendable, Hashable {
  case startsWith, endsWith, contains
}

/// A typed condition or a part of one. Depth is bounded (`Parser.depthLimit`), so walking it may recurse.
public indirect enum Expression: Sendable {
  case bool(Bool)
  case int(Int64)
  /// UTF-8.
  case string([UInt8])
  case intList([Int64])
  case stringList([[UInt8]])
  case attribute(Attribute)
  case not(Expression)
  /// `&&` over two or more operands, from left to right.
  case all([Expression])
  /// `||` over two or more operands, from left to right.
  case any([Expression])
  /// Two bools, two ints or two strings.
  case compare(Comparison, Expression, Expression)
  /// `element in list`.
  case member(Expression, in: Expression)
  /// Code points of a string, elements of a list.
  case size(Expression)
  case text(TextTest, Expression, Expression)
  case matches(Expression, RegularExpression)

  public var type: ValueType {
    switch self {
    case .int, .size: .int
    case .string: .string
    case .intList: .intList
    case .stringList: .stringList
    case .attribute(let attribute): attribute.type
    case .bool, .not, .all, .any, .compare, .member, .text, .matches: .bool
    }
  }

  /// Calls `body` for each attribute that the expression reads.
  func forEachAttribute(_ body: (Attribute) -> Void) {
    switch self {
    case .bool, .int, .string, .intList, .stringList: break
    case .attribute(let attribute): body(attribute)
    case .not(let inner), .size(let inner), .matches(let inner, _): inner.forEachAttribute(body)
    case .all(let parts), .any(let parts): for part in parts { part.forEachAttribute(body) }
    case .compare(_, let a, let b), .member(let a, in: let b), .text(_, let a, let b):
      a.forEachAttribute(body)
      b.forEachAttribute(body)
    }
  }
}
