// Owns what commands take, look at and decide, without a daemon.

import AccessModel
import ArgumentParser
import BPFLSM
import Configuration
import ControlProtocol
import Glibc
import PolicyLanguage
import Testing

@testable import liliumctl

@Suite struct CommandTests {
  @Test func commandLines() throws {
    let mode = try #require(try Liliumctl.parseAsRoot(["mode", "exec", "audit", "--for", "5m"]) as? ModeCommand)
    #expect(mode.mechanism == .exec)
    #expect(mode.mode == .audit)
    #expect(mode.limit?.seconds == 300)
    #expect(mode.connection.socket == "/run/lilium/control.sock")
    let check = try #require(try Liliumctl.parseAsRoot(["check", "--rules", "a", "--rules", "b"]) as? CheckCommand)
    #expect(check.policy.rules == ["a", "b"])
    #expect(check.policy.config == nil)
    let watch = try #require(
      try Liliumctl.parseAsRoot(["watch", "--verdict", "deny", "--socket", "/x"]) as? WatchCommand)
    #expect(watch.verdict == .deny)
    #expect(watch.connection.socket == "/x")
    let rules = try #require(try Liliumctl.parseAsRoot(["rules", "--explain", "--config", "c"]) as? RulesCommand)
    #expect(rules.explain)
    #expect(rules.policy.config == "c")
    let doctor = try #require(
      try Liliumctl.parseAsRoot(["doctor", "--json", "--socket", "/x", "--config", "c"]) as? DoctorCommand)
    #expect(doctor.connection.json)
    #expect(doctor.policy.config == "c")
    let call = try #require(
      try Liliumctl.parseAsRoot(["tripwire-call", "ioctl", "--request", "21522"]) as? TripwireCallCommand)
    #expect(call.request == 21522)
    #expect(!Liliumctl.helpMessage().contains("tripwire"))
  }

  @Test(arguments: [
    ["mode", "exec"], ["mode", "exec", "on"], ["mode", "exek", "off"], ["mode", "exec", "off", "--for", "5"],
    ["simulate", "--exe", "/x", "--path", "/y"], ["simulate", "--exe", "/x", "--path", "/y", "--uid", "-1"],
    ["simulate", "--exe", "/x", "--path", "/y", "--uid", "0", "--sha256", "e3b0"],
    ["simulate", "--exe", "/x", "--path", "/y", "--uid", "0", "--mechanism", "ptrace"], ["stop"], ["explain"],
    ["tripwire-call", "exec"], ["tripwire-call", "open"], ["tripwire-call"], ["rules", "ptrace"],
  ])
  func wrongUsage(_ arguments: [String]) {
    let error = #expect(throws: (any Error).self) { try Liliumctl.parseAsRoot(arguments) }
    #expect(error.map { Liliumctl.exitCode(for: $0).rawValue } == 64)
  }

  @Test func nobodyAtTheSocket() throws {
    let command = try Liliumctl.parseAsRoot(["status", "--socket", "/tmp/lilium-nobody.sock"])
    let error = #expect(throws: (any Error).self) {
      var command = command
      try command.run()
    }
    #expect(error.map { Liliumctl.exitCode(for: $0).rawValue } == 3)
  }

  @Test func privileges() {
    let full = "Name:\tx\nCapEff:\t000001ffffffffff\n"
    #expect(HostProbe.privileges(status: full, uid: 0).state == .available)
    #expect(HostProbe.privileges(status: full, uid: 1000).state == .missing)
    let some = HostProbe.privileges(status: "CapEff:\t0000000000080000\n", uid: 0)
    #expect(some.detail == "missing: CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH, CAP_LEASE")
    #expect(HostProbe.privileges(status: "", uid: 0).state == .missing)
  }

  @Test(arguments: [
    ("22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw", HostCheck.State.available, ""),
    ("22 1 0:21 / /proc rw - proc proc rw,hidepid=0", .available, ""),
    (
      "22 1 0:21 / /proc rw - proc proc rw,hidepid=invisible", .missing,
      "mounted with hidepid=invisible; a root daemon still sees everything, its tools may not"
    ),
    ("", .missing, "/proc is not mounted"),
    ("22 1 0:21 / /proc2 rw - proc proc rw", .missing, "/proc is not mounted"),
  ])
  func hiddenProcesses(_ mountInfo: String, _ state: HostCheck.State, _ detail: String) {
    let check = HostProbe.procFileSystem(mountInfo: mountInfo)
    #expect(check.state == state)
    #expect(check.detail == detail)
  }

  @Test func everyMechanismHasItsLine() {
    let report = DoctorReport(checks: HostProbe.mechanisms(canPrevent: true))
    #expect(report.isGood)
    let text = report.rendered(Paint(isOn: false))
    #expect(text == "[+] mechanism exec: prevent\n[+] mechanism open: prevent\n")
    let all =
      HostProbe.mechanisms(canPrevent: true)
      + DoctorCommand.calls(AuditReadings.take(), LSMReport(isInList: false, list: ""), Configuration(), RuleSet())
    for mechanism in Mechanism.allCases {
      #expect(all.count { $0.name == "mechanism \(mechanism.name)" } == 1)
    }
    #expect(!DoctorReport(checks: HostProbe.mechanisms(canPrevent: false)).isGood)
    let hostile = DoctorReport(checks: [HostCheck("a\u{1b}", true, "b\n\u{9b}", lines: ["c\u{1b}\u{202e}"])])
    #expect(harmful(hostile.rendered(Paint(isOn: false))).isEmpty)
  }
}

