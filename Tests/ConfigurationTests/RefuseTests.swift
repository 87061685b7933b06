// Owns what is refused in a configuration, with its exact place and words.

import AccessModel
import Configuration
import Testing

struct Refusal: Sendable, CustomTestStringConvertible {
  var text: String
  var line: Int
  var column: Int
  var length: Int
  var message: String
  var hint: String?

  init(_ text: String, _ line: Int, _ column: Int, _ length: Int, _ message: String, _ hint: String? = nil) {
    (self.text, self.line, self.column, self.length) = (text, line, column, length)
    (self.message, self.hint) = (message, hint)
  }

  var testDescription: String { text }
}

private let modes = "expected \"off\", \"audit\" or \"enforce\""

@Suite struct RefuseTests {
  static let unknown = [
    Refusal("[mod]", 1, 2, 3, "unknown table \"mod\"", "did you mean mode?"),
    Refusal(
      "speed = 1", 1, 1, 5, "unknown key \"speed\"",
      "known here: audit, control, coverage, default, failure, holders, integrity, interpreters, log, mode, "
        + "on_unpreventable, scope, sense, trust"),
    Refusal("[log]\ndenial = true", 2, 1, 6, "unknown key \"denial\" in [log]", "did you mean denials?"),
    Refusal("[log]\n  alolws = true", 2, 3, 6, "unknown key \"alolws\" in [log]", "did you mean allows?"),
    Refusal("mode.exce = \"off\"", 1, 6, 4, "unknown key \"exce\" in [mode]", "did you mean exec?"),
    Refusal("[mode]\n\"ex\\u0065k\" = \"off\"", 2, 1, 11, "unknown key \"exek\" in [mode]", "did you mean exec?"),
    Refusal(
      "[failure]\non_failure = { exec = \"allow\", opne = \"deny\" }", 2, 32, 4,
      "unknown key \"opne\" in [failure.on_failure]", "did you mean open?"),
    Refusal(
      "[failure.on_failur]\nexec = \"deny\"", 1, 10, 9, "unknown table \"on_failur\" in [failure]",
      "did you mean on_failure?"),
    Refusal("[[mode]]\nexec = \"off\"", 1, 3, 4, "mode: expected a table, found a list"),
    Refusal(
      "interpreters.default = false", 1, 14, 7, "unknown key \"default\" in [interpreters]", "did you mean defaults?"),
    Refusal(
      "[interpreters.x]\npaths = [\"/x\"]\nsufixes = []", 3, 1, 7, "unknown key \"sufixes\" in [interpreters.x]",
      "did you mean suffixes?"),
  ]

  static let wrongTypes = [
    Refusal("mode = 1", 1, 8, 1, "mode: expected a table, found a whole number"),
    Refusal("[mode]\nexec = true", 2, 8, 4, "mode.exec: \(modes), found true or false"),
    Refusal("[mode]\nexec = [ ]", 2, 8, 3, "mode.exec: \(modes), found a list"),
    Refusal("log.denials = 1", 1, 15, 1, "log.denials: expected true or false, found a whole number"),
    Refusal("log.queue = {}", 1, 13, 2, "log.queue: expected a whole number, found a table"),
    Refusal(
      "log.sinks = \"journal\"", 1, 13, 9, "log.sinks: expected a list of texts, found a text",
      "write sinks = [\"...\"]"),
    Refusal("log.sinks = [\n  \"journal\",\n  7 ]", 3, 3, 1, "log.sinks: expected a text, found a whole number"),
    Refusal("control.socket = {}", 1, 18, 2, "control.socket: expected an absolute path, found a table"),
    Refusal(
      "coverage.filesystems = 7", 1, 24, 1, "coverage.filesystems: expected \"local\" or a list of absolute paths"),
  ]

