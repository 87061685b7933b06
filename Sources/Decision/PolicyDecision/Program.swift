// Owns the compiled form of the rules: flat arrays of nodes and literals, so that evaluation follows indices.
// It must not evaluate; Evaluation does.

internal import AccessModel
internal import PolicyLanguage
internal import RegularExpression

/// A node of a compiled condition. Payloads are plain numbers, so that reading one retains nothing.
enum Node {
  case bool(Bool)
  case flag(Attribute)
  case not(NodeIndex)
  /// Children lie in `Program.children`.
  case all(Slice)
  case any(Slice)
  case compareBools(Comparison, NodeIndex, NodeIndex)
  case compareInts(Comparison, IntOperand, IntOperand)
  case compareTexts(Comparison, TextOperand, TextOperand)
  /// In a list of literals, which lie in `Program.ints` or `Program.texts`.
  case intIn(IntOperand, Slice)
  case textIn(TextOperand, Slice)
  /// In a list attribute.
  case intInAttribute(IntOperand, Attribute)
  case textInAttribute(TextOperand, Attribute)
  case capability(Capability, in: Attribute)
  case text(TextTest, TextOperand, TextOperand)
  case matches(TextOperand, ExpressionIndex)
}

typealias NodeIndex = Int32
typealias ExpressionIndex = Int32

/// A run of elements in one of the program's arrays.
struct Slice {
  let start: Int32
  let count: Int32
  var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

enum IntOperand {
  case literal(Int64)
  case attribute(Attribute)
  /// Code points of a text.
  case size(TextOperand)
  /// Elements of a list attribute.
  case count(Attribute)
}

enum TextOperand {
  /// An index into `Program.texts`.
  case literal(Int32)
  case attribute(Attribute)
}

/// A rule as `decide` tries it.
struct CompiledRule {
  let verdict: Verdict
  let condition: NodeIndex
  let reference: RuleReference
  let facts: FactSet
  var readsTrust: Bool { facts.contains(.objectTrust) }
  /// Whether it reads something that may change without a sign from the object itself, or is another where the same
  /// object is met elsewhere: who may write its folder, and by which mount it is reached.
  var readsSurroundings: Bool { facts.contains(.objectDirectory) || facts.contains(.objectFileSystem) }
}

/// The compiled rules of all mechanisms. A class, so that passing it on is one reference and not one for each array.
final class Program: Sendable {
  let nodes: [Node]
  let children: [NodeIndex]
  let ints: [Int64]
  let texts: [[UInt8]]
  let expressions: [RegularExpression]
  /// By raw value of the mechanism.
  private let rules: [[CompiledRule]]
  /// The facts of each attribute by raw value: `Attribute.facts` would retain a definition.
  let facts = Attribute.allCases.map(\.facts)
  /// A bit for each capability that has a name.
  let knownCapabilities = Capability.allCases.reduce(UInt64(0)) { $0 | 1 << UInt64($1.rawValue) }
  let names = Names()

  init(_ set: RuleSet) {
    var compilation = Compilation()
    var rules: [[CompiledRule]] = Mechanism.allCases.map { _ in [] }
    for rule in set.rules {
      let condition = compilation.compile(rule.condition ?? .bool(true))
      rules[Int(rule.mechanism.rawValue)].append(
        CompiledRule(verdict: rule.verdict, condition: condition, reference: rule.reference, facts: rule.facts))
    }
    self.rules = rules
    nodes = compilation.nodes
    children = compilation.children
    ints = compilation.ints
    texts = compilation.texts
    expressions = compilation.expressions
  }

  func rules(of mechanism: Mechanism) -> [CompiledRule] { rules[Int(mechanism.rawValue)] }
}

/// Names of enumerated values as bytes, made once.
struct Names: Sendable {
  let kinds = ContentKind.allCases.map { Array($0.name.utf8) }
  let capabilities = Capability.allCases.map { (capability: $0, name: Array($0.name.utf8)) }
  let mountFlags = MountFlags.names.map { (flag: $0.flag, name: Array($0.name.utf8)) }
  /// By raw value.
  let operations = [Operation.execute, .open, .call].map { Array($0.name.utf8) }
}
