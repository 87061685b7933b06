// Owns what configurations say when they are right: every key, the defaults, the shipped file.

import AccessModel
import Configuration
import Glibc
import Testing

func parsed(_ text: String) -> (configuration: Configuration?, findings: [Finding]) {
  Configuration.parse(Array(text.utf8), path: "lilium.toml")
}

@Suite struct AcceptTests {
  static let repository = String(#filePath.dropLast("Tests/ConfigurationTests/AcceptTests.swift".count))

  @Test(arguments: ["", "\n", "\u{feff}# only a comment\r\n", "[mode]\n[log]", "log = {}"])
  func emptyMeansDefaults(_ text: String) {
    let (configuration, findings) = parsed(text)
    #expect(configuration == Configuration())
    #expect(findings == [])
  }

  @Test func defaultsAreThoseOfTheDesign() {
    let configuration = Configuration()
    for mechanism in Mechanism.allCases {
      let settings = configuration.policy[mechanism]
      #expect(settings.mode == .off)
      #expect(settings.onFailure == .allow)
      #expect(settings.defaultVerdict == (mechanism == .open || mechanism == .ioctl ? .allow : .deny))
      #expect(!settings.evaluatesHolders)
      #expect(settings.unpreventable == .refuse)
      #expect(settings.sense == .auto)
    }
    #expect(configuration.scope.controlGroups == [])
    #expect(configuration.coverage.fileSystems == .local)
    #expect(configuration.answerDeadlineMilliseconds == 2000)
    #expect(configuration.isGuarded && configuration.protectsItself)
    #expect(configuration.integrity.mode == .sha256 && configuration.integrity.prefixes.isEmpty)
    #expect(configuration.trust.remembersAllows)
    #expect(configuration.audit.receiveBufferMebibytes == 32)
    #expect(configuration.audit.backlogLimit == 8192)
    #expect(configuration.audit.restoresRules)
    #expect(configuration.log.sinks == [.journal])
    #expect(configuration.log.rateLimit == LogRate(perSecond: 100, burst: 200))
    #expect(configuration.control.socket == "/run/lilium/control.sock")
    #expect(configuration.control.group == "lilium")
    #expect(Set(configuration.interpreters.map(\.name)).count == configuration.interpreters.count)
    #expect(configuration.interpreters.contains { $0.name == "python" && $0.suffixes.contains(".pyc") })
    #expect(configuration.interpreters.allSatisfy { $0.paths.allSatisfy { $0.hasPrefix("/") } })
  }

  @Test func everyKeyIsRead() throws {
    let (read, findings) = parsed(
      """
      log = { sinks = ["stdout", "file:/var/log/l"], denials = false, allows = true, rate_limit.burst = 7, queue = 64 }
      [mode]
      exec = "enforce"
      open = 'audit'
      ptrace = "off"
      [default]
      exec = "allow"
      open = "deny"
      [holders]
      mount = "evaluate"
      ptrace = "allow"
      [coverage]
      filesystems = ["/", "/srv/data"]
      exclude = [
        "/mnt", # with a comment
      ]
      [failure]
      answer_deadline_ms = 0xFF
      [failure.on_failure]
      exec = "deny"
      [interpreters]
      defaults = false
      [interpreters.tool]
      paths = ["/opt/tool/bin/tool-[0-9]*"]
      suffixes = [".tl"]
      inline_options = ["e", "x"]
      arguments = false
      [control]
      socket = "/tmp/c"
      group = ""
      """)
    #expect(findings == [])
    let configuration = try #require(read)
    #expect(configuration.policy[.exec].mode == .enforce)
    #expect(configuration.policy[.open].mode == .audit)
    #expect(configuration.policy[.exec].defaultVerdict == .allow)
    #expect(configuration.policy[.open].defaultVerdict == .deny)
    #expect(configuration.policy[.mount].evaluatesHolders)
    #expect(!configuration.policy[.ptrace].evaluatesHolders)
    #expect(configuration.policy[.exec].onFailure == .deny)
    #expect(configuration.policy[.open].onFailure == .allow)
    #expect(configuration.coverage.fileSystems == .holding(["/", "/srv/data"]))
    #expect(configuration.coverage.exclude == ["/mnt"])
    #expect(configuration.answerDeadlineMilliseconds == 255)
    #expect(configuration.log.sinks == [.standardOutput, .file("/var/log/l")])
    #expect(!configuration.log.denials)
    #expect(configuration.log.allows)
    #expect(configuration.log.rateLimit == LogRate(perSecond: 100, burst: 7))
    #expect(configuration.log.queue == 64)
    let tool = Interpreter(
      name: "tool", paths: ["/opt/tool/bin/tool-[0-9]*"], suffixes: [".tl"], inlineOptions: "ex", readsArguments: false)
    #expect(configuration.interpreters == [tool])
    #expect(configuration.control.socket == "/tmp/c")
    #expect(configuration.control.group == "")
  }

  @Test(arguments: [Mechanism.ptrace, .module, .kexec, .clone])
  func aCallIsEnforcedWhereASysctlMayEndIt(_ mechanism: Mechanism) {
    let name = mechanism.name
    let text = "mode.\(name) = \"enforce\"\nsense.\(name) = \"audit\"\non_unpreventable.\(name) = \"sysctl\"\n"
    let (read, findings) = parsed(text)
    #expect(findings == [])
    #expect(read?.policy[mechanism].unpreventable == .sysctl)
  }

  /// Wherever [sense] and [on_unpreventable] stand.
  @Test(arguments: Mechanism.allCases.filter(\.isCall))
  func aCallIsEnforcedWhereItMayBeContained(_ mechanism: Mechanism) throws {
    let name = mechanism.name
    let mode = "[mode]\n\(name) = \"enforce\"\n[sense]\n\(name) = \"audit\"\n"
    let contain = "[on_unpreventable]\n\(name) = \"contain\"\n"
    for text in [mode + contain, contain + mode] {
      let (read, findings) = parsed(text)
      #expect(findings == [])
      let settings = try #require(read).policy[mechanism]
      #expect(settings.mode == .enforce)
      #expect(settings.unpreventable == .contain)
      #expect(Configuration.obstacle(to: .enforce, of: mechanism, settings) == nil)
    }
    #expect(parsed("[mode]\n\(name) = \"audit\"").configuration?.policy[mechanism].mode == .audit)
    #expect(parsed(contain).configuration?.policy[mechanism].mode == .off)
    let refuses = parsed("[on_unpreventable]\n\(name) = \"refuse\"").configuration?.policy[mechanism]
    #expect(refuses?.unpreventable == .refuse)
    #expect(parsed(mode).configuration == nil)
  }

  /// Whether the kernel offers what a mode needs is found out on the host that is to be guarded.
  @Test(arguments: Mechanism.allCases.filter(\.isCall), ["", "auto", "bpf"])
  func enforceIsNotRefusedBeforeTheHostWasAsked(_ mechanism: Mechanism, _ sense: String) throws {
    let table = sense.isEmpty ? "" : "[sense]\n\(mechanism.name) = \"\(sense)\"\n"
    let (read, findings) = parsed(table + "[mode]\n\(mechanism.name) = \"enforce\"")
    #expect(findings == [])
    let settings = try #require(read).policy[mechanism]
    #expect(settings.mode == .enforce && settings.sense == (sense == "bpf" ? .bpf : .auto))
    #expect(Configuration.obstacle(to: .enforce, of: mechanism, settings) == nil)
  }

  @Test func unprotected() throws {
    let (read, findings) = parsed("[failure]\nguard = false\nself_protection = false")
    #expect(findings == [])
    let configuration = try #require(read)
    #expect(!configuration.isGuarded && !configuration.protectsItself)
  }

  @Test func scope() throws {
    let (read, findings) = parsed("[scope]\ncgroups = [\"/system.slice/x.service\", \"/user.slice\"]")
    #expect(findings == [])
    #expect(try #require(read).scope.controlGroups == ["/system.slice/x.service", "/user.slice"])
    #expect(parsed("scope.cgroups = []").configuration?.scope.controlGroups == [])
    // Only the place where the hierarchy is mounted is told from a control group of such a name.
    #expect(parsed("scope.cgroups = [\"/sys/fs/cgroups\"]").configuration?.scope.controlGroups == ["/sys/fs/cgroups"])
  }

  @Test func audit() throws {
    let (read, findings) = parsed(
      """
      log.sinks = ["audit", "journal"]
      [audit]
      receive_buffer_mib = 1024
      backlog_limit = 0
      restore_rules = false
      """)
    #expect(findings == [])
    let configuration = try #require(read)
    #expect(configuration.audit.receiveBufferMebibytes == 1024)
    #expect(configuration.audit.backlogLimit == 0)
    #expect(!configuration.audit.restoresRules)
    #expect(configuration.log.sinks == [.audit, .journal])
    #expect(parsed("audit.backlog_limit = 64").configuration?.audit.backlogLimit == 64)
    #expect(parsed("audit.backlog_limit = 1048576").configuration?.audit.backlogLimit == 1_048_576)
  }

  @Test func integrity() throws {
    let (read, findings) = parsed(
      """
      trust.remember = false
      [integrity]
      mode = "size"
      [integrity.prefixes]
      "/usr/" = "sha256"
      '/opt/big images/' = "size"
      "/srv/\\u00e9.img" = 'size'
      """)
    #expect(findings == [])
    let configuration = try #require(read)
    #expect(!configuration.trust.remembersAllows)
    #expect(configuration.integrity.mode == .size)
    #expect(
      configuration.integrity.prefixes == [
        .init(path: "/usr", mode: .sha256), .init(path: "/opt/big images", mode: .size),
        .init(path: "/srv/é.img", mode: .size),
      ])
    #expect(parsed("[integrity]\nprefixes = {}").configuration == Configuration())
  }

