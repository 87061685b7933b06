// Owns a rule as the kernel lists it, whoever set it.
// It must not change one.

/// A rule of AUDIT_LIST_RULES, with the bytes that name it to the kernel.
public struct ListedRule: Sendable, Hashable {
  /// AUDIT_FILTER_*.
  public enum List: UInt32, Sendable, Hashable {
    case user = 0
    case task = 1
    case entry = 2
    case watch = 3
    case exit = 4
    case exclude = 5
    case filesystem = 6
    case uring = 7

    /// auditctl(8)'s word.
    public var name: String {
      switch self {
      case .user: "user"
      case .task: "task"
      case .entry: "entry"
      case .watch: "watch"
      case .exit: "exit"
      case .exclude: "exclude"
      case .filesystem: "filesystem"
      case .uring: "io_uring"
      }
    }
  }

  public enum Action: UInt32, Sendable, Hashable {
    case never = 0
    case possible = 1
    case always = 2

    public var name: String {
      switch self {
      case .never: "never"
      case .possible: "possible"
      case .always: "always"
      }
    }
  }

  /// Nil where this Lilium does not know the list.
  public let list: List?
  public let action: Action?
  /// struct audit_rule_data as the kernel gave it.
  let bytes: [UInt8]
  private let data: RuleData

  /// Nil where the bytes are no rule.
  public init?(_ bytes: [UInt8]) {
    guard let data = RuleData(bytes) else { return nil }
    self.bytes = bytes
    self.data = data
    list = List(rawValue: data.list)
    action = Action(rawValue: data.action)
  }

  /// Empty where the rule has none; several keys of one rule are joined by 0x01.
  public var key: [UInt8] { data.fields.first { $0.number == FieldNumber.key }?.text ?? [] }

  /// Whether this is that rule: same list, action, calls and tests in the same order.
  public func matches(_ rule: AuditRule) -> Bool { data == rule.data }

  /// Whether the call is one of the rule's and the architecture not excluded: such a rule of the exit list hides the
  /// call from the rules behind it, when its other conditions hold. A rule without an architecture counts numbers only.
  public func covers(_ call: KnownCall, on architecture: AuditArchitecture) -> Bool {
    guard list == .exit, let number = call.number(on: architecture), data.contains(number) else { return false }
    return data.fields.allSatisfy { field in
      guard field.number == FieldNumber.architecture else { return true }
      let same = field.value == architecture.rawValue
      return field.operation == AuditCondition.Comparison.notEqual.rawValue ? !same : same
    }
  }

  /// Whether records of this type (`AuditType`) are kept out, all or some of them: a rule of the exclude list does so
  /// whatever its action.
  public func keepsOut(_ type: UInt16) -> Bool {
    guard list == .exclude else { return false }
    return data.fields.allSatisfy { field in
      guard field.number == FieldNumber.messageType else { return true }
      return AuditCondition.Comparison(rawValue: field.operation)?.holds(UInt32(type), field.value) ?? true
    }
  }

  /// Whether the rule tests more than the architecture and the call.
  public var hasOtherConditions: Bool {
    data.fields.contains { $0.number != FieldNumber.architecture && $0.number != FieldNumber.key }
  }

  /// In auditctl(8)'s words as far as libaudit knows them, numbers for the rest; for people.
  public var text: String {
    var words = ["-a", "\(action?.name ?? "\(data.action)"),\(list?.name ?? "\(data.list)")"]
    for field in data.fields where field.number == FieldNumber.architecture { words += ["-F", text(field)] }
    if list == .exit || list == .uring { words += ["-S", calls] }
    for field in data.fields where field.number != FieldNumber.architecture { words += ["-F", text(field)] }
    return words.joined(separator: " ")
  }

  private func text(_ field: RuleData.Field) -> String {
    let head = RuleNames.field(field.number) + RuleNames.comparison(field.operation)
    guard let text = field.text else { return head + RuleNames.value(field.value, of: field.number) }
    return head + Self.printable(text)
  }

  /// A key or path of somebody else's rule may hold anything.
  private static func printable(_ bytes: [UInt8]) -> String {
    bytes.map { (0x21...0x7e).contains($0) ? String(UnicodeScalar($0)) : "\\x" + String($0, radix: 16) }.joined()
  }

  private var calls: String {
    // The kernel keeps the last bits of the mask for itself.
    if data.mask.dropLast(2).allSatisfy({ $0 == .max }) { return "all" }
    let named = data.fields.first {
      $0.number == FieldNumber.architecture && $0.operation == AuditCondition.Comparison.equal.rawValue
    }
    let architecture = named.map { AuditArchitecture(rawValue: $0.value) } ?? .native
    let numbers = (0..<RuleData.maskBits).filter(data.contains)
    return numbers.isEmpty ? "none" : numbers.map { RuleNames.call($0, on: architecture) }.joined(separator: ",")
  }
}
