// Which files an open rule names.

import AccessModel
import PolicyLanguage
import Testing

@Suite struct AnchorTests {
  private func anchors(_ condition: String, verdict: String = "allow") -> [String]? {
    parse("\(verdict) open when \(condition)").rules.rules.first?.anchors?.map {
      "\($0.kind) \(String(decoding: $0.path, as: UTF8.self))"
    }
  }

  @Test(
    arguments: [
      ("object.path == \"/etc/shadow\"", ["exact /etc/shadow"]),
      ("\"/etc/shadow\" == object.path", ["exact /etc/shadow"]),
      ("object.path in [\"/a\", \"/b\"]", ["exact /a", "exact /b"]),
      ("object.path.startsWith(\"/etc/ssh/ssh_host_\")", ["prefix /etc/ssh/ssh_host_"]),
      ("object.directory == \"/etc\"", ["children /etc"]),
      ("object.directory in [\"/\", \"/root\"]", ["children /", "children /root"]),
      ("object.directory.startsWith(\"/etc/\")", ["prefix /etc/"]),
      ("object.path == \"/a\" && subject.uid != 0", ["exact /a"]),
      ("object.path.startsWith(\"/a/\") && object.path == \"/a/b\"", ["exact /a/b"]),
      ("object.path.startsWith(\"/a/\") && object.directory == \"/a/b\"", ["children /a/b"]),
      ("object.path in [\"/a\", \"/b\"] && object.path == \"/b\"", ["exact /b"]),
      ("object.path.startsWith(\"/\") && object.path.startsWith(\"/a/\")", ["prefix /a/"]),
      ("object.path == \"/a\" || object.directory == \"/b\"", ["exact /a", "children /b"]),
      ("(object.path == \"/a\" || object.path == \"/b\") && !(subject.uid == 0)", ["exact /a", "exact /b"]),
      ("object.path == \"/a\" || subject.uid != 0", nil),
      ("!(object.path == \"/a\")", nil),
      ("object.path != \"/a\"", nil),
      ("object.path.endsWith(\"/a\")", nil),
      ("object.path == object.interpreter", nil),
      ("subject.exe == \"/a\"", nil),
    ] as [(String, [String]?)])
  func named(_ condition: String, _ expected: [String]?) {
    #expect(anchors(condition) == expected)
    // A deny rule needs them.
    #expect(anchors(condition, verdict: "deny") == expected)
    #expect(parse("deny open when \(condition)").rules.rules.isEmpty == (expected == nil))
  }

  private static let noFiles = "an open rule must name the files or folders that it protects"

  @Test(arguments: [
    Refusal(
      "deny open", 1, 9, noFiles,
      hint: "with object.path == ..., object.path in [...], object.path.startsWith(...), or object.directory == ..."),
    Refusal("deny open when true", 1, 9, noFiles),
    Refusal("deny  open when subject.uid == 1", 1, 10, noFiles),
    Refusal(
      "deny open when object.path.startsWith(\"/\")", 39, 3, "\"/\" is too wide: it must name at least one whole folder"
    ),
    Refusal(
      "deny open when object.path.startsWith(\"/e\")", 39, 4,
      "\"/e\" is too wide: it must name at least one whole folder"),
    Refusal(
      "deny open when object.directory.startsWith(\"/etc\")", 44, 6,
      "\"/etc\" is too wide: it must name at least one whole folder"),
    Refusal(
      "deny open when object.path.startsWith(\"\")", 39, 2, "\"\" is too wide: it must name at least one whole folder"),
    Refusal("deny open when object.path == \"\"", 31, 2, "an empty path names no file"),
    Refusal("deny open when object.path == \"etc/x\"", 31, 7, "\"etc/x\" is never a path: it does not begin with /"),
    Refusal(
      "deny open when object.path == \"/etc//x\"", 31, 9,
      "\"/etc//x\" is never a path: it has an empty, \".\" or \"..\" part"),
    Refusal(
      "deny open when object.path == \"/etc/./x\"", 31, 10,
      "\"/etc/./x\" is never a path: it has an empty, \".\" or \"..\" part"),
    Refusal(
      "deny open when object.path == \"/etc/..\"", 31, 9,
      "\"/etc/..\" is never a path: it has an empty, \".\" or \"..\" part"),
    Refusal(
      "deny open when object.path in [\"/a\", \"/etc/../x\"]", 38, 11,
      "\"/etc/../x\" is never a path: it has an empty, \".\" or \"..\" part"),
    Refusal("deny open when object.directory == \"/etc/\"", 36, 7, "\"/etc/\" is never a path: it ends with /"),
  ])
  func refused(_ refusal: Refusal) throws {
    let errors = parse(refusal.text).diagnostics.filter { $0.severity == .error }
    #expect(parse(refusal.text).rules.rules.isEmpty)
    try #require(errors.count == 1, "\(errors.map(summary))")
    #expect(errors[0].message == refusal.message)
    #expect([errors[0].column, errors[0].length] == [refusal.column, refusal.length])
    if let hint = refusal.hint { #expect(errors[0].hint == hint) }
  }

  @Test func aRefusedRuleKeepsNoOtherFromSpeaking() {
    #expect(summary("deny open\nallow open when subject.uid == 0").count == 1)
  }

  @Test func hiddenFilesMayBeAPrefix() {
    #expect(anchors("object.path.startsWith(\"/root/.\")", verdict: "deny") == ["prefix /root/."])
    #expect(anchors("object.path.startsWith(\"/root/..a\")", verdict: "deny") == ["prefix /root/..a"])
  }

  @Test(arguments: [
    (PathAnchor.Kind.exact, "/a/b", ["/a/b": true, "/a/bc": false, "/a": false, "": false]),
    (.children, "/a", ["/a/b": true, "/a/b/c": false, "/a": false, "/ab": false, "/a/": true]),
    (.children, "/", ["/a": true, "/a/b": false, "": false]),
    (.prefix, "/a/b", ["/a/b": true, "/a/bc/d": true, "/a/": false]),
  ])
  func covers(_ kind: PathAnchor.Kind, _ path: String, _ expected: [String: Bool]) {
    let anchor = PathAnchor(kind, Array(path.utf8))
    for (file, isCovered) in expected { #expect(anchor.covers(Array(file.utf8)) == isCovered, "\(file)") }
  }
}