  @Test func rateLimitCanBeOff() { #expect(parsed("log.rate_limit = \"off\"").configuration?.log.rateLimit == nil) }

  @Test func anInterpreterReplacesABuiltInOne() throws {
    let configuration = try #require(parsed("[interpreters.python]\npaths = [\"/opt/py\"]").configuration)
    let pythons = configuration.interpreters.filter { $0.name == "python" }
    #expect(pythons.map(\.paths) == [["/opt/py"]])
    #expect(configuration.interpreters.count == Configuration().interpreters.count)
  }

  /// The shipped file says what the defaults are: as it stands, and with any of its lines out of comment.
  @Test func theShippedFileHoldsTheDefaults() {
    let (configuration, findings) = Configuration.load(path: Self.repository + "etc/lilium.toml", trust: .anyone)
    #expect(findings == [])
    #expect(configuration == Configuration())
  }

  @Test func theShippedExampleInterpreterIsValid() throws {
    let text = try readText(Self.repository + "etc/lilium.toml")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "# [interpreters.example]"))
    let example = lines[start...].prefix { $0.hasPrefix("# ") }.map { $0.dropFirst(2) }.joined(separator: "\n")
    let (configuration, findings) = parsed(example)
    #expect(findings == [])
    #expect(configuration?.interpreters.contains { $0.name == "example" && $0.inlineOptions == "e" } == true)
  }

  @Test func theShippedExamplePrefixIsValid() throws {
    let text = try readText(Self.repository + "etc/lilium.toml")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "# [integrity.prefixes]"))
    let example = lines[start...].prefix { $0.hasPrefix("# ") }.map { $0.dropFirst(2) }.joined(separator: "\n")
    let (configuration, findings) = parsed(example)
    #expect(findings == [])
    #expect(configuration?.integrity.prefixes.count == 1)
  }

  private func readText(_ path: String) throws -> String {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
