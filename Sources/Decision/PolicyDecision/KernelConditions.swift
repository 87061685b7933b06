// Owns what conditions mean in the kernel: connectives, numbers and truth values.
// It must not guess: what the kernel cannot be asked exactly is an obstacle, with words for an administrator.

internal import AccessModel
internal import PolicyLanguage

/// Why a rule cannot be asked in the kernel.
struct KernelObstacle: Error {
  let why: String

  init(_ why: String) { self.why = why }

  static func noAttribute(_ attribute: Attribute) -> KernelObstacle {
    KernelObstacle("\(attribute.name) cannot be asked in the kernel")
  }
}

/// Translates the conditions of one mechanism's rules.
struct KernelConditions {
  let mechanism: Mechanism

  /// A formula with more questions than this is not built: comparisons of conditions double what they compare.
  private static let limit = 2 * KernelProgram.stepLimit

  init(_ mechanism: Mechanism) { self.mechanism = mechanism }

  /// When the rule speaks.
  func formula(_ rule: Rule) throws(KernelObstacle) -> KernelFormula {
    try checkRequests(rule)
    return try formula(rule.condition ?? .bool(true))
  }

  /// Of ptrace(2), the kernel's hooks see who gains a hold on whom; later requests pass them by.
  private func checkRequests(_ rule: Rule) throws(KernelObstacle) {
    guard mechanism == .ptrace else { return }
    let seen = ["PTRACE_TRACEME", "PTRACE_ATTACH", "PTRACE_SEIZE"]
    let numbers = Set(seen.flatMap { RequestNames.numbers(named: $0, mechanism: .ptrace) })
    guard let other = rule.requestsNamed.first(where: { !numbers.contains($0) }) else { return }
    let name = RequestNames.name(of: other, .ptrace) ?? "request \(other)"
    throw KernelObstacle("\(name) is not seen in the kernel, which checks only \(seen.joined(separator: ", "))")
  }

  func formula(_ expression: Expression) throws(KernelObstacle) -> KernelFormula {
    let formula = try translate(expression)
    guard formula.count <= Self.limit else { throw KernelObstacle("its condition is too long for the kernel") }
    return formula
  }

  private func translate(_ expression: Expression) throws(KernelObstacle) -> KernelFormula {
    switch expression {
    case .bool(let value): return .constant(value)
    case .attribute(let attribute): return try flag(attribute)
    case .not(let inner): return try formula(inner).negated
    case .all(let parts): return .conjunction(try formulas(parts))
    case .any(let parts): return .disjunction(try formulas(parts))
    case .compare(let comparison, let a, let b): return try compare(comparison, a, b)
    case .member(let element, in: let list): return try member(element, list)
    case .text(let test, let text, let part): throw Self.obstacle(test.word, text, part)
    case .matches(let text, _): throw Self.obstacle("matches", text, text)
    case .int, .string, .intList, .stringList, .size: preconditionFailure("a condition is a bool")
    }
  }

  private func formulas(_ parts: [Expression]) throws(KernelObstacle) -> [KernelFormula] {
    var formulas: [KernelFormula] = []
    for part in parts { formulas.append(try formula(part)) }
    return formulas
  }

  private func compare(
    _ comparison: Comparison, _ a: Expression, _ b: Expression
  ) throws(KernelObstacle) -> KernelFormula {
    switch a.type {
    case .bool: return .compare(comparison, try formula(a), try formula(b))
    case .int: return try compareInts(comparison, a, b)
    case .string: return try compareTexts(comparison, a, b)
    case .intList, .stringList: preconditionFailure("lists are not compared")
    }
  }

  private func member(_ element: Expression, _ list: Expression) throws(KernelObstacle) -> KernelFormula {
    switch list {
    case .intList(let values):
      if case .int(let value) = element { return .constant(values.contains(value)) }
      guard let field = try field(element) else { preconditionFailure("an int is a literal or an attribute here") }
      if values.isEmpty { return .never(field) }
      return .disjunction(values.map { KernelNumbers.equal(field, $0) })
    case .stringList(let values): return try text(element, in: values)
    case .attribute(let attribute): return try name(element, in: attribute)
    default: preconditionFailure("a list is a literal or an attribute")
    }
  }

  private static func obstacle(_ function: String, _ a: Expression, _ b: Expression) -> KernelObstacle {
    for side in [a, b] {
      if case .attribute(let attribute) = side {
        return KernelObstacle("\(attribute.name) cannot be asked in the kernel with \(function)")
      }
    }
    return KernelObstacle("\(function) cannot be asked in the kernel")
  }
}

extension KernelConditions {
  private func compareInts(
    _ comparison: Comparison, _ a: Expression, _ b: Expression
  ) throws(KernelObstacle) -> KernelFormula {
    let (left, right) = (try field(a), try field(b))
    switch (a, b, left, right) {
    case (_, _, let left?, let right?): return KernelNumbers.compare(comparison, left, right)
    case (_, .int(let value), let left?, nil): return KernelNumbers.compare(comparison, left, value)
    case (.int(let value), _, nil, let right?): return KernelNumbers.compare(comparison.mirrored, right, value)
    case (.int(let a), .int(let b), _, _): return .constant(comparison.holds(a < b ? -1 : a > b ? 1 : 0))
    default: preconditionFailure("an int is a literal or an attribute here")
    }
  }

  /// The field of an int attribute; nil for a literal.
  private func field(_ expression: Expression) throws(KernelObstacle) -> KernelField? {
    switch expression {
    case .attribute(let attribute): return try field(of: attribute)
    case .size(.attribute(let attribute)):
      throw KernelObstacle("the size of \(attribute.name) cannot be asked in the kernel")
    case .size: throw KernelObstacle("size cannot be asked in the kernel")
    default: return nil
    }
  }

  private func field(of attribute: Attribute) throws(KernelObstacle) -> KernelField {
    switch attribute {
    case .subjectPID: .pid
    case .subjectPPID: .ppid
    case .subjectUID: .uid
    case .subjectEUID: .euid
    case .subjectGID: .gid
    case .subjectEGID: .egid
    case .subjectAUID: .auid
    case .subjectSession: .session
    case .subjectExeInode: .exeInode
    case .objectInode: .objectInode
    case .objectOwner: .objectOwner
    case .objectMode: .objectMode
    case .targetPID: .targetPID
    case .targetUID: .targetUID
    case .operationRequestNumber: .request
    default: throw .noAttribute(attribute)
    }
  }

  private func flag(_ attribute: Attribute) throws(KernelObstacle) -> KernelFormula {
    switch attribute {
    case .subjectUserNSInitial: .ask(.equal, .userNamespaceInitial, .constant(1))
    case .subjectMountNSInitial: .ask(.equal, .mountNamespaceInitial, .constant(1))
    case .objectSetuid: .ask(.anyBit, .objectMode, .constant(0o4000))
    case .objectSetgid: .ask(.anyBit, .objectMode, .constant(0o2000))
    case .objectGroupWritable: .ask(.anyBit, .objectMode, .constant(0o020))
    case .objectWorldWritable: .ask(.anyBit, .objectMode, .constant(0o002))
    default: throw .noAttribute(attribute)
    }
  }
}

extension Comparison {
  /// The relation that holds for the operands in the other order.
  fileprivate var mirrored: Comparison {
    switch self {
    case .equal, .notEqual: self
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }
}

extension TextTest {
  fileprivate var word: String {
    switch self {
    case .startsWith: "startsWith"
    case .endsWith: "endsWith"
    case .contains: "contains"
    }
  }
}
