// Owns what commands say about the kernel's audit: the rules that are wanted, what is found, what it costs.

import AccessModel
import AuditResponse
import BPFLSM
import Configuration
import ControlProtocol
import PolicyLanguage
import SystemCalls
import Testing

@testable import AuditNetlink
@testable import liliumctl

private func configuration(_ text: String) throws -> Configuration {
  try #require(Configuration.parse(Array(text.utf8), path: "c").configuration)
}

private func rules(_ text: String) throws -> RuleSet {
  let (set, diagnostics) = RuleSet.parse([RuleSource(path: "r", file: "r", bytes: Array(text.utf8))])
  try #require(!diagnostics.contains { $0.severity == .error })
  return set
}

@Suite struct WantedRulesTests {
  @Test func whatIsOffNeedsNoRule() throws {
    let off = WantedRules(try configuration("mode.exec = \"enforce\"\nmode.open = \"audit\""), RuleSet())
    #expect(off.mechanisms == [])
    #expect(off.rules.isEmpty)
    #expect(RulesReport(off, identity: "i").rendered(explaining: true).hasPrefix("# no mechanism"))
    let every = WantedRules(Configuration(), RuleSet(), everyMechanism: true)
    #expect(every.mechanisms == Mechanism.allCases.filter(\.isCall))
    #expect(!every.rules.isEmpty)
  }

  /// auditctl -R ends at a rule that is there already.
  @Test func noRuleStandsTwice() {
    let texts = WantedRules(Configuration(), RuleSet(), everyMechanism: true).rules.map(\.rule.text)
    #expect(Set(texts).count == texts.count)
  }

  @Test func onlyTheRequestsThatRulesName() throws {
    let text = "deny ioctl when operation.request in [\"TIOCSTI\"]\n"
    let wanted = WantedRules(try configuration("mode.ioctl = \"audit\""), try rules(text), on: [.x86_64])
    #expect(wanted.ioctl == .numbers([0x5412]))
    #expect(
      wanted.rules.map(\.rule.text).contains("-a always,exit -F arch=b64 -S ioctl -F a1=0x5412 -F key=lilium.ioctl"))
  }

  /// The output is read by auditctl -R: a rule or a remark a line.
  @Test(arguments: [true, false]) func theTextIsAFileForAuditctl(_ explains: Bool) throws {
    let wanted = WantedRules(try configuration("[mode]\nptrace = \"audit\"\nmount = \"audit\""), RuleSet())
    let report = RulesReport(wanted, identity: "i")
    let lines = report.rendered(explaining: explains).split(separator: "\n")
    let set = lines.filter { !$0.hasPrefix("#") }
    #expect(set.allSatisfy { $0.hasPrefix("-a always,exit -F arch=b") && $0.contains(" -F key=lilium.") })
    #expect(set.sorted() == wanted.rules.map { Substring($0.rule.text) }.sorted())
    #expect(lines.contains { $0.hasPrefix("# ptrace: ") } == explains)
    #expect(lines.contains { $0.contains("getppid x2.6") } == explains)
    #expect(lines.allSatisfy { $0.count <= 160 })
  }

  @Test func asJSON() throws {
    let wanted = WantedRules(try configuration("mode.kexec = \"audit\""), RuleSet(), on: [.x86_64])
    let value = try ControlLine.decodeValue(ControlLine.encodePretty(RulesReport(wanted, identity: "i")))
    #expect(value["schema"] == .integer(1))
    #expect(value["mechanisms"] == .array([.string("kexec")]))
    #expect(value["cost"]?["ratios"]?["getppid"] == .number(2.6))
    guard case .array(let rules)? = value["rules"] else {
      Issue.record("no list")
      return
    }
    let kexec = rules.filter { $0["mechanism"] == .string("kexec") }
    #expect(kexec.map { $0["calls"] } == [.array([.string("kexec_load"), .string("kexec_file_load")])])
    #expect(rules.contains { $0["mechanism"] == nil })
  }
}

@Suite struct AuditChecksTests {
  private func status(_ change: (inout AuditStatus) -> Void = { _ in }) throws -> AuditStatus {
    var status = try #require(AuditStatus([UInt8](repeating: 0, count: 40)))
    (status.enabled, status.failure, status.backlogLimit) = (1, 1, 8192)
    change(&status)
    return status
  }

  private func readings(_ status: Result<AuditStatus, Errno>, listed: [ListedRule]? = []) -> AuditReadings {
    AuditReadings(status: status, listed: listed, foreignNamespaces: [], daemon: nil, listeners: [])
  }

  private func report(_ readings: AuditReadings, _ text: String = "mode.ptrace = \"audit\"") throws -> DoctorReport {
    let none = LSMReport(isInList: false, list: "yama")
    return DoctorReport(checks: DoctorCommand.calls(readings, none, try configuration(text), RuleSet()))
  }

  private func text(_ report: DoctorReport) -> String { report.rendered(Paint(isOn: false)) }

  @Test(arguments: [(0, "off; liliumd switches it on"), (1, "on"), (2, "on, and locked until the next boot")])
  func states(_ enabled: UInt32, _ word: String) throws {
    let report = try report(readings(.success(try status { $0.enabled = enabled })))
    #expect(text(report).contains("[+] audit: \(word)"))
    #expect(text(report).contains("[ ] audit queue: limit 8192, 0 waiting, 0 records lost so far\n"))
    // Locked, and none of the rules is there.
    #expect(report.isGood == (enabled != 2))
  }

