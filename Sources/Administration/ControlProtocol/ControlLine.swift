// Owns the way between a value and its line of JSON, and the limits that a line must keep.
// It must not read or write a socket.

internal import AccessModel
internal import FoundationEssentials

/// One line of the control protocol, without its line end.
public enum ControlLine {
  /// The most bytes of a request's line.
  public static let longestRequest = 65_536
  /// The most bytes of a reply's line, and of a record.
  public static let longestReply = 4 << 20
  /// Objects and lists in one another: the JSON reader descends once a level.
  private static let deepestNesting = 24

  /// One line of JSON with its line end. No character in it can steer a terminal.
  public static func encode(_ value: some Encodable) -> [UInt8] {
    text(value, []) + [UInt8(ascii: "\n")]
  }

  /// The same for people: indented, with a line end.
  public static func encodePretty(_ value: some Encodable) -> [UInt8] {
    text(value, .prettyPrinted) + [UInt8(ascii: "\n")]
  }

  /// Reads a request's line.
  public static func decodeRequest(_ line: [UInt8]) throws(ControlError) -> ControlRequest {
    try decode(ControlRequest.self, line, limit: longestRequest)
  }

  /// Reads a reply's line.
  public static func decodeReply(_ line: [UInt8]) throws(ControlError) -> ControlReply {
    try decode(ControlReply.self, line, limit: longestReply)
  }

  /// Reads a record's line, or any other JSON.
  public static func decodeValue(_ line: [UInt8]) throws(ControlError) -> JSONValue {
    try decode(JSONValue.self, line, limit: longestReply)
  }

  /// Reads what two daemons say to each other.
  public static func decodeTakeover(_ message: [UInt8]) throws(ControlError) -> TakeoverMessage {
    try decode(TakeoverMessage.self, message, limit: longestReply)
  }

  private static func text(_ value: some Encodable, _ format: JSONEncoder.OutputFormatting) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = format.union([.sortedKeys, .withoutEscapingSlashes])
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinite", negativeInfinity: "-infinite", nan: "unknown")
    do { return harmless([UInt8](try encoder.encode(value))) } catch {
      // None of the protocol's types throws; a caller's type that does still gets a line.
      return Array(#"{"error":{"code":"failed","message":"the reply cannot be written as JSON"},"protocol":1}"#.utf8)
    }
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ line: [UInt8], limit: Int
  ) throws(ControlError) -> Value {
    guard line.count <= limit else { throw ControlError(.lineTooLong, "a line longer than \(limit) bytes") }
    guard nesting(of: line) <= deepestNesting else { throw ControlError(.malformed, "nested too deeply") }
    do { return try JSONDecoder().decode(Value.self, from: Data(line)) } catch let error as ControlError {
      throw error
    } catch {
      throw ControlError(.malformed, "not a JSON object of this protocol; send one object a line")
    }
  }

  /// How deep brackets stand in one another, texts left out.
  private static func nesting(of line: [UInt8]) -> Int {
    var (depth, deepest, index) = (0, 0, 0)
    var isText = false
    while index < line.count {
      let byte = line[index]
      if byte == UInt8(ascii: "\"") {
        isText.toggle()
      } else if isText {
        if byte == UInt8(ascii: "\\") { index += 1 }
      } else if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") {
        depth += 1
        deepest = max(deepest, depth)
      } else if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") {
        depth -= 1
      }
      index += 1
    }
    return deepest
  }

  /// Escapes what JSON leaves as it is and a terminal does not: DEL, C1 controls, direction marks and the like. Outside
  /// texts JSON is ASCII, so that every such character stands in one.
  private static func harmless(_ json: [UInt8]) -> [UInt8] {
    guard json.contains(where: { $0 >= 0x7f }) else { return json }
    var safe: [UInt8] = []
    safe.reserveCapacity(json.count)
    for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
      guard scalar.value >= 0x7f, scalar.isHazard else {
        safe.append(contentsOf: UTF8.encode(scalar)!)
        continue
      }
      for unit in UTF16.encode(scalar)! {
        let digits = String(unit, radix: 16)
        safe.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
      }
    }
    return safe
  }
}
