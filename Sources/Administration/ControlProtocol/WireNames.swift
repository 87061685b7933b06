// Owns how the model's words go over the control socket: by the names that rules and records use.
// It must not add words of its own.

public import AccessModel

extension Mechanism: Codable {
  public init(from decoder: any Decoder) throws { self = try named(decoder, Self.init(name:), "mechanism") }
  public func encode(to encoder: any Encoder) throws { try write(name, to: encoder) }
}

extension Mode: Codable {
  public init(from decoder: any Decoder) throws { self = try named(decoder, Self.init(name:), "mode") }
  public func encode(to encoder: any Encoder) throws { try write(name, to: encoder) }
}

extension Verdict: Codable {
  public init(from decoder: any Decoder) throws { self = try named(decoder, Self.init(name:), "verdict") }
  public func encode(to encoder: any Encoder) throws { try write(name, to: encoder) }
}

/// Its raw values are its names.
extension Sensor: Codable {}

private func named<Word: CaseIterable>(
  _ decoder: any Decoder, _ make: (String) -> Word?, _ kind: String
) throws -> Word {
  let container = try decoder.singleValueContainer()
  let name = try container.decode(String.self)
  guard let word = make(name) else {
    throw DecodingError.dataCorruptedError(in: container, debugDescription: "no such \(kind)")
  }
  return word
}

private func write(_ name: String, to encoder: any Encoder) throws {
  var container = encoder.singleValueContainer()
  try container.encode(name)
}
