// How a finding looks, and that nothing in it can steer a terminal.

import PolicyLanguage
import Testing

@Suite struct DiagnosticTests {
  @Test func itLooksLikeACompilers() {
    let diagnostics = parse("# rules\n\ndeny exec when object.pth == \"/x\"").diagnostics
    #expect(
      diagnostics.map(\.rendered) == [
        """
        50-site.rules:3:16: error: unknown attribute "object.pth"
          deny exec when object.pth == "/x"
                         ^~~~~~~~~~
          did you mean object.path?

        """
      ])
    #expect(diagnostics.first?.path == "/etc/lilium/rules.d/50-site.rules")
  }

  @Test func columnsCountCodePointsAndTabsAsOne() {
    #expect(summary("deny\texec\twhen \"ä€😀\" == object.pth") == ["1:25 error: unknown attribute \"object.pth\""])
    #expect(
      parse("deny\texec\twhen \"ä\" == object.pth").diagnostics[0].rendered.split(separator: "\n")[1...2]
        == ["  deny exec when \"ä\" == object.pth", "                        ^~~~~~~~~~"])
  }

  @Test func aFindingBehindTheLineStandsBehindIt() {
    let lines = parse("deny exec when").diagnostics[0].rendered.split(separator: "\n")
    #expect(lines[1...2] == ["  deny exec when", "                ^"])
  }

  @Test func theMarkOfAFindingOverLinesEndsWithItsLine() {
    let found = parse("deny exec when object.owner ==\n  \"root\"").diagnostics[0]
    #expect([found.line, found.column, found.length] == [1, 16, 15])
  }

  @Test func aLongLineIsCutAroundTheFinding() {
    let noise = (0..<50).map { "object.owner == \($0)" }.joined(separator: " || ")
    let lines = parse("deny exec when \(noise) || object.pth == \"/x\" || \(noise)").diagnostics[0].rendered
      .split(separator: "\n").map(Array.init)
    #expect(lines[1].count < 120)
    let mark = lines[2].firstIndex(of: "^") ?? 0
    #expect(String(lines[1][mark..<mark + 10]) == "object.pth")
    #expect(lines[2].count - mark == 10)
    #expect(String(lines[1]).hasPrefix("  ...") && String(lines[1]).hasSuffix("..."))
  }

  @Test(arguments: [
    "\u{1b}[31mred", "a\u{0}b", "\u{7f}", "\u{9b}31m", "\u{202e}gnp", "\u{200b}", "\u{2028}", "\r\u{8}",
  ])
  func nothingInItSteersATerminal(_ text: String) {
    for rule in [
      text, "deny \(text)", "deny exec when \"\(text)\" == object.path", "deny exec when \(text) # \(text)",
      "# \(text)x",
    ] {
      for diagnostic in parse(rule + " ").diagnostics {
        let scalars = (diagnostic.rendered + diagnostic.message + (diagnostic.hint ?? "")).unicodeScalars
        #expect(
          !scalars.contains {
            $0 != "\n"
              && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format
                || $0 == "\u{2028}")
          })
      }
      #expect(!parse(rule + " ").diagnostics.isEmpty)
    }
  }

  @Test func escapedBytesKeepTheMarkInPlace() {
    let bytes = Array("deny exec when \"".utf8) + [0xff, 0x1b] + Array("\" == object.pth".utf8)
    let found = parse(bytes: bytes).diagnostics
    #expect(found.map(\.column) == [17, 18])
    let lines = found[1].rendered.split(separator: "\n")
    #expect(lines[1...2] == ["  deny exec when \"\\xff\\x1b\" == object.pth", "                      ^~~~"])
  }
}
