// Owns the rules that every file keeps: a charter, a size that can be read at one sitting, no leftovers.
// It must not repeat what swift-format and the compiler check.

import Testing

@Suite("The rules of the house")
struct HouseRulesTests {
  static let longestFile = 400
  static let longestFunction = 70
  static let code = Repository.sources.filter { !$0.path.hasSuffix(".modulemap") }
  static let swift = (Repository.sources + Repository.tests).filter(\.isSwift)
  /// This folder names what the others must not.
  static let texts = (Repository.sources + Repository.tests + Repository.companions).filter {
    !$0.path.hasPrefix("Tests/ArchitectureTests/")
  }

  /// Two comment lines at least: what the file owns, what it must not do.
  @Test(arguments: Repository.sources.filter(\.isSwift))
  func opensWithACharter(_ file: SourceFile) {
    let charter = file.lines.prefix(while: { $0.hasPrefix("//") && !$0.hasPrefix("///") })
    #expect(charter.count >= 2, "\(file.path) does not open with a charter of two lines or more")
    let words = charter.joined(separator: " ").lowercased()
    #expect(words.contains(/\bowns?\b/), "\(file.path): its charter does not say what it owns")
  }

  /// The header speaks for the C file beside it.
  @Test(arguments: Repository.sources.filter { $0.path.hasSuffix(".h") })
  func headersOpenWithACharter(_ file: SourceFile) {
    #expect(
      file.text.hasPrefix("// ") || file.text.hasPrefix("/* "),
      "\(file.path) does not open with a comment that says what it owns")
  }

  @Test(arguments: Repository.tests.filter(\.isSwift))
  func testsSayWhatTheyAreFor(_ file: SourceFile) {
    #expect(file.text.hasPrefix("// "), "\(file.path) does not open with a comment that says what it is for")
  }

  @Test(arguments: (code + swift).filter { $0.lines.count > 1 })
  func filesAreShort(_ file: SourceFile) {
    #expect(file.lines.count - 1 <= Self.longestFile, "\(file.path) has \(file.lines.count - 1) lines; split it")
  }

  @Test(arguments: swift)
  func functionsAreShort(_ file: SourceFile) {
    for function in SwiftText(file.text).functions {
      #expect(
        function.length <= Self.longestFunction, "\(file.path):\(function.line) has \(function.length) lines; split it")
    }
  }

  @Test(arguments: texts)
  func nothingIsLeftOver(_ file: SourceFile) {
    for (index, line) in file.lines.enumerated() {
      #expect(
        !line.contains(/\b(?:TODO|FIXME|XXX|HACK)\b|(?:^|[^\w.])\/work\//),
        "\(file.path):\(index + 1) has a leftover: \(line)")
    }
  }
}