  static let wrongWords = [
    Refusal(
      "[mode]\nexec = audit", 2, 8, 5, "\"audit\" is neither a whole number nor true or false",
      "texts stand in quotes: write \"audit\""),
    Refusal(
      "log.sinks = [ journal ]", 1, 15, 7, "\"journal\" is neither a whole number nor true or false",
      "texts stand in quotes: write \"journal\""),
    Refusal(
      "log.queue = 1979-05-27 07:32:00", 1, 13, 10, "\"1979-05-27\" is neither a whole number nor true or false",
      "texts stand in quotes: dates and fractions are not used here"),
    Refusal(
      "log = { queue = 1.5 }", 1, 17, 3, "\"1.5\" is neither a whole number nor true or false",
      "texts stand in quotes: dates and fractions are not used here"),
    Refusal(
      "log.queue = 0x-1", 1, 13, 4, "\"0x-1\" is neither a whole number nor true or false",
      "texts stand in quotes: dates and fractions are not used here"),
    Refusal(
      "log.queue = 9223372036854775808", 1, 13, 19,
      "\"9223372036854775808\" is neither a whole number nor true or false",
      "texts stand in quotes: dates and fractions are not used here"),
  ]

  static let wrongValues = [
    Refusal("[mode]\nexec = \"on\"", 2, 8, 4, "mode.exec: \(modes), found \"on\""),
    Refusal(
      "[mode]\nexec = \"enforcce\"", 2, 8, 10, "mode.exec: \(modes), found \"enforcce\"", "did you mean \"enforce\"?"),
    Refusal(
      "[default]\nexec = \"\"\"denyy\"\"\"", 2, 8, 11,
      "default.exec: expected \"allow\" or \"deny\", found \"denyy\"", "did you mean \"deny\"?"),
    Refusal("holders.kexec = \"deny\"", 1, 17, 6, "holders.kexec: expected \"allow\" or \"evaluate\", found \"deny\""),
    Refusal(
      "failure.answer_deadline_ms = 49", 1, 30, 2, "failure.answer_deadline_ms: 49 is out of range", "write 50 to 60000"
    ),
    Refusal(
      "failure.answer_deadline_ms = 60_001", 1, 30, 6, "failure.answer_deadline_ms: 60001 is out of range",
      "write 50 to 60000"),
    Refusal("log.queue = -1", 1, 13, 2, "log.queue: -1 is out of range", "write 64 to 1048576"),
    Refusal("log.rate_limit.burst = 0", 1, 24, 1, "log.rate_limit.burst: 0 is out of range", "write 1 to 1000000"),
    Refusal("log.rate_limit = \"on\"", 1, 18, 4, "log.rate_limit: expected a table, found a text"),
    Refusal(
      "log.sinks = [\"syslog\"]", 1, 14, 8,
      "log.sinks: expected \"journal\", \"stdout\", \"audit\" or \"file:/PATH\", found \"syslog\""),
    Refusal("log.sinks = [\"file:x\"]", 1, 14, 8, "log.sinks: \"x\" is not an absolute path"),
    Refusal("log.sinks = [\"stdout\", \"stdout\"]", 1, 13, 20, "log.sinks: names a sink twice"),
    Refusal(
      "coverage.filesystems = \"all\"", 1, 24, 5, "coverage.filesystems: expected \"local\" or a list of absolute paths"
    ),
    Refusal(
      "coverage.filesystems = []", 1, 24, 2, "coverage.filesystems: names no file system",
      "write \"local\", or set every mode to \"off\""),
    Refusal("coverage.exclude = [\"srv\"]", 1, 21, 5, "coverage.exclude: \"srv\" is not an absolute path"),
    Refusal(
      "coverage.exclude = [\"/a\", \"/a/../b\"]", 1, 27, 9,
      "coverage.exclude: \"/a/../b\" holds \"//\", \".\", \"..\" or a final \"/\"; write the plain path"),
    Refusal(
      "control.group = \"a b\"", 1, 17, 5, "control.group: \"a b\" is not a group's name",
      "write \"\" to let nobody but root in"),
    Refusal(
      "[interpreters.x]\narguments = true", 1, 15, 1, "[interpreters.x] has no paths",
      "write paths = [\"/usr/bin/PROGRAM\"]"),
    Refusal("[interpreters.x]\npaths = []", 2, 9, 2, "interpreters.x.paths: names no program"),
    Refusal(
      "[interpreters.x]\npaths = [\"/x\"]\nsuffixes = [\"py\"]", 3, 13, 4,
      "interpreters.x.suffixes: \"py\" is not a suffix; write it with its dot, as in \".py\""),
    Refusal(
      "[interpreters.x]\npaths = [\"/x\"]\ninline_options = [\"-c\"]", 3, 19, 4,
      "interpreters.x.inline_options: \"-c\" is not an option's letter; write it without \"-\", as in \"c\""),
    Refusal(
      "[interpreters.\"a b\"]\npaths = [\"/x\"]", 1, 15, 5, "\"a b\" is not a name",
      "use up to 32 of a-z, A-Z, 0-9, \"_\" and \"-\""),
  ]

