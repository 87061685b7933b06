// Owns what parsing gives: rules in the order in which they are tried.
// It must not decide anything: PolicyDecision compiles it.

public import AccessModel

/// One rule: a verdict for a mechanism, and the condition under which it speaks.
public struct Rule: Sendable {
  public let reference: RuleReference
  public let mechanism: Mechanism
  public let verdict: Verdict
  /// Nil where the rule always matches.
  public let condition: Expression?
  /// The attributes that the condition reads, in the order of their raw values.
  public let attributes: [Attribute]
  /// The files that an `open` rule names: its condition is true for no other. Nil where it names none.
  public let anchors: [PathAnchor]?
  /// The request numbers that a `ptrace` or `ioctl` rule is restricted to, sorted: its condition is true for no other.
  /// Nil where it is not restricted, and for other mechanisms.
  public let requestLimit: [UInt64]?
  /// The request numbers that such a rule names in whatever place, sorted.
  public let requestsNamed: [UInt64]

  init(reference: RuleReference, mechanism: Mechanism, verdict: Verdict, condition: Expression?) {
    self.reference = reference
    self.mechanism = mechanism
    self.verdict = verdict
    self.condition = condition
    var read: Set<Attribute> = []
    condition?.forEachAttribute { read.insert($0) }
    attributes = read.sorted { $0.rawValue < $1.rawValue }
    let named = mechanism == .open ? condition.flatMap(PathAnchor.named(by:)) : nil
    anchors = named?.contains { $0.problem != nil } == true ? nil : named
    let asked = Attribute.operationRequest.mechanisms.contains(mechanism) ? condition : nil
    requestLimit = asked.flatMap { RequestLimit.numbers(in: $0, of: mechanism)?.sorted() }
    requestsNamed = asked.map { RequestLimit.named(in: $0, of: mechanism).sorted() } ?? []
  }

  /// Every group of facts that the condition may need.
  public var facts: FactSet { attributes.reduce(into: []) { $0.formUnion($1.facts) } }

  /// Whether the subject of a request bears on this rule.
  public var dependsOnSubject: Bool { attributes.contains { $0.name.hasPrefix("subject.") } }
}

/// The rules of all files, in the order in which they are tried.
public struct RuleSet: Sendable {
  public let rules: [Rule]

  init(rules: [Rule]) { self.rules = rules }

  /// No rules: every mechanism's default speaks.
  public init() { rules = [] }

  /// Parses rule files in the order given: the first match wins across all of them. Total: whatever the bytes are, it
  /// returns. Where a diagnostic is an error, the rule set lacks the rule in question and must not be put in force.
  public static func parse(_ sources: [RuleSource]) -> (rules: RuleSet, diagnostics: [Diagnostic]) {
    var analysis = Analysis()
    for source in sources { analysis.add(source) }
    return analysis.finish()
  }
}