  @Test func lockedAuditPrintsTheRules() throws {
    let report = try report(readings(.success(try status { $0.enabled = 2 })))
    let wanted = WantedRules(try configuration("mode.ptrace = \"audit\""), RuleSet()).rules.map(\.rule.text)
    #expect(!wanted.isEmpty)
    for line in wanted { #expect(text(report).contains("\n      \(line)\n")) }
    // Nothing asks for them: said, but nothing is missing.
    #expect(try self.report(readings(.success(try status { $0.enabled = 2 })), "").isGood)
  }

  @Test(arguments: [
    (Errno.permission, "run liliumctl doctor as root"), (Errno(93), "the kernel has none, or was booted with audit=0"),
  ])
  func withoutAudit(_ error: Errno, _ words: String) throws {
    let needed = try report(readings(.failure(error), listed: nil))
    #expect(text(needed).contains("[-] audit: \(words)"))
    #expect(text(needed).contains("[-] mechanism ptrace: sensed by audit, which cannot be used here"))
    #expect(!needed.isGood)
    #expect(try report(readings(.failure(error), listed: nil), "").isGood)
  }

  @Test func effects() throws {
    let text = text(
      try report(
        readings(.success(try status())), "mode.ptrace = \"enforce\"\non_unpreventable.ptrace = \"contain\""))
    #expect(text.contains("[+] mechanism ptrace: contain, after the call; not by the BPF LSM, see there\n"))
    #expect(
      text.contains(
        "[+] mechanism mount: log, after the call; contain with on_unpreventable.mount = \"contain\"; not by"))
    #expect(
      text.contains(
        "[+] mechanism kexec: log, after the call; contain with on_unpreventable.kexec = \"contain\", or end it by "
          + "kernel.kexec_load_disabled with on_unpreventable.kexec = \"sysctl\"; not by"))
    #expect(text.contains("[+] audit rules: "))
    #expect(text.contains("no audit daemon: while audit is on, the kernel prints every record"))
  }

  @Test func whoReads() throws {
    var readings = readings(.success(try status { $0.pid = 77 }))
    readings.daemon = .init(pid: 77, name: "auditd\u{1b}")
    readings.listeners = [.init(pid: 1, name: "systemd"), .init(pid: -4000, name: nil)]
    let text = text(try report(readings))
    #expect(text.contains("audit readers: auditd"))
    #expect(text.contains("[77] is the audit daemon; also read by systemd[1], socket -4000\n"))
    #expect(!text.contains("printk"))
    #expect(harmful(text).isEmpty)
  }

  @Test func theGroupsOfNetlinkSockets() {
    let table = """
      sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
      0000000000000000 0   1          00000001 0        0        0     2        0        5
      0000000000000000 9   0          00000000 0        0        0     2        0        6
      0000000000000000 9   77         00000000 0        0        0     2        0        7
      0000000000000000 9   812        00000001 0        0        0     2        3        8
      0000000000000000 9   -4000      00000001
      9 9
      0000000000000000 9   x          00000001 0
      0000000000000000 9   5          zz 0
      """
    let readers = AuditReadings.listeners(table) { $0 > 0 ? "name" : nil }
    #expect(readers == [.init(pid: 812, name: "name"), .init(pid: -4000, name: nil)])
    #expect(AuditReadings.listeners("", name: { _ in nil }) == [])
  }

  @Test func whatOthersHaveSet() throws {
    let text = text(
      try report(
        readings(
          .success(
            try status {
              ($0.rateLimit, $0.failure) = (20, 2)
            }))))
    #expect(text.contains("[-] audit rate limit: the kernel drops what is beyond 20 records a second"))
    #expect(text.contains("[-] audit failure flag: the kernel panics"))
  }

  @Test func foreignNamespacesAreNamed() throws {
    var readings = readings(.success(try status()))
    readings.foreignNamespaces = ["pid", "net"]
    let report = try report(readings)
    #expect(text(report).contains("[-] initial namespaces: not in the initial ones (pid, net)"))
    #expect(!report.isGood)
  }

  /// struct audit_rule_data: list, action, count, and four tables of 64, the first of them the mask.
  private func rule(list: UInt32, action: UInt32, calls: [UInt32]) throws -> ListedRule {
    var words = [UInt32](repeating: 0, count: 260)
    (words[0], words[1]) = (list, action)
    for call in calls { words[3 + Int(call / 32)] |= 1 << (call % 32) }
    return try #require(ListedRule(words.flatMap { word in withUnsafeBytes(of: word) { Array($0) } }))
  }

  @Test func whatHidesCallsIsNamed() throws {
    let listed = [try rule(list: 1, action: 0, calls: []), try rule(list: 4, action: 0, calls: [101])]
    let report = try report(readings(.success(try status()), listed: listed))
    #expect(text(report).contains("[-] audit rules: the rule -a never,task hides"))
    #expect(text(report).contains("[-] audit rules: an earlier rule hides every call of ptrace"))
    #expect(report.isGood)
    #expect(text(try self.report(readings(.success(try status()), listed: nil))).contains("does not list them"))
  }

  /// The host's own audit is only read.
  @Test func readingsAreTaken() {
    let readings = AuditReadings.take()
    #expect(readings.foreignNamespaces.allSatisfy { ["user", "pid", "net"].contains($0) })
    #expect((readings.listed == nil) == ((try? readings.status.get()) == nil))
  }
}
