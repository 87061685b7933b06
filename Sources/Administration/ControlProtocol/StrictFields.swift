// Owns reading one JSON object strictly: required and optional fields, and none besides.
// It must not know what the fields mean.

/// A JSON object's fields. Every failure is a `ControlError` that names the field.
struct StrictFields<Key: CodingKey & CaseIterable & Hashable> {
  private let container: KeyedDecodingContainer<AnyKey>

  init(_ decoder: any Decoder) throws { container = try decoder.container(keyedBy: AnyKey.self) }

  func optional<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value? {
    let name = AnyKey(key.stringValue)
    guard container.contains(name) else { return nil }
    do { return try container.decode(Value.self, forKey: name) } catch let error as ControlError {
      throw error
    } catch {
      throw ControlError(.malformed, "\(key.stringValue): not \(Self.described(Value.self))")
    }
  }

  func required<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value {
    guard let value = try optional(type, key) else {
      throw ControlError(.malformed, "\(key.stringValue): missing; write \(Self.described(Value.self))")
    }
    return value
  }

  func word<Value>(_ make: (String) -> Value?, _ names: [String], _ key: Key) throws -> Value {
    guard let value = make(try required(String.self, key)) else {
      throw ControlError(.invalidArgument, "\(key.stringValue): write one of \(names.joined(separator: ", "))")
    }
    return value
  }

  func refuseOthers(than known: [Key]) throws {
    let names = known.map(\.stringValue)
    guard container.allKeys.contains(where: { !names.contains($0.stringValue) }) else { return }
    throw ControlError(.malformed, "a field that this request does not have; it has \(names.joined(separator: ", "))")
  }

  private static func described(_ type: Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is String.Type: "a text"
    default: "an object"
    }
  }
}

/// Any field's name.
struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
