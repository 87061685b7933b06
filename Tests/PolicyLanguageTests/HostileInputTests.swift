// Input that wants to crash, hang or hide: depth, length, noise.

import AccessModel
import PolicyLanguage
import Testing

@Suite struct HostileInputTests {
  private func nested(_ depth: Int, _ open: String, _ close: String) -> [String] {
    summary(
      "deny exec when " + String(repeating: open, count: depth) + "object.setuid"
        + String(repeating: close, count: depth))
  }

  @Test(arguments: [("(", ")"), ("!", "")])
  func depthIsBounded(_ open: String, _ close: String) {
    #expect(nested(60, open, close) == [])
    #expect(nested(70, open, close).count == 1)
    #expect(nested(70, open, close).first?.hasSuffix("error: the condition nests deeper than 64 levels") == true)
    #expect(nested(200_000, open, close).count == 1)
  }

  @Test(arguments: ["(", "[", "!", "!(", "size(", "object.path.size(", "- ", "a.", "1 == ", "true == "])
  func aLongRunOfOpeningsIsOneError(_ piece: String) {
    let found = summary("deny exec when " + String(repeating: piece, count: 100_000))
    #expect(found.count == 1)
  }

  @Test(arguments: [" == true", ".size()"])
  func aLongChainIsOneError(_ piece: String) {
    #expect(summary("deny exec when true" + String(repeating: piece, count: 100_000)).count == 1)
  }

  @Test func aLongFlatConditionIsFine() {
    let parts = (0..<20_000).map { "object.owner == \($0)" }
    for symbol in [" || ", " && "] {
      #expect(summary("deny exec when " + parts.joined(separator: symbol)) == [])
    }
    let paths = (0..<50_000).map { "\"/usr/bin/\($0)\"" }.joined(separator: ", ")
    let (rules, diagnostics) = parse("deny open when object.path in [\(paths)]")
    #expect(diagnostics.isEmpty)
    #expect(rules.rules[0].anchors?.count == 50_000)
  }

  @Test(arguments: ["@", "\"\\q\" ", "object.x == 1 && ", "\u{1b}", "\u{e9}", "'", "\0"])
  func aLineOfAMebibyteHasFewFindings(_ piece: String) {
    let noise = String(repeating: piece, count: (1 << 20) / piece.utf8.count)
    let diagnostics = parse("deny exec when \(noise)\nallow exec").diagnostics
    #expect(!diagnostics.isEmpty && diagnostics.count <= 33)
    #expect(diagnostics.allSatisfy { $0.line == 1 && $0.rendered.utf8.count < 2000 })
  }

  @Test func findingsOfAFileAreBounded() {
    let diagnostics = parse(String(repeating: "x\n", count: 5000)).diagnostics
    #expect(diagnostics.count == 1001)
    #expect(diagnostics.last?.message == "4000 more findings in this file are not shown")
  }

  @Test func randomBytesNeverCrash() {
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    let words = [
      "deny ", "exec ", "when ", "object.path", "(", ")", "[", "]", "\"", "'", "\\", "==", "&&", "!", "\n", "#", "\r",
      "-9",
    ]
    for _ in 0..<2000 {
      var bytes: [UInt8] = []
      for _ in 0..<next() % 40 {
        if next() % 3 == 0 {
          bytes.append(UInt8(truncatingIfNeeded: next()))
        } else {
          bytes += Array(words[Int(next()) % words.count].utf8)
        }
      }
      let first = parse(bytes: bytes).diagnostics
      #expect(first == parse(bytes: bytes).diagnostics)
      #expect(first.allSatisfy { $0.line >= 1 && $0.column >= 1 && $0.length >= 1 })
    }
  }
}