  static let calls = [
    Refusal(
      "[mode]\nptrace = \"enforce\"\n[sense]\nptrace = \"audit\"", 2, 10, 9,
      "mode.ptrace: \"enforce\" would have to prevent, and audit, which sense.ptrace asks for, tells of the call when it "
        + "was made",
      "set sense.ptrace = \"auto\", or on_unpreventable.ptrace = \"contain\" to have the call answered afterwards"),
    Refusal(
      "on_unpreventable.clone = \"contain\"\nmode.ioctl = \"enforce\"\nsense = { ioctl = \"audit\" }", 2, 14, 9,
      "mode.ioctl: \"enforce\" would have to prevent, and audit, which sense.ioctl asks for, tells of the call when it "
        + "was made",
      "set sense.ioctl = \"auto\", or on_unpreventable.ioctl = \"contain\" to have the call answered afterwards"),
    Refusal(
      "[sense]\nptrace = \"fanotify\"", 2, 10, 10,
      "sense.ptrace: expected \"auto\", \"bpf\" or \"audit\", found \"fanotify\""),
    Refusal(
      "[sense]\n  exec = \"bpf\"", 2, 3, 4, "sense.exec: exec is a file's door, which fanotify alone guards",
      "remove the key"),
    Refusal(
      "sense.open = 1", 1, 7, 4, "sense.open: open is a file's door, which fanotify alone guards", "remove the key"),
    Refusal("[sense]\nptrac = \"bpf\"", 2, 1, 5, "unknown key \"ptrac\" in [sense]", "did you mean ptrace?"),
    Refusal("sense = \"bpf\"", 1, 9, 5, "sense: expected a table, found a text"),
    Refusal(
      "[on_unpreventable]\nkexec = \"kill\"", 2, 9, 6,
      "on_unpreventable.kexec: expected \"refuse\", \"contain\" or \"sysctl\", found \"kill\""),
    Refusal(
      "[on_unpreventable]\nmount = \"sysctl\"", 2, 9, 8,
      "on_unpreventable.mount: expected \"refuse\" or \"contain\", found \"sysctl\""),
    Refusal(
      "[on_unpreventable]\n  exec = \"contain\"", 2, 3, 4,
      "on_unpreventable.exec: exec is prevented, before it happens", "remove the key"),
    Refusal(
      "on_unpreventable = { open = 7 }", 1, 22, 4, "on_unpreventable.open: open is prevented, before it happens",
      "remove the key"),
    Refusal(
      "[on_unpreventable]\nkexek = \"contain\"", 2, 1, 5, "unknown key \"kexek\" in [on_unpreventable]",
      "did you mean kexec?"),
    Refusal("on_unpreventable = \"contain\"", 1, 20, 9, "on_unpreventable: expected a table, found a text"),
    Refusal(
      "audit.receive_buffer_mib = 1025", 1, 28, 4, "audit.receive_buffer_mib: 1025 is out of range", "write 1 to 1024"),
    Refusal(
      "[audit]\nbacklog_limit = 63", 2, 17, 2, "audit.backlog_limit: 63 is out of range",
      "write 64 to 1048576, or 0 to leave the kernel's"),
    Refusal("audit.backlog_limit = -1", 1, 23, 2, "audit.backlog_limit: -1 is out of range", "write 0 to 1048576"),
    Refusal("audit.restore_rules = 0", 1, 23, 1, "audit.restore_rules: expected true or false, found a whole number"),
    Refusal(
      "audit.failure = 2", 1, 7, 7, "unknown key \"failure\" in [audit]",
      "known here: backlog_limit, receive_buffer_mib, restore_rules"),
    Refusal(
      "[scope]\ncgroups = [\"/a\", \"b\"]", 2, 18, 3, "scope.cgroups: \"b\" is not an absolute path"),
    Refusal(
      "scope.cgroups = [\"/a/\"]", 1, 18, 5,
      "scope.cgroups: \"/a/\" holds \"//\", \".\", \"..\" or a final \"/\"; write the plain path"),
    Refusal(
      "scope.cgroups = [\"/\"]", 1, 18, 3,
      "scope.cgroups: \"/\" is the whole host; write an empty list instead"),
    Refusal(
      "scope.cgroups = [\"/sys/fs/cgroup/a\"]", 1, 18, 18,
      "scope.cgroups: \"/sys/fs/cgroup/a\" is a folder; write the control group's own path, as below /sys/fs/cgroup"),
    Refusal(
      "scope.cgroups = [\"/a\", \"/a\"]", 1, 17, 12, "scope.cgroups: names a control group twice",
      "write each one once"),
    Refusal(
      "scope.cgroups = \"/a\"", 1, 17, 4, "scope.cgroups: expected a list of texts, found a text",
      "write cgroups = [\"...\"]"),
    Refusal(
      "scope.cgroups = [\((1...17).map { "\"/\($0)\"" }.joined(separator: ","))]", 1, 17, 94,
      "scope.cgroups: names 17 control groups; 16 are the most", "name one that is above several of them"),
    Refusal("[scope]\ncgroup = []", 2, 1, 6, "unknown key \"cgroup\" in [scope]", "did you mean cgroups?"),
    Refusal("log.sinks = [\"audit\", \"audit\"]", 1, 13, 18, "log.sinks: names a sink twice"),
  ]

  static let trust = [
    Refusal("integrity = \"size\"", 1, 13, 6, "integrity: expected a table, found a text"),
    Refusal(
      "[integrity]\nmode = \"sha1\"", 2, 8, 6, "integrity.mode: expected \"size\" or \"sha256\", found \"sha1\""),
    Refusal(
      "[integrity]\nmode = 256", 2, 8, 3, "integrity.mode: expected \"size\" or \"sha256\", found a whole number"),
    Refusal(
      "[integrity]\nprefix = {}", 2, 1, 6, "unknown table \"prefix\" in [integrity]", "did you mean prefixes?"),
    Refusal("integrity.prefixes = []", 1, 22, 2, "integrity.prefixes: expected a table, found a list"),
    Refusal(
      "[integrity.prefixes]\n\"/opt/big/\" = \"none\"", 2, 15, 6,
      "integrity.prefixes./opt/big/: expected \"size\" or \"sha256\", found \"none\""),
    Refusal(
      "[integrity.prefixes]\n\"opt/big/\" = \"size\"", 2, 1, 10,
      "integrity.prefixes: \"opt/big\" is not an absolute path"),
    Refusal(
      "[integrity.prefixes]\nopt = \"size\"", 2, 1, 3, "integrity.prefixes: \"opt\" is not an absolute path"),
    Refusal(
      "[integrity.prefixes]\n\"\" = \"size\"", 2, 1, 2, "integrity.prefixes: \"\" is not an absolute path"),
    Refusal(
      "[integrity.prefixes]\n\"/opt/../x/\" = \"size\"", 2, 1, 12,
      "integrity.prefixes: \"/opt/../x\" holds \"//\", \".\", \"..\" or a final \"/\"; write the plain path"),
    Refusal(
      "[integrity.prefixes]\n\"/opt//\" = \"size\"", 2, 1, 8,
      "integrity.prefixes: \"/opt/\" holds \"//\", \".\", \"..\" or a final \"/\"; write the plain path"),
    Refusal(
      "[integrity.prefixes]\n\"/\" = \"size\"", 2, 1, 3, "integrity.prefixes: \"/\" is every file",
      "write mode under [integrity] instead"),
    Refusal(
      "[integrity.prefixes]\n\"/opt\" = \"size\"\n\"/opt/\" = \"size\"", 3, 1, 7,
      "integrity.prefixes: names \"/opt\" twice", "a final \"/\" makes no difference"),
    Refusal("trust.remember = \"yes\"", 1, 18, 5, "trust.remember: expected true or false, found a text"),
    Refusal("trust.remembers = true", 1, 7, 9, "unknown key \"remembers\" in [trust]", "did you mean remember?"),
  ]

  /// However they are written.
  @Test(arguments: ["\"/opt/\" = \"size\"", "'/opt/' = \"sha256\"", "\"\\u002fopt/\" = \"size\""])
  func aFolderIsNamedOnce(_ second: String) throws {
    let (configuration, findings) = parsed("[integrity.prefixes]\n\"/opt/\" = \"size\"\n\(second)\n")
    #expect(configuration == nil)
    #expect(findings.map(\.place?.line) == [3])
    #expect(findings.first?.message.hasPrefix("not valid TOML: ") == true)
  }

  @Test(arguments: unknown + wrongTypes + wrongWords + wrongValues + calls + trust)
  func isRefusedAtItsPlace(_ refusal: Refusal) throws {
    let (configuration, findings) = parsed(refusal.text)
    #expect(configuration == nil)
    let finding = try #require(findings.first)
    #expect(findings.count == 1)
    #expect(finding.message == refusal.message)
    #expect(finding.hint == refusal.hint)
    #expect(finding.place?.line == refusal.line)
    #expect(finding.place?.column == refusal.column)
    #expect(finding.place?.length == refusal.length)
  }

  @Test func severalErrorsInOneRunInTheirOrder() {
    let findings = parsed(
      """
      [log]
      denials = "yes"
      [mode]
      exec = "on"
      exek = "off"
      [speed]
      """
    ).findings
    #expect(findings.map(\.place?.line) == [2, 4, 5, 6])
  }

  @Test func rendersAsCompilersDo() {
    let finding = parsed("[mode]\n\texec = \"enforcé\" # é").findings.first
    #expect(
      finding?.rendered == """
        lilium.toml:2:9: error: mode.exec: expected "off", "audit" or "enforce", found "enforcé"
           exec = "enforcé" # é
                  ^~~~~~~~~
          did you mean "enforce"?

        """)
  }

  @Test func syntaxErrorsHaveTheirPlace() throws {
    let finding = try #require(parsed("[mode]\nexec = \"off\nopen = 1").findings.first)
    #expect(finding.place?.line == 2)
    #expect(finding.place?.column == 12)
    #expect(finding.message.hasPrefix("not valid TOML: "))
    #expect(parsed("[mode]\n[mode]").findings.first?.place?.line == 2)
  }

  /// What toml++ would end the process for, too.
  @Test(arguments: [
    ("a = [}", 6, "a value is missing here"), ("a = [1}", 7, "this bracket closes nothing"),
    ("a = ]", 5, "a value is missing here"), ("a = # b", 5, "a value is missing here"),
    ("a = [1,,2]", 8, "a value is missing here"), ("a = {b = }", 10, "a value is missing here"),
    ("a = \nb = 1", 5, "a value is missing here"), ("}", 1, "this bracket closes nothing"),
    ("a = {b = 1]", 11, "this bracket closes nothing"), ("d = 197'-05-27 0", 8, "the value before this has no end"),
    ("a = [1 2]", 8, "the value before this has no end"), ("a = [[]\u{2028}]", 8, "the value before this has no end"),
    ("a = '''''''''", 13, "the value before this has no end"), ("a = 1\r2", 7, "the value before this has no end"),
  ])
  func missingValuesAndBrackets(_ text: String, _ column: Int, _ message: String) {
    let findings = parsed(text).findings
    #expect(findings.map(\.message) == ["not valid TOML: " + message])
    #expect(findings.first?.place?.column == column)
  }

  /// What toml++ would end the process for.
  @Test(arguments: [
    ("[`mode]", 1, 2), ("\n [[ \u{7f}x]]", 2, 5), ("\u{feff}[.a]", 1, 2), ("[\n]", 1, 2), ("[[[a]]]", 1, 3),
  ])
  func headingsWithoutAName(_ text: String, _ line: Int, _ column: Int) {
    let findings = parsed(text).findings
    #expect(findings.map(\.message) == ["not valid TOML: a heading needs a name, as in [log]"])
    #expect(findings.first?.place?.line == line)
    #expect(findings.first?.place?.column == column)
  }
}
