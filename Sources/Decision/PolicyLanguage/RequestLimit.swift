// Owns the answer to "which requests does this rule speak about?": what must be sensed of ptrace(2) and ioctl(2).
// It must not know how a sensor filters.

internal import AccessModel

enum RequestLimit {
  /// The request numbers for which a condition can be true; nil where it names none and may be true for every one.
  static func numbers(in condition: Expression, of mechanism: Mechanism) -> Set<UInt64>? {
    switch condition {
    case .bool(false): return []
    case .compare(.equal, .attribute(let attribute), let value), .compare(.equal, let value, .attribute(let attribute)):
      return numbers(attribute, value, mechanism)
    case .member(.attribute(let attribute), in: let list): return numbers(attribute, list, mechanism)
    case .all(let parts):
      let limits = parts.compactMap { numbers(in: $0, of: mechanism) }
      return limits.dropFirst().reduce(limits.first) { $0?.intersection($1) }
    case .any(let parts):
      let limits = parts.compactMap { numbers(in: $0, of: mechanism) }
      return limits.count == parts.count ? limits.reduce(into: []) { $0.formUnion($1) } : nil
    default: return nil
    }
  }

  /// Every request number that a condition names with a comparison or a list, wherever it stands.
  static func named(in condition: Expression, of mechanism: Mechanism) -> Set<UInt64> {
    switch condition {
    case .compare(_, .attribute(.operationRequest), let value), .compare(_, let value, .attribute(.operationRequest)):
      return numbers(.operationRequest, value, mechanism) ?? []
    case .compare(_, .attribute(.operationRequestNumber), let value),
      .compare(_, let value, .attribute(.operationRequestNumber)):
      return numbers(.operationRequestNumber, value, mechanism) ?? []
    case .compare(_, let a, let b): return named(in: a, of: mechanism).union(named(in: b, of: mechanism))
    case .member(.attribute(let attribute), in: let list): return numbers(attribute, list, mechanism) ?? []
    case .not(let inner): return named(in: inner, of: mechanism)
    case .all(let parts), .any(let parts):
      return parts.reduce(into: []) { $0.formUnion(named(in: $1, of: mechanism)) }
    default: return []
    }
  }

  /// What a literal names if it is held against the request; nil for another attribute.
  private static func numbers(_ attribute: Attribute, _ value: Expression, _ mechanism: Mechanism) -> Set<UInt64>? {
    func numbers(_ name: [UInt8]) -> [UInt64] {
      RequestNames.numbers(named: String(decoding: name, as: UTF8.self), mechanism: mechanism)
    }
    switch (attribute, value) {
    case (.operationRequest, .string(let name)): return Set(numbers(name))
    case (.operationRequest, .stringList(let names)): return Set(names.flatMap(numbers))
    // No request has a negative number.
    case (.operationRequestNumber, .int(let number)): return Set([number].compactMap(UInt64.init(exactly:)))
    case (.operationRequestNumber, .intList(let list)): return Set(list.compactMap(UInt64.init(exactly:)))
    default: return nil
    }
  }
}
