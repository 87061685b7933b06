// Owns where keys and values stand in a TOML document, which TOMLKit does not tell.
// It must not judge the document: it is only used on one that TOMLKit has accepted.

/// The places of a document as a tree that has the shape of its tables and arrays.
struct Places {
  struct Node {
    /// The key's bytes where it stands first; for an element of an array, the value's.
    var key: Range<Int>
    /// The value's bytes; for a table with a heading, the heading's name.
    var value: Range<Int>
    fileprivate var members: [String: Int] = [:]
    fileprivate var elements: [Int] = []
  }

  private(set) var nodes: [Node]
  static let root = 0

  fileprivate init() { nodes = [Node(key: 0..<0, value: 0..<0)] }

  init(of bytes: [UInt8]) {
    var scanner = PlaceScanner(bytes)
    scanner.run()
    self = scanner.places
  }

  func member(_ key: String, of node: Int) -> Int? { nodes[node].members[key] }

  func element(_ index: Int, of node: Int) -> Int? {
    nodes[node].elements.indices.contains(index) ? nodes[node].elements[index] : nil
  }

  fileprivate mutating func enter(_ key: String, of node: Int, at range: Range<Int>) -> Int {
    if let known = nodes[node].members[key] {
      // `[[table]]`: what follows belongs to its last element.
      return nodes[known].elements.last ?? known
    }
    nodes.append(Node(key: range, value: range))
    nodes[node].members[key] = nodes.count - 1
    return nodes.count - 1
  }

  fileprivate mutating func append(to node: Int, at range: Range<Int>) -> Int {
    nodes.append(Node(key: range, value: range))
    nodes[node].elements.append(nodes.count - 1)
    return nodes.count - 1
  }

  fileprivate mutating func setValue(of node: Int, _ range: Range<Int>) { nodes[node].value = range }

  fileprivate mutating func setElement(_ node: Int, _ range: Range<Int>) {
    nodes[node].key = range
    nodes[node].value = range
  }
}

private struct PlaceScanner {
  private let bytes: [UInt8]
  private var index: Int
  var places = Places()

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    index = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
  }

  mutating func run() {
    var table = Places.root
    while let byte = skipBlank() {
      if byte == UInt8(ascii: "[") { table = heading() } else { keyAndValue(in: table) }
    }
  }

  private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

  /// Steps over spaces, line ends and comments; the byte that stands there.
  private mutating func skipBlank() -> UInt8? {
    while let byte {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): index += 1
      case UInt8(ascii: "#"): while let byte = self.byte, byte != UInt8(ascii: "\n") { index += 1 }
      default: return byte
      }
    }
    return nil
  }

  private mutating func skip(_ wanted: Unicode.Scalar) -> Bool {
    guard skipBlank() == UInt8(ascii: wanted) else { return false }
    index += 1
    return true
  }

  private mutating func heading() -> Int {
    index += 1
    let isArray = byte == UInt8(ascii: "[")
    if isArray { index += 1 }
    let parts = dottedKey()
    index = min(index + (isArray ? 2 : 1), bytes.count)
    var table = Places.root
    for part in isArray ? parts.dropLast() : parts[...] {
      table = places.enter(part.text, of: table, at: part.range)
    }
    guard isArray, let last = parts.last else { return table }
    let array = places.member(last.text, of: table) ?? places.enter(last.text, of: table, at: last.range)
    return places.append(to: array, at: last.range)
  }

  private mutating func keyAndValue(in table: Int) {
    var node = table
    for part in dottedKey() { node = places.enter(part.text, of: node, at: part.range) }
    _ = skip("=")
    places.setValue(of: node, value(of: node))
  }

  /// The parts of a key, and the index behind its last one and the spaces that follow.
  private mutating func dottedKey() -> [(text: String, range: Range<Int>)] {
    var parts: [(text: String, range: Range<Int>)] = []
    repeat {
      guard let first = skipBlank() else { break }
      let start = index
      if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
        index = endOfQuoted(bytes, from: index)
      } else {
        while let byte, !" \t.=]\r\n".utf8.contains(byte) { index += 1 }
        // In a document that was accepted a key is never empty; a step is taken all the same.
        if index == start { index += 1 }
      }
      parts.append((keyText(bytes[start..<index]), start..<index))
    } while skip(".")
    _ = skipBlank()
    return parts
  }

  /// Steps over a value and what it holds; its bytes.
  private mutating func value(of node: Int) -> Range<Int> {
    guard let first = skipBlank() else { return index..<index }
    let start = index
    switch first {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): index = endOfQuoted(bytes, from: index)
    case UInt8(ascii: "["): array(node)
    case UInt8(ascii: "{"): inlineTable(node)
    default:
      while let byte, !",]}#\r\n".utf8.contains(byte) { index += 1 }
      var end = index
      while end > start, bytes[end - 1] == UInt8(ascii: " ") || bytes[end - 1] == UInt8(ascii: "\t") { end -= 1 }
      return start..<end
    }
    return start..<index
  }

  private mutating func array(_ node: Int) {
    index += 1
    while let byte = skipBlank(), byte != UInt8(ascii: "]") {
      let start = index
      let element = places.append(to: node, at: start..<start)
      places.setElement(element, value(of: element))
      if !skip(","), index == start { index += 1 }
    }
    index = min(index + 1, bytes.count)
  }

  private mutating func inlineTable(_ node: Int) {
    index += 1
    while let byte = skipBlank(), byte != UInt8(ascii: "}") {
      keyAndValue(in: node)
      _ = skip(",")
    }
    index = min(index + 1, bytes.count)
  }
}
