// Owns the way from a typed expression to nodes.
// It must not check types: the language has done so, and a mismatch here is a defect.

internal import AccessModel
internal import PolicyLanguage
internal import RegularExpression

/// What has been compiled so far.
struct Compilation {
  private(set) var nodes: [Node] = []
  private(set) var children: [NodeIndex] = []
  private(set) var ints: [Int64] = []
  private(set) var texts: [[UInt8]] = []
  private(set) var expressions: [RegularExpression] = []

  /// Compiles a bool expression.
  mutating func compile(_ expression: Expression) -> NodeIndex {
    switch expression {
    case .bool(let value): return append(.bool(value))
    case .attribute(let attribute): return append(.flag(attribute))
    case .not(let inner):
      let inner = compile(inner)
      return append(.not(inner))
    case .all(let parts):
      let parts = compile(parts)
      return append(.all(parts))
    case .any(let parts):
      let parts = compile(parts)
      return append(.any(parts))
    case .compare(let comparison, let a, let b): return compile(comparison, a, b)
    case .member(let element, in: let list): return compile(element, in: list)
    case .text(let test, let text, let part):
      let (text, part) = (textOperand(text), textOperand(part))
      return append(.text(test, text, part))
    case .matches(let text, let pattern):
      let (text, pattern) = (textOperand(text), append(pattern))
      return append(.matches(text, pattern))
    case .int, .string, .intList, .stringList, .size:
      preconditionFailure("a condition is a bool")
    }
  }

  private mutating func compile(_ parts: [Expression]) -> Slice {
    let parts = parts.map { compile($0) }
    return append(children: parts)
  }

  private mutating func compile(_ comparison: Comparison, _ a: Expression, _ b: Expression) -> NodeIndex {
    switch a.type {
    case .bool:
      let (a, b) = (compile(a), compile(b))
      return append(.compareBools(comparison, a, b))
    case .int:
      let (a, b) = (intOperand(a), intOperand(b))
      return append(.compareInts(comparison, a, b))
    case .string:
      let (a, b) = (textOperand(a), textOperand(b))
      return append(.compareTexts(comparison, a, b))
    case .intList, .stringList: preconditionFailure("lists are not compared")
    }
  }

  private mutating func compile(_ element: Expression, in list: Expression) -> NodeIndex {
    switch (element, list) {
    case (.string(let name), .attribute(let attribute)) where attribute.isCapabilityList:
      if let capability = Capability(name: String(decoding: name, as: UTF8.self)) {
        return append(.capability(capability, in: attribute))
      }
      return append(.bool(false))
    case (_, .attribute(let attribute)) where element.type == .int:
      let element = intOperand(element)
      return append(.intInAttribute(element, attribute))
    case (_, .attribute(let attribute)):
      let element = textOperand(element)
      return append(.textInAttribute(element, attribute))
    case (_, .intList(let values)):
      let (element, values) = (intOperand(element), append(ints: values))
      return append(.intIn(element, values))
    case (_, .stringList(let values)):
      let (element, values) = (textOperand(element), append(texts: values))
      return append(.textIn(element, values))
    default: preconditionFailure("a list is a literal or an attribute")
    }
  }

  private mutating func intOperand(_ expression: Expression) -> IntOperand {
    switch expression {
    case .int(let value): return .literal(value)
    case .attribute(let attribute): return .attribute(attribute)
    case .size(.intList(let values)): return .literal(Int64(values.count))
    case .size(.stringList(let values)): return .literal(Int64(values.count))
    case .size(.attribute(let list)) where list.type != .string: return .count(list)
    case .size(let text): return .size(textOperand(text))
    default: preconditionFailure("not an int")
    }
  }

  private mutating func textOperand(_ expression: Expression) -> TextOperand {
    switch expression {
    case .string(let bytes): return .literal(append(texts: [bytes]).start)
    case .attribute(let attribute): return .attribute(attribute)
    default: preconditionFailure("not a string")
    }
  }

  private mutating func append(_ node: Node) -> NodeIndex {
    nodes.append(node)
    return NodeIndex(nodes.count - 1)
  }

  private mutating func append(children new: [NodeIndex]) -> Slice {
    children.append(contentsOf: new)
    return Slice(start: Int32(children.count - new.count), count: Int32(new.count))
  }

  private mutating func append(ints new: [Int64]) -> Slice {
    ints.append(contentsOf: new)
    return Slice(start: Int32(ints.count - new.count), count: Int32(new.count))
  }

  private mutating func append(texts new: [[UInt8]]) -> Slice {
    texts.append(contentsOf: new)
    return Slice(start: Int32(texts.count - new.count), count: Int32(new.count))
  }

  private mutating func append(_ expression: RegularExpression) -> ExpressionIndex {
    expressions.append(expression)
    return ExpressionIndex(expressions.count - 1)
  }
}

extension Attribute {
  var isCapabilityList: Bool { self == .subjectCapabilities || self == .subjectPermittedCapabilities }
}
