// Owns what hostile bytes do to the reading of a configuration: nothing but a finding.

import AccessModel
import Configuration
import Synchronization
import SystemCalls
import Testing

@Suite struct HostileTests {
  @Test(
    arguments: [
      ([0x61, 0x20, 0x3d, 0x20, 0xff], 5, "byte 0xff is not UTF-8"),
      ([0x23, 0xc3], 2, "byte 0xc3 is not UTF-8"),
      ([0x23, 0xed, 0xa0, 0x80], 2, "byte 0xed is not UTF-8"),
      ([0x23, 0x61, 0x00, 0x62], 3, "a NUL character in the text"),
    ] as [([UInt8], Int, String)])
  func bytesThatAreNoText(_ bytes: [UInt8], _ column: Int, _ message: String) {
    let (configuration, findings) = Configuration.parse(bytes, path: "x")
    #expect(configuration == nil)
    #expect(findings.map(\.message) == [message])
    #expect(findings.first?.place?.column == column)
  }

  /// A text that ends early for a C string would name another file.
  @Test(arguments: [#"control.socket = "/run/a\u0000b""#, #""mo\U00000000de" = 1"#, "x = \"\"\"\n\\u0000\"\"\""])
  func escapedNULIsRefused(_ text: String) {
    #expect(parsed(text).findings.map(\.message) == ["a text cannot hold NUL"])
  }

  @Test func aBackslashBeforeTheEscapeMakesItPlain() {
    #expect(parsed(#"control.socket = "/run/a\\u0000b""#).configuration?.control.socket == #"/run/a\u0000b"#)
    #expect(parsed(#"control.socket = '/run/a\u0000b'"#).configuration?.control.socket == #"/run/a\u0000b"#)
  }

  static let bombs = [
    "a = " + String(repeating: "[", count: 200_000),
    "a = " + String(repeating: "{a=", count: 100_000),
    String(repeating: "a.", count: 200_000) + "a = 1",
    "[" + String(repeating: "a . ", count: 100_000) + "a]",
    String(repeating: "\"a\".", count: 100_000) + "a = 1\nbad",
    "a = [\n" + String(repeating: "{a.a.a.a.a.a.a.a = [\n", count: 10_000),
  ]

  /// On a thread with a small stack, as the daemon reloads.
  @Test(arguments: bombs.indices)
  func depthBombsAreRefused(_ index: Int) throws {
    let text = Self.bombs[index]
    let messages = Mutex<[String]>([])
    let thread = try Thread.start("bomb") { messages.withLock { $0 = parsed(text).findings.map(\.message) } }
    thread.join()
    #expect(messages.withLock { $0 } == ["nested too deeply"])
  }

  @Test func theDeepestThatIsAllowedFitsASmallStack() throws {
    let line = "{" + String(repeating: "a.", count: 31) + "a = [\n"
    let text = "a = [\n" + String(repeating: line, count: 7) + "]" + String(repeating: "}]", count: 7)
    let messages = Mutex<[String]>([])
    let thread = try Thread.start("deep") { messages.withLock { $0 = parsed(text).findings.map(\.message) } }
    thread.join()
    #expect(messages.withLock { $0 } == ["unknown key \"a\""])
  }

  @Test func nothingOfTheTextReachesTheTerminalRaw() {
    for text in ["\"\\u001b[31m\\u202e\" = 1", "mode.exec = \"\\u009b\\u007f\"", "log.sinks = ['\u{202e}x\u{2028}']"] {
      for finding in parsed(text).findings {
        let harmful = finding.rendered.unicodeScalars.filter {
          ($0.value < 0x20 && $0 != "\n") || (0x7f...0x9f).contains($0.value) || $0 == "\u{202e}" || $0 == "\u{2028}"
        }
        #expect(harmful.isEmpty)
      }
    }
  }

  @Test func aLongLineIsCutAroundTheFinding() throws {
    let text = "log.sinks = [" + String(repeating: "\"journal\", ", count: 5000) + "\"x\"]"
    let finding = try #require(parsed(text).findings.first { $0.message.contains("found \"x\"") })
    #expect(finding.rendered.utf8.count < 500)
    #expect(finding.rendered.contains("..."))
    let lines = finding.rendered.split(separator: "\n")
    let mark = lines[2].prefix { $0 == " " }.count
    #expect(lines[1].dropFirst(mark).hasPrefix("\"x\"]"))
  }

  @Test func bytesAreEscapedForPrint() {
    #expect(Printable.text(bytes: [0x61, 0xff, 0x1b, 0xc3, 0xa9, 0xe2, 0x80, 0xae]) == "a\\xff\\u{1b}é\\u{202e}")
    #expect(Printable.text("a\tb") == "a b")
  }
}
