// What the type checker refuses, with exact places, and what it remarks on.

import AccessModel
import PolicyLanguage
import Testing

@Suite struct TypeTests {
  @Test(arguments: [
    Refusal("object.pth == \"/x\"", 1, 10, "unknown attribute \"object.pth\"", hint: "did you mean object.path?"),
    Refusal("path == \"/x\"", 1, 4, "unknown attribute \"path\"", hint: "did you mean object.path?"),
    Refusal("Object.Path == \"/x\"", 1, 11, "unknown attribute \"Object.Path\"", hint: "did you mean object.path?"),
    Refusal(
      "subject.xyzzy == 1", 1, 13, "unknown attribute \"subject.xyzzy\"", hint: "lilium.rules(5) lists the attributes"),
    Refusal(
      "object == \"/x\"", 1, 6, "unknown attribute \"object\"", hint: "name one of its attributes, as in object.path"),
    Refusal("object.trusted == 1", 1, 19, "a bool cannot be compared with an int"),
    Refusal("object.trused", 1, 13, "unknown attribute \"object.trused\"", hint: "did you mean object.trusted?"),
    Refusal(
      "object.sha256 == \"e3b0c442\"", 18, 10, "object.sha256 is never \"e3b0c442\"",
      hint: "a SHA-256 has 64 digits, 0-9 and a-f, as sha256sum(1) prints it"),
    Refusal("\"\" != object.sha256", 1, 2, "object.sha256 is never \"\""),
    Refusal("object.sha256 in [\"x\"]", 19, 3, "object.sha256 is never \"x\""),
    Refusal(
      "object.sha256.startsWith(\"E3\")", 26, 4, "object.sha256 never begins with \"E3\"",
      hint: "a SHA-256 has 64 digits, 0-9 and a-f, as sha256sum(1) prints it"),
    Refusal("subject.uid == target.uid", 16, 10, "exec has no target.uid: it belongs to ptrace"),
    Refusal(
      "operation.request == 1", 1, 17, "exec has no operation.request: it belongs to ptrace, ioctl",
      hint: "it has operation.kind"),
    Refusal(
      "operation.result == 0", 1, 16,
      "operation.result is known only after the operation: records show it, rules cannot read it"),
    Refusal(
      "object.owner == \"root\"", 1, 22, "an int cannot be compared with a string",
      hint: "users are numbers here; `id -u NAME` shows a user's"),
    Refusal("object.path == 3", 1, 16, "a string cannot be compared with an int"),
    Refusal(
      "object.dev == 2049", 1, 18, "a string cannot be compared with an int",
      hint: "a device is written as \"MAJOR:MINOR\""),
    Refusal("object.setuid == 1", 1, 18, "a bool cannot be compared with an int"),
    Refusal("1 < object.size < 3", 1, 19, "a bool cannot be compared with an int"),
    Refusal(
      "subject.groups == 5", 1, 19, "a list of ints cannot be compared with an int",
      hint: "write VALUE in subject.groups"),
    Refusal("subject.groups == [1]", 1, 21, "lists cannot be compared", hint: "use in, or size( )"),
    Refusal("object.path", 1, 11, "the condition is a string, not a bool", hint: "compare it with something"),
    Refusal("3", 1, 1, "the condition is an int, not a bool"),
    Refusal("object.setuid && object.owner", 18, 12, "\"&&\" needs a bool; this is an int"),
    Refusal("object.path || object.setuid", 1, 11, "\"||\" needs a bool; this is a string"),
    Refusal("!object.owner == 0", 2, 12, "\"!\" needs a bool; this is an int", hint: "write !( ) around a comparison"),
    Refusal(
      "object.path in \"/x\"", 16, 4, "\"in\" needs a list; this is a string",
      hint: "write x.contains(y) to look for text"),
    Refusal("object.path in subject.groups", 1, 11, "a string cannot be in a list of ints"),
    Refusal("object.owner in [\"root\"]", 1, 12, "an int cannot be in a list of strings"),
    Refusal("object.owner in [1, \"x\"]", 21, 3, "a list holds ints or strings, not both"),
    Refusal("object.owner in [subject.uid]", 18, 11, "a list holds numbers and quoted strings only"),
    Refusal("object.setuid in [true]", 19, 4, "a list holds numbers and quoted strings only"),
    Refusal(
      "object.kind == \"elf\"", 16, 5, "object.kind is never \"elf\"",
      hint: "one of elf-executable, elf-library, elf-other, script, other"),
    Refusal(
      "\"elf-libary\" == object.kind", 1, 12, "object.kind is never \"elf-libary\"", hint: "did you mean elf-library?"),
    Refusal("object.kind in [\"script\", \"elfs\"]", 27, 6, "object.kind is never \"elfs\""),
    Refusal(
      "operation.kind != \"exec\"", 19, 6, "operation.kind is never \"exec\"", hint: "one of execute, open, call"),
    Refusal(
      "\"CAP_SYS_PTRASE\" in subject.capabilities", 1, 16, "unknown capability \"CAP_SYS_PTRASE\"",
      hint: "did you mean CAP_SYS_PTRACE?"),
    Refusal(
      "\"x\" in subject.permitted_capabilities", 1, 3, "unknown capability \"x\"", hint: "capabilities(7) lists them"),
    Refusal("\"rw\" in object.mount_flags", 1, 4, "object.mount_flags is never \"rw\""),
    Refusal("size(object.owner) == 1", 6, 12, "size needs a string or a list; this is an int"),
    Refusal("size(object.path, 1) == 1", 1, 4, "size does not take 2 arguments", hint: "write size(x)"),
    Refusal("object.path.size(1) == 1", 13, 4, "size does not take 1 argument", hint: "write x.size()"),
    Refusal(
      "object.path.startswith(\"/x\")", 13, 10, "unknown function \"startswith\"", hint: "did you mean startsWith?"),
    Refusal(
      "startsWith(object.path, \"/x\")", 1, 10, "startsWith needs a value before it", hint: "write x.startsWith(y)"),
    Refusal("object.path.startsWith()", 13, 10, "startsWith does not take 0 arguments"),
    Refusal("object.path.startsWith(1)", 24, 1, "startsWith needs a string; this is an int"),
    Refusal("object.owner.contains(\"1\")", 1, 12, "contains needs a string; this is an int"),
    Refusal("has(object.path)", 1, 3, "the macro has is not part of the rule language"),
    Refusal("object.path.matches(object.interpreter)", 21, 18, "matches needs its pattern in quotes"),
    Refusal("object.path.matches(\"a(b\")", 21, 5, "the pattern is refused: missing ): a(b"),
    Refusal("object.path.matches(\"(?=x)\")", 21, 7, "the pattern is refused: invalid perl operator: (?="),
    Refusal(
      "object.path.matches(\"(((a{1000}){1000}){1000})\")", 21, 27,
      "the pattern is refused: invalid repetition size: {1000}"),
  ])
  func refuses(_ refusal: Refusal) throws {
    let prefix = "deny exec when "
    let (rules, diagnostics) = parse(prefix + refusal.text)
    #expect(rules.rules.isEmpty)
    try #require(diagnostics.count == 1, "\(diagnostics.map(summary))")
    let found = diagnostics[0]
    #expect(found.message == refusal.message)
    #expect([found.column, found.length] == [prefix.count + refusal.column, refusal.length])
    if let hint = refusal.hint { #expect(found.hint == hint) }
  }

  @Test func everyAttributeIsKnownWithItsType() {
    for attribute in Attribute.allCases {
      let condition =
        switch attribute.type {
        case .bool: attribute.name
        case .int: "\(attribute.name) == 7"
        case .string: "\(attribute.name).contains(\"x\")"
        case .intList: "7 in \(attribute.name)"
        case .stringList: "\(attribute.name).size() == 7"
        }
      let mechanism = attribute.mechanisms.members[0].name
      let (rules, diagnostics) = parse("allow \(mechanism) when \(condition)")
      #expect(diagnostics.map(summary) == [])
      #expect(rules.rules.first?.attributes == [attribute])
      #expect(rules.rules.first?.facts == attribute.facts)
      #expect(rules.rules.first?.dependsOnSubject == attribute.name.hasPrefix("subject."))
    }
  }

  /// Rules compare what sha256sum(1) prints; digits in capitals would never be equal.
  @Test(arguments: ["==", "!=", "in"])
  func aDigestIsWrittenInLowerCase(_ relation: String) throws {
    let digest = String(repeating: "0123456789abcdef", count: 4)
    func rule(_ literal: String) -> String {
      "allow exec when object.sha256 \(relation) \(relation == "in" ? "[\"\(literal)\"]" : "\"\(literal)\"")"
    }
    #expect(parse(rule(digest)).diagnostics.isEmpty)
    for (literal, hint) in [
      (digest.uppercased(), "write its digits in lower case"),
      (digest + "0", "a SHA-256 has 64 digits, 0-9 and a-f, as sha256sum(1) prints it"),
      (digest.dropLast() + "g", "a SHA-256 has 64 digits, 0-9 and a-f, as sha256sum(1) prints it"),
    ] {
      let (rules, diagnostics) = parse(rule(String(literal)))
      #expect(rules.rules.isEmpty && diagnostics.count == 1)
      let found = try #require(diagnostics.first)
      #expect(found.message.hasPrefix("object.sha256 is never \"") && found.hint == hint)
      #expect(found.column == (relation == "in" ? 35 : 34) && found.length == literal.count + 2)
    }
    #expect(parse("allow exec when object.sha256.startsWith(\"\(digest)\")").diagnostics.isEmpty)
    #expect(parse("allow exec when object.sha256.startsWith(\"\(digest)0\")").diagnostics.count == 1)
  }

  @Test func severalErrorsOfOneRuleAreAllFound() {
    #expect(
      summary(
        "deny exec when object.pth == \"/x\" && (subject.uidd == 3 || object.owner == \"a\") && object.kind == \"b\""
      )
      .count == 4)
  }

