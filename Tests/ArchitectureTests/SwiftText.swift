// Owns a rough reading of Swift text: its imports, and how long its functions are.
// It must not try to be a parser: it knows comments, strings and braces, and nothing more.

/// Swift text with comments and the content of string literals blanked out, line for line.
struct SwiftText {
  let lines: [String]

  init(_ text: String) {
    var scanner = Blanker(text: Array(text.unicodeScalars))
    lines = scanner.run().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The modules that are imported, `import struct A.B` counted as A.
  var imports: [String] {
    lines.compactMap { line in
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard let position = words.firstIndex(of: "import"), words.prefix(position).allSatisfy(Self.isModifier) else {
        return nil
      }
      let named = words.dropFirst(position + 1).drop(while: { Self.symbolKinds.contains(String($0)) }).first
      return named?.split(separator: ".").first.map(String.init)
    }
  }

  /// Each function with a body: the line of its name, counted from 1, and the number of lines to its closing brace.
  var functions: [(line: Int, length: Int)] {
    lines.indices.compactMap { start in
      guard Self.declaresFunction(lines[start]), let end = endOfBody(from: start) else { return nil }
      return (start + 1, end - start + 1)
    }
  }

  /// The line of the brace that closes the body of the declaration at `start`; nil where it has no body.
  private func endOfBody(from start: Int) -> Int? {
    var braces = 0
    var brackets = 0
    for line in start..<lines.count {
      // Parameters may take several lines; a new line outside them and before `{` ends a requirement without a body.
      for character in lines[line] {
        switch character {
        case "(", "[": brackets += 1
        case ")", "]": brackets -= 1
        case "{": braces += 1
        case "}":
          braces -= 1
          if braces == 0 { return line }
          if braces < 0 { return nil }
        default: break
        }
      }
      let next = line + 1 < lines.count ? lines[line + 1] : ""
      if braces == 0, brackets == 0, !Self.continues(next) { return nil }
    }
    return nil
  }

  /// A signature goes on in a line that begins with its arrow, its effects, its conditions or its body.
  private static func continues(_ line: String) -> Bool {
    let trimmed = line.drop(while: { $0 == " " })
    return ["{", "->", "where ", "throws", "async", ")"].contains { trimmed.hasPrefix($0) }
  }

  private static func declaresFunction(_ line: String) -> Bool {
    let words = line.split(separator: " ")
    for word in words {
      if word == "func" || word == "deinit" { return true }
      if ["init(", "init?(", "init<", "subscript(", "subscript<"].contains(where: { word.hasPrefix($0) }) {
        return true
      }
      if !isModifier(word) { return false }
    }
    return false
  }

  private static func isModifier(_ word: Substring) -> Bool {
    word.hasPrefix("@") || modifiers.contains(String(word)) || word.hasPrefix("nonisolated")
  }

  private static let modifiers: Set<String> = [
    "public", "internal", "package", "private", "fileprivate", "open", "static", "final", "class", "mutating",
    "nonmutating", "consuming", "borrowing", "override", "required", "convenience", "unsafe",
  ]
  private static let symbolKinds: Set<String> = [
    "struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor",
  ]
}

/// Replaces comments and string content with spaces and keeps every line break.
private struct Blanker {
  let text: [Unicode.Scalar]
  var position = 0
  var result = String.UnicodeScalarView()

  init(text: [Unicode.Scalar]) { self.text = text }

  mutating func run() -> String {
    while position < text.count {
      if starts("//") {
        blank { !$0.starts("\n") }
      } else if starts("/*") {
        blankBlockComment()
      } else if let hashes = startsString() {
        blankString(hashes)
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return String(result)
  }

  private func starts(_ word: String) -> Bool {
    let scalars = Array(word.unicodeScalars)
    return position + scalars.count <= text.count && text[position..<position + scalars.count].elementsEqual(scalars)
  }

  /// The number of `#` before the quotation mark where a string begins here.
  private func startsString() -> Int? {
    var index = position
    while index < text.count, text[index] == "#" { index += 1 }
    return index < text.count && text[index] == "\"" ? index - position : nil
  }

  private mutating func skip(_ count: Int) {
    for _ in 0..<count where position < text.count {
      result.append(text[position] == "\n" ? "\n" : " ")
      position += 1
    }
  }

  private mutating func blank(while condition: (Blanker) -> Bool) {
    while position < text.count, condition(self) { skip(1) }
  }

  private mutating func blankBlockComment() {
    var depth = 0
    repeat {
      if starts("/*") {
        depth += 1
        skip(2)
      } else if starts("*/") {
        depth -= 1
        skip(2)
      } else {
        skip(1)
      }
    } while depth > 0 && position < text.count
  }

  private mutating func blankString(_ hashes: Int) {
    let hash = String(repeating: "#", count: hashes)
    skip(hashes)
    let quote = starts("\"\"\"") ? "\"\"\"" : "\""
    skip(quote.count)
    while position < text.count, !starts(quote + hash) {
      // A one-line string that is not closed ends with its line, so that an error here stays small.
      if quote.count == 1, starts("\n") { return }
      skip(starts("\\" + hash) ? 2 + hashes : 1)
    }
    skip(quote.count + hashes)
  }
}
