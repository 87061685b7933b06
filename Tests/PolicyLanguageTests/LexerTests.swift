// Characters, literals and escapes, hostile bytes among them.

import AccessModel
import PolicyLanguage
import Testing

@Suite struct LexerTests {
  /// The bytes of the string literal in `object.interpreter == LITERAL`.
  private func value(_ literal: String) -> [UInt8]? {
    let (rules, diagnostics) = parse("deny exec when object.interpreter == \(literal)")
    guard diagnostics.isEmpty, case .compare(.equal, _, .string(let bytes))? = rules.rules.first?.condition else {
      return nil
    }
    return bytes
  }

  @Test(arguments: [
    (#""""#, ""), (#"''"#, ""), (#""a'b""#, "a'b"), (#"'a"b'"#, "a\"b"), (#""ä€😀""#, "ä€😀"), ("\"a\tb\"", "a\tb"),
    (#""\a\b\f\n\r\t\v""#, "\u{7}\u{8}\u{c}\n\r\t\u{b}"), (#""\\\?\"\'\`""#, "\\?\"'`"),
    (#""\x41\X7a""#, "Az"), (#""\xff""#, "ÿ"), (#""\u00e4\u20AC""#, "ä€"), (#""\U0001F600""#, "😀"),
    (#""\101\000\377""#, "A\0ÿ"), (#"r"\n\x41""#, "\\n\\x41"), (#"R'\'"#, "\\"), (#""\u202e""#, "\u{202e}"),
  ])
  func strings(_ literal: String, _ expected: String) {
    #expect(value(literal) == Array(expected.utf8))
  }

  @Test(arguments: [
    Refusal(#""abc"#, 1, 4, "the string is not closed", hint: "end it with \" on the same line"),
    Refusal(#""abc\""#, 1, 6, "the string is not closed"),
    Refusal(#""abc\"#, 1, 5, "the string is not closed"),
    Refusal(#""\q""#, 2, 2, #""\q" is not an escape that stands for a character"#),
    Refusal(#""\x4""#, 2, 3, #""\x4" is not an escape that stands for a character"#),
    Refusal(#""\u12g4""#, 2, 4, #""\u12" is not an escape that stands for a character"#),
    Refusal(#""\ud800""#, 2, 6, #""\ud800" is not an escape that stands for a character"#),
    Refusal(#""\U00110000""#, 2, 10, #""\U00110000" is not an escape that stands for a character"#),
    Refusal(#""\400""#, 2, 2, #""\4" is not an escape that stands for a character"#),
    Refusal(#""\08""#, 2, 2, #""\0" is not an escape that stands for a character"#),
    Refusal(#""\é""#, 2, 2, #""\é" is not an escape that stands for a character"#),
    Refusal("\"\"\"x\"\"\"", 1, 7, "strings over several lines are not part of the rule language"),
    Refusal("b\"x\"", 1, 4, "byte strings are not part of the rule language", hint: "write the text without the b"),
    Refusal("\"a\u{1b}[31mb\"", 3, 1, "control or invisible character U+001B in a string", hint: "write it as \\u001b"),
    Refusal("\"a\u{0}b\"", 3, 1, "control or invisible character U+0000 in a string"),
    Refusal("\"a\u{202e}b\"", 3, 1, "control or invisible character U+202E in a string", hint: "write it as \\u202e"),
    Refusal(
      "\"a\u{e0001}b\"", 3, 1, "control or invisible character U+E0001 in a string", hint: "write it as \\U000e0001"),
  ])
  func brokenStrings(_ refusal: Refusal) throws { try check(refusal, before: "deny exec when object.interpreter == ") }

  @Test(arguments: [
    Refusal("0755", 1, 4, "a number must not begin with 0: it would be decimal, not octal", hint: "octal 755 is 0x1ed"),
    Refusal("099", 1, 3, "a number must not begin with 0: it would be decimal, not octal"),
    Refusal("18446744073709551616", 1, 20, "the number does not fit into 64 bits"),
    Refusal("0xFFFFFFFFFFFFFFFFF", 1, 19, "the number does not fit into 64 bits"),
    Refusal("18446744073709551615", 1, 20, "the number is out of range"),
    Refusal("0x", 1, 2, "\"0x\" lacks its digits"),
    Refusal("5u", 1, 2, "\"5u\" is not a whole number", hint: "there are no unsigned numbers; leave out the u"),
    Refusal("1.5", 1, 3, "\"1.5\" is not a whole number", hint: "there are no fractions"),
    Refusal("1e3", 1, 3, "\"1e3\" is not a whole number", hint: "there are no fractions"),
    Refusal("0xfg", 1, 4, "\"0xfg\" is not a whole number"),
    Refusal("12abc", 1, 5, "\"12abc\" is not a whole number"),
    Refusal("1 + 1", 3, 1, "arithmetic is not part of the rule language"),
    Refusal("1 // one", 3, 1, "arithmetic is not part of the rule language", hint: "comments begin with #"),
    Refusal("= 1", 1, 1, "stray \"=\"", hint: "write == to compare"),
    Refusal("1 & 1", 3, 1, "stray \"&\"", hint: "write && between conditions; there are no bit operators"),
    Refusal("1 | 1", 3, 1, "stray \"|\""),
    Refusal(
      "1 ? 1", 3, 1, "the ternary operator ? : is not part of the rule language",
      hint: "write two rules, or use && and ||"),
    Refusal("{1}", 1, 1, "maps and messages are not part of the rule language"),
    Refusal("1;", 2, 1, "stray \";\"", hint: "a rule ends with its line"),
    Refusal("\u{201c}1", 1, 1, "stray quote", hint: "write \" or '"),
    Refusal("ä", 1, 1, "stray character \"ä\""),
    Refusal("\u{0}", 1, 1, "control or invisible character U+0000 in a rule", hint: "remove it"),
    Refusal("\u{feff}1", 1, 1, "control or invisible character U+FEFF in a rule"),
    Refusal("1\r", 2, 1, "control or invisible character U+000D in a rule"),
    Refusal("1 # \u{1b}[2J", 5, 1, "control or invisible character U+001B in a comment"),
    Refusal("1 # \u{202e}", 5, 1, "control or invisible character U+202E in a comment"),
  ])
  func strayCharactersAndNumbers(_ refusal: Refusal) throws {
    try check(refusal, before: "deny exec when object.size == ")
  }

  private func check(_ refusal: Refusal, before prefix: String) throws {
    // A final space keeps a CR from being the line's end.
    let (rules, diagnostics) = parse(prefix + refusal.text + (refusal.text.hasSuffix("\r") ? " " : ""))
    #expect(rules.rules.isEmpty)
    let found = try #require(diagnostics.first)
    #expect(found.message == refusal.message)
    #expect([found.column, found.length] == [prefix.count + refusal.column, refusal.length])
    if let hint = refusal.hint { #expect(found.hint == hint) }
  }

  @Test func invalidUTF8IsRefusedInARuleAndPassesInAComment() {
    func bytes(_ text: String, _ middle: [UInt8], _ rest: String) -> [UInt8] {
      Array(text.utf8) + middle + Array(rest.utf8)
    }
    #expect(parse(bytes: bytes("# M", [0xfc], "ller\ndeny exec")).diagnostics.isEmpty)
    for bad: [UInt8] in [[0xfc], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xe2, 0x82]] {
      let inString = parse(bytes: bytes("deny exec when object.path == \"/ä", bad, "\"")).diagnostics
      #expect(inString.first.map(summary)?.hasPrefix("1:34 error: byte \\x") == true)
      let outside = parse(bytes: bytes("deny exec when ", bad, "")).diagnostics
      #expect(outside.first.map(summary)?.hasPrefix("1:16 error: byte \\x") == true)
    }
  }

  @Test func aByteOrderMarkAndCRLFAreNoText() {
    let (rules, diagnostics) = parse(
      bytes: [0xef, 0xbb, 0xbf] + Array("deny exec when object.setuid\r\ndeny exec wen\r\n".utf8))
    #expect(rules.rules.map(\.reference.text) == ["deny exec when object.setuid"])
    #expect(diagnostics.map(summary) == ["2:11 error: expected \"when\" or the end of the rule, found \"wen\""])
  }
}