@Suite struct SimulationTests {
  private func report(
    _ rules: String, exe: String = "/usr/bin/bash", path: String = "/usr/bin/env", uid: UInt32 = 1000,
    _ operation: Operation = .execute, mechanism: Mechanism = .exec, settings: PolicySettings = PolicySettings(),
    trusted: Bool? = nil, digest: ContentHash? = nil
  ) throws -> SimulationReport {
    let source = RuleSource(path: "/r/50-a.rules", file: "50-a.rules", bytes: Array(rules.utf8))
    let (set, diagnostics) = RuleSet.parse([source])
    try #require(diagnostics.isEmpty)
    let subject = SimulatedSubject(executable: exe, uid: uid, gid: uid, unit: "x.service")
    let content = try SimulatedContent(
      state: "/nonexistent", IntegritySettings(), trusted: trusted, digest: digest)
    let simulation = try Simulation(
      subject, object: path, operation, interpreters: Interpreter.builtIn, content: content)
    return simulation.decide(mechanism, set, settings)
  }

  @Test func theRulesThatWereTried() throws {
    let report = try report(
      """
      deny exec when object.world_writable
      allow exec when subject.unit == "x.service" && object.kind == "elf-executable" && subject.uid == 1000
      deny exec
      """)
    #expect(report.verdict == .allow)
    #expect(report.reason == "rule")
    #expect(report.rule == "50-a.rules:2")
    #expect(report.trace.map(\.result) == ["no match", "matched"])
    #expect(report.isOff)
    let text = report.rendered(Paint(isOn: false))
    #expect(text.contains("50-a.rules:2  matched   allow exec when"))
    #expect(text.contains("verdict  allow: rule 50-a.rules:2\n"))
  }

  @Test func noRuleMeansTheDefault() throws {
    let report = try report("allow exec when object.links == 0\n")
    #expect(report.verdict == .deny)
    #expect(report.reason == "default")
  }

  @Test func whatIsUnknownIsUndecided() throws {
    let report = try report("deny exec when subject.parent_exe == \"/x\"\n")
    #expect(report.reason == "undecided")
    #expect(report.trace.map(\.undecided) == [["subject.parent_exe"]])
  }

  @Test func dataPasses() throws {
    #expect(try report("deny exec\n", exe: "/usr/bin/env", path: "/etc/passwd", .open).reason == "data")
    #expect(try report("deny exec\n", exe: "/usr/bin/bash", path: "/etc/passwd", .open).verdict == .deny)
  }

  @Test func anOpenRuleMustNameTheFile() throws {
    let rule = "deny open when object.path == \"/etc/hostname\" && subject.uid != 0\n"
    #expect(try report(rule, path: "/etc/passwd", .open, mechanism: .open).reason == "not-watched")
    #expect(try report(rule, path: "/etc/hostname", .open, mechanism: .open).verdict == .deny)
    #expect(try report(rule, path: "/etc/hostname", uid: 0, .open, mechanism: .open).verdict == .allow)
  }

