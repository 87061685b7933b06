// Owns a TOML document as a tree of values, each with its place, and what was found wrong with it.
// It must not know which keys there are.

internal import TOMLKit

/// A value and where it stands.
struct TOMLNode {
  enum Value {
    case table([String: TOMLMember])
    case array([TOMLNode])
    case string(String)
    case integer(Int)
    case bool(Bool)
    /// A kind that no key of the configuration has, by name.
    case other(String)
  }

  let value: Value
  let place: Range<Int>

  /// As in "found a text".
  var kind: String {
    switch value {
    case .table: "a table"
    case .array: "a list"
    case .string: "a text"
    case .integer: "a whole number"
    case .bool: "true or false"
    case .other(let name): name
    }
  }
}

struct TOMLMember {
  let keyPlace: Range<Int>
  let node: TOMLNode
}

/// A text under reading: its lines, and the findings so far.
final class Document {
  let lines: SourceLines
  private(set) var findings: [(offset: Int, finding: Finding)] = []

  init(_ lines: SourceLines) { self.lines = lines }

  func report(at place: Range<Int>, _ message: String, hint: String? = nil) {
    findings.append((place.lowerBound, lines.error(at: place, message, hint: hint)))
  }

  /// The tree, or the one thing for which the text is not TOML.
  static func parse(_ lines: SourceLines) -> Result<TOMLNode, Refusal> {
    if let finding = TextGuard.refusal(of: lines) { return .failure(Refusal(finding: finding)) }
    do {
      let table = try TOMLTable(string: String(decoding: lines.bytes, as: UTF8.self))
      let places = Places(of: lines.bytes)
      return .success(TOMLNode(value: .table(members(of: table, places, Places.root)), place: 0..<0))
    } catch let error as TOMLParseError {
      return .failure(
        Refusal(
          finding: lines.error(
            line: error.source.begin.line, column: error.source.begin.column, "not valid TOML: \(error.description)")))
    } catch {
      return .failure(Refusal(finding: lines.error(at: 0..<0, "not valid TOML: \(error)")))
    }
  }

  struct Refusal: Error {
    let finding: Finding
  }

  private static func members(of table: TOMLTable, _ places: Places, _ node: Int?) -> [String: TOMLMember] {
    var members: [String: TOMLMember] = [:]
    for key in table.keys {
      guard let value = table[key] else { continue }
      let place = node.flatMap { places.member(key, of: $0) }
      let range = place.map { places.nodes[$0].key } ?? 0..<0
      members[key] = TOMLMember(keyPlace: range, node: tree(value, places, place))
    }
    return members
  }

  private static func tree(_ value: any TOMLValueConvertible, _ places: Places, _ node: Int?) -> TOMLNode {
    let place = node.map { places.nodes[$0].value } ?? 0..<0
    let converted: TOMLNode.Value
    if let table = value.table {
      converted = .table(members(of: table, places, node))
    } else if let array = value.array {
      converted = .array(
        (0..<array.count).map { index in tree(array[index], places, node.flatMap { places.element(index, of: $0) }) })
    } else if let text = value.string {
      converted = .string(text)
    } else if let number = value.int {
      converted = .integer(number)
    } else if let flag = value.bool {
      converted = .bool(flag)
    } else {
      converted = .other("a \(value.type)")
    }
    return TOMLNode(value: converted, place: place)
  }
}
