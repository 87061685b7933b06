// What is a rule and what is not, with exact places.

import AccessModel
import PolicyLanguage
import Testing

@Suite struct GrammarTests {
  @Test(arguments: [
    "allow exec",
    "deny ptrace",
    "  deny\texec   when true && object.links == 0  # why",
    "deny exec when object.links == 0",
    "deny exec when object.size >= -9223372036854775808 && object.size < 9223372036854775807",
    "deny exec when object.mode == 0x1ED || object.mode == 0X1ed",
    "deny exec when object.size > - 5",
    "deny exec when !object.path_verified",
    "deny exec when !!object.path_verified",
    "deny exec when object.path in [\"/a\", '/b', r\"/c\\d\", R'/e']",
    "deny exec when object.owner in [0, -1, 0x10,]",
    "deny exec when (object.path) == \"/x\"",
    "deny exec when object . path . startsWith ( \"/x\" )",
    "deny exec when size(object.path) > 3 && object.path.size() > 3",
    "deny exec when size(subject.groups) == 0 || subject.capabilities.size() > 0",
    "deny exec when subject.uid in subject.groups",
    "deny exec when \"CAP_SYS_ADMIN\" in subject.capabilities",
    "deny exec when object.path.matches(r\"^/x\\.[a-z]+$\")",
    "deny exec when object.setuid == (object.owner == 0)",
    "deny exec when object.path == object.interpreter",
    "deny exec when object.path < \"/b\"",
    "deny exec when object.path != \"/a#b\" # and a comment",
    "deny mount when object.fstype in [\"nfs\", \"fuse\"]",
    "allow ioctl when subject.uid == 0",
    "deny exec when subject.unit == \"\"",
    "deny exec when object.path in []",
    "deny exec when operation.kind == \"open\" && object.kind != \"script\"",
  ])
  func accepts(_ text: String) {
    let (rules, diagnostics) = parse(text)
    #expect(diagnostics.map(summary) == [])
    #expect(rules.rules.count == 1)
  }

