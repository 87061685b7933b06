// Owns a rule that Lilium asks the kernel for: `always,exit` on some calls of one architecture.
// It must not know why the rule is wanted.

/// A rule of the exit list, as auditctl(8) would set it. Records come after the call, with its result.
public struct AuditRule: Sendable, Hashable {
  public let architecture: AuditArchitecture
  /// In the order of `KnownCall`, each once, and only those that the architecture has.
  public let calls: [KnownCall]
  /// All must hold.
  public let conditions: [AuditCondition]
  public let key: String

  /// AUDIT_MAX_FIELDS without the architecture and the key, and without one that auditctl(8) does not use.
  public static let maximumConditions = RuleData.maximumFields - 3
  /// AUDIT_MAX_KEY_LEN.
  public static let maximumKey = 256

  /// Nil where the rule cannot be: the architecture has none of the calls, there are too many conditions or one has no
  /// such comparison, or the key is empty, too long or not made of printable ASCII without blank, quote and comma.
  public init?(
    architecture: AuditArchitecture, calls: some Sequence<KnownCall>, conditions: [AuditCondition] = [], key: String
  ) {
    let wanted = Set(calls)
    self.architecture = architecture
    self.calls = KnownCall.allCases.filter { wanted.contains($0) && $0.number(on: architecture) != nil }
    self.conditions = conditions
    self.key = key
    guard !self.calls.isEmpty, conditions.count <= Self.maximumConditions, conditions.allSatisfy(\.isPossible),
      (1...Self.maximumKey).contains(key.utf8.count), key.utf8.allSatisfy(Self.mayStandInKey)
    else { return nil }
  }

  private static func mayStandInKey(_ byte: UInt8) -> Bool {
    (0x21...0x7e).contains(byte) && ![UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: ",")].contains(byte)
  }

  /// The line for auditctl(8) or a file of /etc/audit/rules.d; auditctl makes the same rule of it. The calls stand in
  /// the order of their numbers; one that libaudit has no name for stands there as a number.
  public var text: String {
    let names = calls.compactMap { $0.number(on: architecture) }.sorted().map { RuleNames.call($0, on: architecture) }
    let tests = conditions.map { " -F \($0)" }.joined()
    return "-a always,exit -F arch=\(architecture.name) -S \(names.joined(separator: ","))\(tests) -F key=\(key)"
  }

  var data: RuleData {
    let equal = AuditCondition.Comparison.equal.rawValue
    var fields = [
      RuleData.Field(number: FieldNumber.architecture, operation: equal, value: architecture.rawValue, text: nil)
    ]
    fields += conditions.map {
      RuleData.Field(number: $0.field.rawValue, operation: $0.comparison.rawValue, value: $0.value, text: nil)
    }
    fields.append(
      RuleData.Field(number: FieldNumber.key, operation: equal, value: UInt32(key.utf8.count), text: Array(key.utf8)))
    return RuleData(
      list: ListedRule.List.exit.rawValue, action: ListedRule.Action.always.rawValue,
      mask: RuleData.mask(of: calls.compactMap { $0.number(on: architecture) }), fields: fields)
  }
}

/// A test on a call. The kernel compares 32 bits without sign: of a 64-bit argument only the low half is looked at, and
/// a result of -1 is greater than any other.
public struct AuditCondition: Sendable, Hashable, CustomStringConvertible {
  /// AUDIT_UID and its like (linux/audit.h).
  public enum Field: UInt32, CaseIterable, Sendable, Hashable {
    case pid = 0
    case uid = 1
    case euid = 2
    case suid = 3
    case fsuid = 4
    case gid = 5
    case egid = 6
    case sgid = 7
    case fsgid = 8
    /// The user that logged in (loginuid).
    case auid = 9
    case ppid = 18
    case session = 25
    /// The call's result, -errno where it failed.
    case exit = 103
    /// 1 where the call succeeded.
    case success = 104
    case argument0 = 200
    case argument1 = 201
    case argument2 = 202
    case argument3 = 203
  }

  /// AUDIT_EQUAL and its like.
  public enum Comparison: UInt32, CaseIterable, Sendable, Hashable {
    case bitMask = 0x0800_0000
    case less = 0x1000_0000
    case greater = 0x2000_0000
    case notEqual = 0x3000_0000
    case equal = 0x4000_0000
    case bitTest = 0x4800_0000
    case lessOrEqual = 0x5000_0000
    case greaterOrEqual = 0x6000_0000

    /// As the kernel compares (kernel/auditfilter.c, audit_comparator).
    func holds(_ left: UInt32, _ right: UInt32) -> Bool {
      switch self {
      case .bitMask: left & right != 0
      case .less: left < right
      case .greater: left > right
      case .notEqual: left != right
      case .equal: left == right
      case .bitTest: left & right == right
      case .lessOrEqual: left <= right
      case .greaterOrEqual: left >= right
      }
    }
  }

  public var field: Field
  /// `bitMask`: some bit of the value is set; `bitTest`: all bits of the value are set. Both for arguments only.
  public var comparison: Comparison
  /// A negative result is written in two's complement.
  public var value: UInt32

  public init(_ field: Field, _ comparison: Comparison, _ value: UInt32) {
    self.field = field
    self.comparison = comparison
    self.value = value
  }

  /// The kernel refuses a test of bits on anything but an argument.
  var isPossible: Bool {
    FieldNumber.arguments.contains(field.rawValue) || (comparison != .bitMask && comparison != .bitTest)
  }

  /// As auditctl(8) takes it behind `-F`.
  public var description: String {
    RuleNames.field(field.rawValue) + RuleNames.comparison(comparison.rawValue)
      + RuleNames.value(value, of: field.rawValue)
  }
}
