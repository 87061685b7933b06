// Owns reading one table strictly: each key is asked for with its type, and what nobody asked for is reported.
// It must not know what a key means.

internal import PolicyLanguage

/// One table of a document under reading. Every question about a key also makes the key known; `finish` reports the
/// others. A wrong value is reported and read as absent.
struct TableReader {
  let document: Document
  /// As in `log.rate_limit`; empty for the document itself.
  let name: String
  /// Where the table's heading or its braces stand.
  let place: Range<Int>
  private let members: [String: TOMLMember]
  private var known: [String] = []

  init(_ document: Document, name: String, place: Range<Int>, members: [String: TOMLMember]) {
    self.document = document
    self.name = name
    self.place = place
    self.members = members
  }

  /// The keys that stand in the table, in the order in which they stand.
  var keys: [String] { members.keys.sorted { members[$0]!.keyPlace.lowerBound < members[$1]!.keyPlace.lowerBound } }

  /// The keys that name tables.
  var tableKeys: [String] {
    keys.filter { if case .table = members[$0]!.node.value { true } else { false } }
  }

  mutating func node(_ key: String) -> TOMLNode? {
    known.append(key)
    return members[key]?.node
  }

  func fullName(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

  func report(_ key: String, _ node: TOMLNode, _ message: String, hint: String? = nil) {
    document.report(at: node.place, "\(fullName(key)): \(message)", hint: hint)
  }

  func reportKey(_ key: String, _ message: String, hint: String? = nil) {
    document.report(at: members[key]?.keyPlace ?? 0..<0, message, hint: hint)
  }

  mutating func bool(_ key: String) -> Bool? {
    guard let node = node(key) else { return nil }
    guard case .bool(let value) = node.value else {
      report(key, node, "expected true or false, found \(node.kind)")
      return nil
    }
    return value
  }

  mutating func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let node = node(key) else { return nil }
    guard case .integer(let value) = node.value else {
      report(key, node, "expected a whole number, found \(node.kind)")
      return nil
    }
    guard range.contains(value) else {
      report(key, node, "\(value) is out of range", hint: "write \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return value
  }

  mutating func string(_ key: String, expected: String = "a text") -> (text: String, node: TOMLNode)? {
    guard let node = node(key) else { return nil }
    guard case .string(let text) = node.value else {
      report(key, node, "expected \(expected), found \(node.kind)")
      return nil
    }
    return (text, node)
  }

  /// One of a few words.
  mutating func choice<Value>(_ key: String, of words: [(word: String, value: Value)]) -> Value? {
    let names = words.map(\.word)
    guard let (text, node) = string(key, expected: listed(names)) else { return nil }
    if let found = words.first(where: { $0.word == text }) { return found.value }
    let nearest = Suggestion.nearest(to: text, among: Array(names))
    report(
      key, node, "expected \(listed(names)), found \"\(text)\"", hint: nearest.map { "did you mean \"\($0)\"?" })
    return nil
  }

  /// A list of texts; each is checked alone, and a wrong one is left out.
  mutating func strings(_ key: String, check: (String) -> String?) -> [String]? {
    guard let node = node(key) else { return nil }
    guard case .array(let elements) = node.value else {
      report(key, node, "expected a list of texts, found \(node.kind)", hint: "write \(key) = [\"...\"]")
      return nil
    }
    return elements.compactMap { element in
      guard case .string(let text) = element.value else {
        report(key, element, "expected a text, found \(element.kind)")
        return nil
      }
      guard let fault = check(text) else { return text }
      report(key, element, fault)
      return nil
    }
  }

  mutating func table(_ key: String) -> TableReader? {
    guard let node = node(key) else { return nil }
    guard case .table(let members) = node.value else {
      report(key, node, "expected a table, found \(node.kind)")
      return nil
    }
    return TableReader(document, name: fullName(key), place: node.place, members: members)
  }

  /// Reports the keys that nobody asked for.
  func finish() {
    for key in keys where !known.contains(key) {
      let what: String
      if case .table = members[key]!.node.value { what = "table" } else { what = "key" }
      let place = name.isEmpty ? "" : " in [\(name)]"
      let nearest = Suggestion.nearest(to: key, among: Array(known))
      reportKey(
        key, "unknown \(what) \"\(key)\"\(place)",
        hint: nearest.map { "did you mean \($0)?" } ?? "known here: \(known.sorted().joined(separator: ", "))")
    }
  }
}