  @Test(arguments: [
    Refusal("alow exec", 1, 4, "a rule begins with allow or deny, not with \"alow\"", hint: "did you mean allow?"),
    Refusal("hello world", 1, 5, "a rule begins with allow or deny, not with \"hello\""),
    Refusal("\"x\" exec", 1, 3, "expected allow or deny, found a string"),
    Refusal("deny", 5, 1, "the mechanism is missing"),
    Refusal("deny when true", 6, 4, "the mechanism is missing"),
    Refusal("deny exce", 6, 4, "unknown mechanism \"exce\"", hint: "did you mean exec?"),
    Refusal(
      "deny fork", 6, 4, "unknown mechanism \"fork\"",
      hint: "one of exec, open, ptrace, mprotect, module, kexec, mount, clone, ioctl"),
    Refusal(
      "deny exec, module", 10, 1, "expected \"when\" or the end of the rule, found \",\"",
      hint: "a rule is about one mechanism; write one rule for each"),
    Refusal("deny exec if true", 11, 2, "expected \"when\" or the end of the rule, found \"if\"", hint: "write when"),
    Refusal("deny exec when", 15, 1, "the condition is missing"),
    Refusal("deny exec when # nothing", 15, 1, "the condition is missing"),
    Refusal("deny exec when object.setuid &&", 32, 1, "the condition is not finished"),
    Refusal("deny exec when (object.setuid", 16, 1, "this \"(\" is not closed"),
    Refusal("deny exec when object.path in [\"/a\"", 31, 1, "this \"[\" is not closed"),
    Refusal("deny exec when object.path in [\"/a\" \"/b\"]", 37, 4, "expected \",\" or \"]\", found a string"),
    Refusal("deny exec when (object.setuid]", 30, 1, "expected an operator or \")\", found \"]\""),
    Refusal("deny exec when object.setuid)", 29, 1, "expected an operator or the end of the rule, found \")\""),
    Refusal(
      "deny exec when object.setuid object.setgid", 30, 6,
      "expected an operator or the end of the rule, found \"object\""),
    Refusal(
      "deny exec when object.setuid and object.setgid", 30, 3, "expected an operator, found \"and\"", hint: "write &&"),
    Refusal(
      "deny exec when object.setuid or object.setgid", 30, 2, "expected an operator, found \"or\"", hint: "write ||"),
    Refusal("deny exec when not object.setuid", 16, 3, "there is no \"not\"", hint: "write !"),
    Refusal("deny exec when true when true", 21, 4, "a rule has one \"when\""),
    Refusal("deny exec when object.", 23, 1, "expected a name after \".\""),
    Refusal("deny exec when object.path.size(", 32, 1, "this \"(\" is not closed"),
    Refusal("deny exec when size(object.path,)", 33, 1, "expected a value, found \")\""),
    Refusal("deny exec when object.path.size().foo", 35, 3, "only a function can follow here"),
    Refusal("deny exec when == 3", 16, 2, "expected a value, found \"==\""),
    Refusal("deny exec when object.size == -object.links", 32, 6, "expected a number after \"-\""),
    Refusal("deny exec when object.size == null", 31, 4, "null is not part of the rule language"),
    Refusal("deny exec when object.size == 9223372036854775808", 31, 19, "the number is out of range"),
    Refusal("deny exec when object.size == -9223372036854775809", 31, 20, "the number is out of range"),
  ])
  func refuses(_ refusal: Refusal) throws {
    let (rules, diagnostics) = parse(refusal.text)
    #expect(rules.rules.isEmpty)
    try #require(diagnostics.count == 1, "\(diagnostics.map(summary))")
    let found = diagnostics[0]
    #expect(found.message == refusal.message)
    #expect([found.line, found.column, found.length] == [1, refusal.column, refusal.length])
    if let hint = refusal.hint { #expect(found.hint == hint) }
    #expect(found.severity == .error)
  }

  @Test func aRuleGoesOnInsideBracketsAndAfterOperators() {
    let text = """
      deny exec when object.path in [
          "/a", # the first

          "/b",
        ] &&
        !(object.setuid
          || object.setgid) ||
        object.owner ==
          1
      allow exec when
        object.owner in
          [0]
      """
    let (rules, diagnostics) = parse(text)
    #expect(diagnostics.map(summary) == [])
    #expect(rules.rules.map(\.reference.line) == [1, 10])
  }

  @Test func aRuleEndsWithItsLineElsewhere() {
    #expect(parse("deny exec when object.setuid))\n== 1").diagnostics.map(\.line) == [1, 2])
    #expect(
      summary("deny exec when object.setuid\n  && object.setgid") == [
        "2:3 error: expected allow or deny, found \"&&\""
      ])
    #expect(
      summary("deny exec when object.setuid && \\\n  object.setgid").first
        == "1:33 error: stray \"\\\"")
  }

  @Test func theTextOfARuleIsJoined() {
    let (rules, diagnostics) = parse(
      "  deny exec when object.path in [  # list\r\n\t\"/a\",\r\n\r\n  \"/b\" ]  # end\r\n")
    #expect(diagnostics.map(summary) == [])
    #expect(rules.rules.map(\.reference.text) == ["deny exec when object.path in [ \"/a\", \"/b\" ]"])
  }

  @Test func oneBrokenRuleHidesNoOther() {
    let text = """
      deny exec when (object.pth == "/x"
      deny exec when object.path == "unclosed
      alow exec when object.owner == "root"
      deny open when object.path in ["/a", @
      deny mprotec
      deny exec when object.pid == 1 && subject.uidd == 2
      allow exec when object.owner == 0
      """
    #expect(
      summary(text) == [
        "1:16 error: this \"(\" is not closed",
        "2:31 error: the string is not closed",
        "3:1 error: a rule begins with allow or deny, not with \"alow\"",
        "3:16 error: an int cannot be compared with a string",
        "4:38 error: stray character \"@\"",
        "5:6 error: unknown mechanism \"mprotec\"",
        "6:16 error: unknown attribute \"object.pid\"",
        "6:35 error: unknown attribute \"subject.uidd\"",
      ])
    #expect(parse(text).rules.rules.map(\.reference.line) == [7])
  }

  @Test func sourcesKeepTheirOrderAndTheirNames() {
    let sources = [("10-a.rules", "deny exec when object.setuid"), ("20-b.rules", "\nallow exec")].map {
      RuleSource(path: "/usr/lib/lilium/rules.d/\($0.0)", file: $0.0, bytes: Array($0.1.utf8))
    }
    let (rules, diagnostics) = RuleSet.parse(sources)
    #expect(diagnostics.isEmpty)
    #expect(rules.rules.map(\.reference.name) == ["10-a.rules:1", "20-b.rules:2"])
    #expect(rules.rules.map(\.reference.index) == [0, 1])
    #expect(rules.rules[0].reference.path == "/usr/lib/lilium/rules.d/10-a.rules")
    #expect(rules.rules.map(\.verdict) == [.deny, .allow])
  }

  @Test func anEmptyInputIsAnEmptyRuleSet() {
    #expect(RuleSet.parse([]).rules.rules.isEmpty)
    for text in ["", "\n", "\r\n\r\n", "# only a comment", " \t\n#\n"] {
      #expect(parse(text).rules.rules.isEmpty)
      #expect(parse(text).diagnostics.isEmpty)
    }
  }
}