  /// In a rule of any mechanism an attribute is either read or refused with the mechanisms that have it.
  @Test(arguments: Mechanism.allCases)
  func anAttributeThatAMechanismLacksIsRefused(_ mechanism: Mechanism) {
    for attribute in Attribute.allCases {
      let rule = "allow \(mechanism.name) when size(\"x\") == 1 || \(attribute.name) == \(attribute.name)"
      let isList = attribute.type == .intList || attribute.type == .stringList
      let found = parse(rule).diagnostics.filter { $0.severity == .error && !$0.message.hasPrefix("lists") }
      if attribute.mechanisms.contains(mechanism) {
        #expect(found.isEmpty, "\(attribute)")
      } else {
        #expect(found.count == 2 || isList, "\(attribute)")
        #expect(found.first?.message.hasPrefix("\(mechanism.name) has no \(attribute.name): it belongs to ") == true)
        #expect(found.first?.hint?.hasPrefix("it has ") == true)
        #expect(found.first?.hint?.contains("subject.") == false)
      }
    }
  }
}

@Suite struct CallRuleTests {
  @Test(arguments: [
    "ptrace when subject.uid == target.uid", "ptrace when operation.request == \"PTRACE_SEIZE\"",
    "ioctl when operation.request in [\"TIOCSTI\", \"TIOCLINUX\"] && object.path.startsWith(\"/dev/\")",
    "ioctl when operation.request_number == 0x5412", "ioctl when operation.request.startsWith(\"TIOC\")",
    "mprotect when \"PROT_WRITE\" in operation.protection", "clone when \"user\" in operation.namespaces",
    "module when operation.module == \"nf_tables\" && operation.architecture != \"i386\"",
    "mount when \"MS_BIND\" in operation.flags && operation.source == \"none\" && object.fstype == \"tmpfs\"",
    "kexec when operation.syscall == \"kexec_load\" && operation.kind == \"call\"",
  ])
  func isRead(_ rule: String) { #expect(summary("allow \(rule)") == []) }

  @Test(arguments: [
    Refusal(
      "ptrace when object.path == \"/x\"", 13, 11,
      "ptrace has no object.path: it belongs to exec, open, module, mount, ioctl",
      hint: "it has target.pid, target.uid, target.comm, target.exe, operation.kind, operation.syscall, "
        + "operation.architecture, operation.request, operation.request_number"),
    Refusal(
      "mount when object.owner == 0", 12, 12, "mount has no object.owner: it belongs to exec, open, module, ioctl",
      hint: "it has object.path, object.directory, object.fstype, object.path_verified"),
    Refusal(
      "module when operation.namespaces.size() == 1", 13, 20, "module has no operation.namespaces: it belongs to clone",
      hint: "it has operation.kind, operation.syscall, operation.architecture, operation.flags, operation.module"),
    Refusal(
      "ptrace when target == 1", 13, 6, "unknown attribute \"target\"",
      hint: "name one of its attributes, as in target.pid"),
    Refusal(
      "kexec when object == 1", 12, 6, "unknown attribute \"object\"",
      hint: "it has operation.kind, operation.syscall, operation.architecture, operation.flags"),
    Refusal("ptrace when target.ui == 1", 13, 9, "unknown attribute \"target.ui\"", hint: "did you mean target.uid?"),
    Refusal(
      "ioctl when operation.request == \"TIOCSTY\"", 33, 9, "unknown request \"TIOCSTY\"", hint: "did you mean TIOCSTI?"
    ),
    Refusal(
      "ioctl when \"0x5412\" == operation.request", 12, 8, "unknown request \"0x5412\"",
      hint: "write the number, as in operation.request_number == 0x5412"),
    Refusal(
      "ioctl when operation.request in [\"TIOCSTI\", \"PTRACE_ATTACH\"]", 45, 15, "unknown request \"PTRACE_ATTACH\""),
    Refusal("ptrace when operation.request != \"TIOCSTI\"", 34, 9, "unknown request \"TIOCSTI\""),
    Refusal(
      "ptrace when operation.request == 16", 13, 23, "a string cannot be compared with an int",
      hint: "write operation.request_number for the number"),
    Refusal(
      "ioctl when operation.request_number == \"TIOCSTI\"", 12, 37, "an int cannot be compared with a string",
      hint: "write operation.request for the name"),
    Refusal(
      "ptrace when target.uid == \"root\"", 13, 20, "an int cannot be compared with a string",
      hint: "users are numbers here; `id -u NAME` shows a user's"),
    Refusal(
      "clone when \"usr\" in operation.namespaces", 12, 5, "operation.namespaces is never \"usr\"",
      hint: "did you mean user?"),
    Refusal(
      "clone when \"CLONE_NEWUSER\" in operation.namespaces", 12, 15,
      "operation.namespaces is never \"CLONE_NEWUSER\"",
      hint: "one of cgroup, ipc, mount, net, pid, time, user, uts"),
    Refusal(
      "mprotect when \"PROT_EXECUTE\" in operation.protection", 15, 14,
      "operation.protection is never \"PROT_EXECUTE\"", hint: "did you mean PROT_EXEC?"),
    Refusal(
      "kexec when operation.architecture == \"x86\"", 38, 5, "operation.architecture is never \"x86\"",
      hint: "one of x86_64, i386, aarch64, arm"),
    Refusal(
      "kexec when operation.result == 0", 12, 16,
      "operation.result is known only after the operation: "
        + "records show it, rules cannot read it"),
  ])
  func isRefused(_ refusal: Refusal) throws {
    let (rules, diagnostics) = parse("allow " + refusal.text)
    #expect(rules.rules.isEmpty)
    try #require(diagnostics.count == 1, "\(diagnostics.map(summary))")
    let found = diagnostics[0]
    #expect(found.severity == .error && found.message == refusal.message)
    #expect([found.column, found.length] == [6 + refusal.column, refusal.length])
    if let hint = refusal.hint { #expect(found.hint == hint) }
  }

  @Test func aPathOfATargetIsLookedAtAsAnyOther() {
    #expect(
      summary("deny ptrace when target.exe == \"sshd\"") == [
        "1:32 warning: \"sshd\" is never a path: it does not begin with /"
      ])
  }

  @Test(arguments: [
    ("deny ioctl", true), ("deny ioctl when subject.uid != 0", true),
    ("deny ioctl when operation.request != \"TIOCSTI\"", true),
    ("deny ioctl when operation.request == \"TIOCSTI\" || subject.uid == 3", true),
    ("deny ioctl when operation.request == \"TIOCSTI\"", false),
    ("deny ioctl when subject.uid == 3 && operation.request_number in [1]", false), ("allow ioctl", false),
    ("deny ptrace", false), ("allow ioctl when subject.uid == 0", false),
  ])
  func aRuleThatMakesEveryIoctlReportedIsRemarkedOn(_ rule: String, _ isRemarkedOn: Bool) {
    let expected = ["1:1 warning: this rule makes the kernel report every ioctl of the host"]
    #expect(summary(rule) == (isRemarkedOn ? expected : []))
    #expect(parse(rule).rules.rules.count == 1, "a warning keeps the rule")
    #expect(parse(rule).diagnostics.allSatisfy { $0.hint?.contains("operation.request in [") == true })
  }
}

@Suite struct WarningTests {
  @Test(arguments: [
    (
      "allow exec\ndeny exec when object.setuid",
      ["2:1 warning: this rule is never reached: 50-site.rules:1 always matches"]
    ),
    ("allow exec\ndeny open when object.path == \"/x\"", []),
    (
      "deny exec when true\nallow exec",
      [
        "1:16 warning: the condition is always true",
        "2:1 warning: this rule is never reached: 50-site.rules:1 always matches",
      ]
    ),
    ("deny exec when 1 == 2 && object.setuid", ["1:16 warning: the condition is always false"]),
    ("deny exec when object.setuid || size(\"abc\") == 3", ["1:16 warning: the condition is always true"]),
    ("deny exec when object.setuid && \"abc\".matches(\"b\")", []),
    ("deny open when false", ["1:16 warning: the condition is always false"]),
    ("deny exec when object.path == \"tmp/x\"", ["1:31 warning: \"tmp/x\" is never a path: it does not begin with /"]),
    (
      "deny exec when object.path.startsWith(\"tmp/\")",
      ["1:39 warning: \"tmp/\" is never a path: it does not begin with /"]
    ),
    ("deny exec when \"x\" == subject.exe", ["1:16 warning: \"x\" is never a path: it does not begin with /"]),
    ("deny exec when object.path in [\"/a\", \"/b/\"]", ["1:38 warning: \"/b/\" is never a path: it ends with /"]),
    (
      "deny exec when object.directory == \"/a/../b\"",
      [
        "1:36 warning: \"/a/../b\" is never a path: it has an empty, \".\" or \"..\" part"
      ]
    ),
    ("deny exec when object.path.contains(\"tmp/\") || subject.exe == \"\"", []),
    (
      "deny exec when object.setuid\ndeny  exec when  object . setuid # again",
      ["2:1 warning: 50-site.rules:1 has the same condition and speaks first"]
    ),
    (
      "deny exec when object.setuid\nallow exec when object.setuid",
      ["2:1 warning: 50-site.rules:1 has the same condition and speaks first"]
    ),
    ("allow exec when object.setuid\ndeny exec when object.setuid", []),
    ("deny exec when object.setuid\ndeny open when object.path == \"/x\" && object.setuid", []),
  ])
  func warns(_ text: String, _ expected: [String]) {
    let (rules, diagnostics) = parse(text)
    #expect(diagnostics.map(summary) == expected)
    #expect(rules.rules.count == text.split(separator: "\n").count)
  }
}
