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

  /// Whether a record's line, as DecisionRecord writes it, is wanted: every one that is not a decision is. JSON escapes
  /// a quote inside a text, so the bytes looked for are the field and nothing else.
  public func wants(_ line: [UInt8]) -> Bool {
    let wanted = [("mechanism", mechanism?.name), ("verdict", verdict?.name)]
    guard mechanism != nil || verdict != nil, holds(line, "\"kind\":\"decision\"") else { return true }
    return wanted.allSatisfy { name, value in value.map { holds(line, "\"\(name)\":\"\($0)\"") } ?? true }
  }

  private func holds(_ line: [UInt8], _ text: String) -> Bool {
    let part = Array(text.utf8)
    guard part.count <= line.count else { return false }
    return line.withUnsafeBufferPointer { bytes in
      (0...(bytes.count - part.count)).contains { start in
        bytes[start] == part[0] && bytes[start..<start + part.count].elementsEqual(part)
      }
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
