// Owns the layout of struct audit_rule_data (linux/audit.h), in which rules go to the kernel and come back from it.
// Host byte order.
// It must not know what a field means.

/// Fields and their order in a rule, with the strings that some of them carry.
struct RuleData: Sendable, Hashable {
  /// One `-F` of a rule. `operation` is AUDIT_EQUAL and its like.
  struct Field: Sendable, Hashable {
    var number: UInt32
    var operation: UInt32
    /// The value, or the length of `text`.
    var value: UInt32
    var text: [UInt8]?
  }

  var list: UInt32
  var action: UInt32
  var mask: [UInt32]
  var fields: [Field]

  /// AUDIT_MAX_FIELDS, AUDIT_BITMASK_SIZE.
  static let maximumFields = 64
  static let maskWords = 64
  /// Calls that a mask has room for.
  static let maskBits = UInt32(maskWords * 32)
  /// Bytes before the strings.
  static let headSize = 4 * (3 + maskWords + 3 * maximumFields + 1)
  /// AUDIT_FILTER_PREPEND: where a rule was put, which is not part of it.
  private static let prepend: UInt32 = 0x10

  init(list: UInt32, action: UInt32, mask: [UInt32], fields: [Field]) {
    self.list = list
    self.action = action
    self.mask = mask
    self.fields = fields
  }

  /// Nil where the bytes are no rule: too short, too many fields, strings that go past the end.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.headSize else { return nil }
    func word(_ index: Int) -> UInt32 {
      // Within the head, whose size was checked.
      unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self) }
    }
    let count = Int(word(2))
    guard count <= Self.maximumFields else { return nil }
    var strings = bytes[Self.headSize...].prefix(Int(word(3 + Self.maskWords + 3 * Self.maximumFields)))
    var fields: [Field] = []
    for index in 0..<count {
      let first = 3 + Self.maskWords + index
      var field = Field(
        number: word(first), operation: word(first + 2 * Self.maximumFields),
        value: word(first + Self.maximumFields), text: nil)
      if FieldNumber.carriesText(field.number) {
        guard Int(field.value) <= strings.count else { return nil }
        field.text = Array(strings.prefix(Int(field.value)))
        strings = strings.dropFirst(Int(field.value))
      }
      fields.append(field)
    }
    list = word(0) & ~Self.prepend
    action = word(1)
    mask = (3..<3 + Self.maskWords).map(word)
    self.fields = fields
  }

  /// As the kernel takes it. At most `maximumFields` fields.
  var bytes: [UInt8] {
    let strings = fields.flatMap { $0.text ?? [] }
    let room = [UInt32](repeating: 0, count: Self.maximumFields - fields.count)
    var words = [list, action, UInt32(fields.count)] + mask
    words += fields.map(\.number) + room
    words += fields.map(\.value) + room
    words += fields.map(\.operation) + room
    words.append(UInt32(strings.count))
    return words.flatMap { unsafe withUnsafeBytes(of: $0) { unsafe Array($0) } } + strings
  }

  func contains(_ call: UInt32) -> Bool {
    call < Self.maskBits && mask[Int(call / 32)] & (1 << (call % 32)) != 0
  }

  /// A mask of these calls; numbers that have no room in it are left out.
  static func mask(of calls: [UInt32]) -> [UInt32] {
    var mask = [UInt32](repeating: 0, count: maskWords)
    for call in calls where call < maskBits { mask[Int(call / 32)] |= 1 << (call % 32) }
    return mask
  }
}

/// Numbers of fields, actions and lists that Lilium itself uses.
enum FieldNumber {
  static let architecture: UInt32 = 11
  static let messageType: UInt32 = 12
  static let exit: UInt32 = 103
  static let watch: UInt32 = 105
  static let permission: UInt32 = 106
  static let directory: UInt32 = 107
  static let fileType: UInt32 = 108
  static let executable: UInt32 = 112
  static let arguments: ClosedRange<UInt32> = 200...203
  static let key: UInt32 = 210

  /// Whether the field's value is a string: security labels, paths, the key.
  static func carriesText(_ number: UInt32) -> Bool {
    switch number {
    case 13...17, 19...23, watch, directory, executable, key: true
    default: false
    }
  }
}
