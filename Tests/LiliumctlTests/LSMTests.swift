// Owns what doctor and check say about the BPF LSM: the steps, the hooks, the mechanisms, the rules that cannot be asked.

import AccessModel
import BPFLSM
import Configuration
import PolicyLanguage
import SystemCalls
import Testing

@testable import liliumctl

private func configuration(_ text: String) throws -> Configuration {
  try #require(Configuration.parse(Array(text.utf8), path: "c").configuration)
}

private func ruleSet(_ text: String) throws -> RuleSet {
  let source = RuleSource(path: "/r/50-site.rules", file: "50-site.rules", bytes: Array(text.utf8))
  let (set, diagnostics) = RuleSet.parse([source])
  try #require(!diagnostics.contains { $0.severity == .error })
  return set
}

private func good(_ change: (inout LSMReport) -> Void = { _ in }) -> LSMReport {
  var report = LSMReport(
    isInList: true, list: "capability,bpf",
    hooks: Mechanism.allCases.filter(\.isCall).map {
      LSMReport.Hook(name: "hook_\($0.name)", mechanism: $0.rawValue, isPresent: true)
    })
  change(&report)
  return report
}

@Suite struct LSMChecksTests {
  private func doctor(_ report: LSMReport, _ text: String = "", rules: String = "") throws -> DoctorReport {
    let audit = AuditReadings(
      status: .failure(.noSystemCall), listed: nil, foreignNamespaces: [], daemon: nil, listeners: [])
    return DoctorReport(
      checks: DoctorCommand.calls(audit, report, try configuration(text), try ruleSet(rules)))
  }

  private func text(_ report: DoctorReport) -> String { report.rendered(Paint(isOn: false)) }

  /// Where the BPF LSM senses everything that is on, nothing is missing that audit would be needed for.
  @Test func aGoodKernelNeedsNoAudit() throws {
    let report = try doctor(good(), "mode.ptrace = \"enforce\"")
    #expect(report.isGood)
    let text = text(report)
    #expect(text.contains("[+] BPF LSM: bpf is among the active LSMs (capability,bpf)\n"))
    #expect(text.contains("[+] BPF LSM program: loads\n[+] BPF LSM denial: provoked and seen\n"))
    #expect(text.contains("[+] hook hook_ptrace: ptrace\n"))
    #expect(text.contains("[+] mechanism ptrace: prevent, by the BPF LSM\n"))
    #expect(text.contains("[+] mechanism mount: prevent, by the BPF LSM\n"), "said of what is off, too")
  }

