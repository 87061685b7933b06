// Owns which records a watcher wants to see.
// It must not write records.

public import AccessModel

/// What a watcher wants; nil takes all.
public struct WatchFilter: Sendable, Hashable {
  public var mechanism: Mechanism?
  public var verdict: Verdict?

  public init(mechanism: Mechanism? = nil, verdict: Verdict? = nil) {
    self.mechanism = mechanism
    self.verdict = verdict
  }

  /// Whether a record's line, as DecisionRecord writes it, is wanted. A record without the field in question, such as
  /// `loss`, always is. JSON escapes a quote inside a text, so the bytes looked for are the field and nothing else.
  public func wants(_ line: [UInt8]) -> Bool {
    agrees(line, "\"mechanism\":\"", mechanism?.name) && agrees(line, "\"verdict\":\"", verdict?.name)
  }

  private func agrees(_ line: [UInt8], _ field: String, _ value: String?) -> Bool {
    guard let value, let start = end(of: Array(field.utf8), in: line) else { return true }
    return line[start...].starts(with: (value + "\"").utf8)
  }

  private func end(of part: [UInt8], in line: [UInt8]) -> Int? {
    guard part.count <= line.count else { return nil }
    return line.withUnsafeBufferPointer { bytes in
      for start in 0...(bytes.count - part.count) where bytes[start] == part[0] {
        if bytes[start..<start + part.count].elementsEqual(part) { return start + part.count }
      }
      return nil
    }
  }
}

extension WatchFilter: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case mechanism, verdict
  }

  public init(from decoder: any Decoder) throws {
    let fields = try StrictFields<Key>(decoder)
    if try fields.optional(String.self, .mechanism) != nil {
      mechanism = try fields.word(Mechanism.init(name:), Mechanism.allCases.map(\.name), .mechanism)
    }
    if try fields.optional(String.self, .verdict) != nil {
      verdict = try fields.word(Verdict.init(name:), Verdict.allCases.map(\.name), .verdict)
    }
    try fields.refuseOthers(than: Key.allCases)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encodeIfPresent(mechanism, forKey: .mechanism)
    try container.encodeIfPresent(verdict, forKey: .verdict)
  }
}
