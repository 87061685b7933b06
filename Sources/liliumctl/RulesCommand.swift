// Owns `liliumctl rules`: the audit rules that a policy compiles to, and what they are for and cost.
// It must not set one: the daemon does.

internal import AccessModel
internal import ArgumentParser
internal import AuditNetlink
internal import AuditResponse
internal import Configuration
internal import ControlProtocol

struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "List the audit rules that configuration and rules compile to.",
    discussion: """
      The daemon sets them by itself. Where auditing is locked at boot, the output is a file for /etc/audit/rules.d. \
      Exit codes: 0 done, 2 configuration or rules that cannot be used.
      """)

  @Flag(help: "Say what each rule is for, and what rules cost.") var explain = false
  @OptionGroup var policy: PolicyOptions
  @Flag(help: "Write JSON for programs.") var json = false

  func run() throws {
    let loaded = policy.load()
    guard let configuration = loaded.configuration, !loaded.findings.hasErrors else {
      for finding in loaded.findings { Output.complain(String(finding.rendered.dropLast())) }
      throw ExitCode.unusable
    }
    let report = RulesReport(WantedRules(configuration, loaded.rules), identity: loaded.files.identity)
    if json { Output.writeJSON(report) } else { Output.write(report.rendered(explaining: explain)) }
  }
}

/// What `rules --json` writes; schema 1.
struct RulesReport: Encodable {
  struct Rule: Encodable {
    /// As auditctl(8) takes it.
    let rule: String
    let architecture: String
    let calls: [String]
    let key: String
    /// Absent where the rule serves them all.
    let mechanism: Mechanism?
    let purpose: String
  }

  /// What any rule costs a system call that it does not match: time with rules, divided by time without.
  struct Cost: Encodable {
    let measuredOn = "Linux 6.18, x86-64"
    let ratios = Dictionary(uniqueKeysWithValues: Self.measured)
    let furtherRuleNanoseconds = 5

    static let measured = [
      ("getppid", 2.6), ("stat", 1.9), ("open", 1.5), ("mprotect", 1.4), ("find", 1.4), ("gcc", 1.01),
    ]

    private enum CodingKeys: String, CodingKey {
      case ratios
      case measuredOn = "measured_on"
      case furtherRuleNanoseconds = "further_rule_ns"
    }
  }

  let schema = 1
  let identity: String
  let mechanisms: [Mechanism]
  let rules: [Rule]
  let cost = Cost()

  init(_ wanted: WantedRules, identity: String) {
    self.identity = identity
    mechanisms = wanted.mechanisms
    rules = wanted.rules.map { compiled in
      Rule(
        rule: compiled.rule.text, architecture: compiled.rule.architecture.machine,
        calls: compiled.rule.calls.map(\.name), key: compiled.rule.key, mechanism: compiled.mechanism,
        purpose: compiled.purpose)
    }
  }

  private enum CodingKeys: String, CodingKey {
    case schema, identity, mechanisms, rules, cost
  }

  /// A file for auditctl(8): one rule a line, the rest behind "#".
  func rendered(explaining: Bool) -> String {
    guard !rules.isEmpty else { return "# no mechanism that is a system call is on: no audit rules\n" }
    guard explaining else { return rules.map { $0.rule + "\n" }.joined() }
    return heading.map { $0.isEmpty ? "#\n" : "# \($0)\n" }.joined() + groups
  }

  private var heading: [String] {
    let names = mechanisms.map(\.name).joined(separator: ", ")
    let further = "A further rule adds about \(cost.furtherRuleNanoseconds) ns to a call"
    let ratios = Self.Cost.measured.map { "\($0.0) x\($0.1)" }.joined(separator: ", ")
    return [
      "\(rules.count) audit rules for \(names).",
      "liliumd sets them when it starts and takes them away when it stops.", "",
      "What they cost: while any audit rule is in force, whoever set it, every system call of every process goes",
      "through the kernel's audit filter. Time with rules to time without, on \(cost.measuredOn):",
      "  \(ratios)",
      "\(further); one that a rule reports costs its records as well.",
      "`make bench` measures it on a host of your own.",
    ]
  }

  /// The same purpose for several machines is said once.
  private var groups: String {
    var text = ""
    var said: [String] = []
    for rule in rules {
      let remark = "\(rule.mechanism?.name ?? "all"): \(rule.purpose)"
      if said.contains(remark) { continue }
      said.append(remark)
      text += "\n# \(remark)\n"
      for other in rules where other.mechanism == rule.mechanism && other.purpose == rule.purpose {
        text += other.rule + "\n"
      }
    }
    return text
  }
}