  private static let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  @Test(arguments: [(true, Verdict.allow), (false, .deny)])
  func contentIsTakenForTrustedOrNot(_ trusted: Bool, _ verdict: Verdict) throws {
    let report = try report("allow exec when object.trusted\n", trusted: trusted)
    #expect(report.verdict == verdict)
    #expect(report.object.trusted == trusted && report.object.trust == (trusted ? nil : "unknown"))
    #expect(report.trustProblem == nil, "nobody had to be asked")
    let text = report.rendered(Paint(isOn: false))
    #expect(text.contains(trusted ? "\ncontent  trusted\n" : "\ncontent  not trusted: unknown\n"))
  }

  @Test func withoutADatabaseItSaysWhatToDo() throws {
    var settings = PolicySettings()
    settings[.exec].mode = .enforce
    settings[.exec].onFailure = .deny
    let report = try report("allow exec when object.trusted\n", settings: settings)
    #expect(report.verdict == .deny && report.reason == "trust-unavailable")
    #expect(report.trace.map(\.result) == ["trust-unavailable"])
    #expect(report.object.trusted == nil)
    let text = report.rendered(Paint(isOn: false))
    #expect(text.contains("trust sync"))
    #expect(text.contains("verdict  deny: a rule asks the trust database, and there is none; on_failure answers\n"))
    #expect(try self.report("allow exec when object.owner == 0\n").trustProblem == nil, "no rule asked it")
  }

  @Test func aDigestIsReadFromTheFileOrImagined() throws {
    let rule = "allow exec when object.sha256 == \"\(Self.digest)\"\n"
    let imagined = try report(rule, digest: ContentHash(argument: Self.digest))
    #expect(imagined.verdict == .allow && imagined.object.sha256 == Self.digest)
    // The test's own file, so that a lease tells whether somebody writes it.
    let real = try report(rule)
    #expect(real.verdict == .deny)
    if let digest = real.object.sha256 {
      #expect(digest != Self.digest)
      #expect(try report("allow exec when object.sha256 == \"\(digest)\"\n").verdict == .allow)
    }
  }

  @Test(arguments: ["/nonexistent", "/usr", "/dev/null"])
  func filesThatCannotBeLookedAt(_ path: String) {
    #expect(throws: SimulationFailure.self) { try report("deny exec\n", path: path) }
  }
}

@Suite struct CheckTests {
  @Test func whatIsDoubtful() {
    var configuration = Configuration()
    #expect(configuration.doubts(about: RuleSet(), path: "c") == [])
    configuration.policy[.exec].mode = .enforce
    configuration.policy[.open].mode = .audit
    let doubts = configuration.doubts(about: RuleSet(), path: "c")
    #expect(doubts.map(\.severity) == [.warning, .warning])
    #expect(doubts.first?.message.hasSuffix("all of it would be denied") == true)
    let rules = RuleSet.parse([RuleSource(path: "r", file: "r", bytes: Array("allow exec\n".utf8))]).rules
    #expect(configuration.doubts(about: rules, path: "c").count == 1)
  }

  /// Where the capability decides, no rule is a policy, too.
  @Test func whatIsDoubtfulAboutCalls() {
    var configuration = Configuration()
    configuration.policy[.ptrace].mode = .audit
    #expect(configuration.doubts(about: RuleSet(), path: "c") == [])
    configuration.policy[.ptrace].evaluatesHolders = true
    let messages = configuration.doubts(about: RuleSet(), path: "c").map(\.message)
    #expect(messages.count == 1)
    #expect(messages.first?.hasSuffix("also to who holds CAP_SYS_PTRACE: all of it would be contained") == true)
    configuration.policy[.ptrace].mode = .off
    configuration.policy[.ioctl].mode = .audit
    #expect(
      configuration.doubts(about: RuleSet(), path: "c").first?.hint == "write rules for ioctl, or leave it \"off\"")
  }

  @Test func theShippedFilesAreGood() {
    let repository = String(#filePath.dropLast("Tests/LiliumctlTests/CommandTests.swift".count))
    let configuration = Configuration.load(path: repository + "etc/lilium.toml", trust: .anyone)
    let files = RuleFiles.load(from: [repository + "etc/rules.d"], trust: .anyone)
    #expect(configuration.findings == [])
    #expect(files.findings == [])
    #expect(!files.sources.isEmpty)
    #expect(RuleSet.parse(files.sources).diagnostics == [])
  }
}