  @Test func eachStepSaysWhatFailed() throws {
    let enforce = "mode.ptrace = \"enforce\""
    var report = try doctor(LSMReport(isInList: false, list: "yama"), enforce)
    #expect(!report.isGood)
    #expect(
      text(report).contains(
        "[-] BPF LSM: bpf is not among the active LSMs (yama); add it to lsm= on the kernel command line\n"))
    #expect(!text(report).contains("BPF LSM program"), "not tried")
    #expect(text(report).contains("[-] mechanism ptrace: \"enforce\" would have to prevent"))
    #expect(text(report).contains("set on_unpreventable.ptrace = \"contain\""))
    report = try doctor(
      good { $0.load = LSMReport.Fault(error: .permission, detail: "0: R1=ctx()\n1: bad\u{1b}\nlast\n") }, enforce)
    #expect(
      text(report).contains(
        "[-] BPF LSM program: Operation not permitted (last); run liliumctl doctor as root, in the host's own "
          + "namespaces\n      0: R1=ctx()\n      1: bad"))
    #expect(!text(report).contains("BPF LSM denial") && harmful(text(report)).isEmpty)
    report = try doctor(
      good { $0.denial = LSMReport.Fault(error: Errno(0), detail: "the child was granted it") }, enforce)
    #expect(text(report).contains("[-] BPF LSM denial: the child was granted it\n") && !report.isGood)
  }

  /// What nothing asks for may be missing.
  @Test(arguments: ["", "mode.ptrace = \"off\"\nsense.ptrace = \"bpf\""]) func nothingIsNeeded(_ text: String) throws {
    #expect(try doctor(LSMReport(isInList: false, list: "yama"), text).isGood)
  }

  @Test func hooksAreShownOnce() throws {
    let report = try doctor(
      good {
        for mechanism in [Mechanism.mount, .clone] {
          $0.hooks.append(
            LSMReport.Hook(
              name: "capable", mechanism: mechanism.rawValue, isPresent: false,
              fault: LSMReport.Fault(error: .access, detail: "a\nb\n")))
        }
        $0.hooks.append(LSMReport.Hook(name: "compat", mechanism: 8, isPresent: false, isNeeded: false))
        $0.hooks[0].isPresent = false
      })
    let text = text(report)
    #expect(
      text.contains(
        "[-] hook capable: mount, clone: its program is refused: Permission denied (b)\n      a\n      b\n"))
    #expect(text.contains("[ ] hook compat: ioctl: not needed\n"))
    #expect(text.contains("[-] hook hook_ptrace: ptrace: this kernel lacks it\n"))
    #expect(
      text.contains("[-] mechanism mount: sensed by audit, which cannot be used here; not by the BPF LSM: the kernel "))
  }

  @Test func aRuleThatCannotBeAskedTakesItsMechanismToAudit() throws {
    let rule = "deny ptrace when subject.unit == \"x.service\"\nallow mount\n"
    let report = try doctor(good(), "[mode]\nptrace = \"audit\"\nmount = \"audit\"", rules: rule)
    #expect(text(report).contains("not by the BPF LSM: 50-site.rules:1: subject.unit cannot be asked in the kernel\n"))
    #expect(text(report).contains("[+] mechanism mount: prevent, by the BPF LSM\n"))
    #expect(!report.isGood, "audit is needed, and is not there")
  }

  @Test func auditThatIsAskedForIsNoNews() throws {
    let report = try doctor(good(), "[mode]\nkexec = \"audit\"\n[sense]\nkexec = \"audit\"")
    #expect(text(report).contains("[-] mechanism kexec: sensed by audit, which cannot be used here\n"))
  }
}

@Suite struct KernelRulesTests {
  private func findings(_ text: String, _ rules: String) throws -> [Finding] {
    KernelRules.findings(try configuration(text), try ruleSet(rules))
  }

  private static let rules = """
    # a remark
    allow ptrace when subject.uid == 0
    deny ptrace when subject.unit == "x.service"
    deny mount when subject.comm == "a"

    """

  @Test func eachRuleIsNamedWithPlaceAndRemedy() throws {
    let found = try findings("mode.ptrace = \"audit\"", Self.rules)
    #expect(
      found.map(\.rendered) == [
        "/r/50-site.rules:3: warning: subject.unit cannot be asked in the kernel\n  ptrace is sensed by audit because of this "
          + "rule, after the call; to have it so without this warning, set sense.ptrace = \"audit\"\n"
      ])
    #expect(found.first?.place?.line == 3 && found.first?.severity == .warning)
  }

  @Test func whatItMeansDependsOnTheSettings() throws {
    func hint(_ text: String) throws -> String? { try findings(text, Self.rules).first?.hint }
    let enforce = "mode.ptrace = \"enforce\"\n"
    #expect(try hint(enforce)?.contains("\"enforce\" is refused; change the rule, or set on_unpreventable") == true)
    #expect(try hint(enforce + "on_unpreventable.ptrace = \"contain\"")?.contains("sensed by audit") == true)
    #expect(try hint(enforce + "sense.ptrace = \"bpf\"")?.contains("ptrace cannot be on with this rule") == true)
  }

  @Test(arguments: ["", "mode.ptrace = \"audit\"\nsense.ptrace = \"audit\"", "mode.kexec = \"enforce\""])
  func whatNeedNotBeAskedIsNoFinding(_ text: String) throws {
    #expect(try findings(text, Self.rules).isEmpty)
  }

  @Test func auditRulesAreForWhatAuditSenses() throws {
    let both = try configuration("[mode]\nptrace = \"audit\"\nmount = \"audit\"\n[sense]\nptrace = \"bpf\"")
    #expect(WantedRules(both, RuleSet()).mechanisms == [.mount])
    #expect(WantedRules(both, RuleSet(), byBPF: [.mount]).mechanisms == [])
  }
}
