// Owns the ordered tree of names and values that every form of a record is made from.
// It must not know a form: JSON, journal and terminal read it.

/// One value of a record.
public enum FieldValue: Sendable, Hashable {
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  /// Lilium's own words.
  case text(String)
  /// What the kernel or a file system gave: any bytes, UTF-8 or not.
  case bytes([UInt8])
  case texts([String])
  case group(FieldGroup)
  case groups([FieldGroup])
}

public struct Field: Sendable, Hashable {
  public let name: String
  public let value: FieldValue

  public init(_ name: String, _ value: FieldValue) {
    self.name = name
    self.value = value
  }
}

/// Fields in their order. A fact that is not known has no field.
public struct FieldGroup: Sendable, Hashable {
  public private(set) var fields: [Field] = []

  public init() {}

  /// The value of a name, or nil.
  public subscript(name: String) -> FieldValue? { fields.first { $0.name == name }?.value }

  mutating func add(_ name: String, _ value: FieldValue) { fields.append(Field(name, value)) }
  mutating func add(_ name: String, _ text: String) { add(name, .text(text)) }
  mutating func add(_ name: String, _ bytes: [UInt8]) { add(name, .bytes(bytes)) }
  mutating func add(_ name: String, _ flag: Bool) { add(name, .bool(flag)) }
  mutating func add(_ name: String, _ number: some FixedWidthInteger & UnsignedInteger) {
    add(name, .unsigned(UInt64(number)))
  }
  mutating func add(_ name: String, _ number: some FixedWidthInteger & SignedInteger) {
    add(name, .integer(Int64(number)))
  }

  /// Adds the text only where there is one.
  mutating func add(_ name: String, ifKnown text: String?) {
    if let text { add(name, text) }
  }
}
