// Owns `liliumctl doctor`: what this host offers, line by line.
// It must not promise what was not tried.

internal import AccessModel
internal import ArgumentParser
internal import BPFLSM
internal import Configuration
internal import ControlProtocol
internal import PolicyLanguage

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this kernel and host offer, and what each mechanism can do here.",
    discussion: """
      Run it as root. While the daemon runs, a process of its own makes one harmless call for each system call that \
      is watched, and the daemon must have heard of it. Exit codes: 0 all that this version needs is there, \
      1 something is missing.
      """)

  @Option(
    help: ArgumentHelp("The daemon's state folder; the trust database is its folder trust.", valueName: "directory"))
  var state = TrustOptions.defaultState
  @OptionGroup var policy: PolicyOptions
  @OptionGroup var connection: Connection

  func run() throws {
    let loaded = policy.load()
    let isUsable = !loaded.findings.hasErrors
    let configuration = isUsable ? loaded.configuration ?? Configuration() : Configuration()
    let rules = isUsable ? loaded.rules : RuleSet()
    var checks = HostProbe.run() + TrustChecks(TrustReadings.take(state: state), configuration, rules).all
    checks += Self.calls(AuditReadings.take(), LSMReport.survey(), configuration, rules)
    if !isUsable { checks.append(HostCheck("configuration and rules", false, "unusable: run liliumctl check")) }
    let wanted = WantedRules(configuration, rules)
    checks += Tripwire(socket: connection.socket, ioctl: wanted.ioctl).run()
    let report = DoctorReport(checks: checks)
    if connection.json {
      Output.writeJSON(report)
    } else {
      Output.write(report.rendered(Paint(isOn: Output.usesColor)))
    }
    if !report.isGood { throw ExitCode.finding }
  }
}

extension DoctorCommand {
  /// What is said about system calls: the two ways to learn of them, and what each mechanism makes of that.
  static func calls(
    _ audit: AuditReadings, _ bpf: LSMReport, _ configuration: Configuration, _ rules: RuleSet
  ) -> [HostCheck] {
    let settings = configuration.policy
    let calls = CallChecks(
      settings, bpf, unaskable: KernelRules.unaskable(configuration, rules, everyMechanism: true),
      auditIsUsable: AuditChecks.isUsable(audit))
    let byBPF = Set(Mechanism.allCases.filter { settings[$0].mode != .off }).subtracting(calls.byAudit)
    return LSMChecks(bpf, settings).all + AuditChecks(audit, configuration, rules, byBPF: byBPF).all + calls.all
  }
}

/// One thing that was looked at.
struct HostCheck: Encodable, Equatable {
  enum State: String, Encodable {
    case available, missing
    /// Good to know; nothing depends on it.
    case information
  }

  let name: String
  let state: State
  /// Whether this version cannot work without it.
  let isNeeded: Bool
  let detail: String
  /// Text to be copied, such as rules; mostly none.
  let lines: [String]

  init(_ name: String, _ isAvailable: Bool, needed: Bool = false, _ detail: String, lines: [String] = []) {
    self.init(name, isAvailable ? .available : .missing, needed: needed, detail, lines: lines)
  }

  init(_ name: String, _ state: State, needed: Bool = false, _ detail: String, lines: [String] = []) {
    self.name = name
    self.state = state
    isNeeded = needed
    self.detail = detail
    self.lines = lines
  }

  private enum CodingKeys: String, CodingKey {
    case name, state, detail, lines
    case isNeeded = "needed"
  }
}

/// What `doctor --json` writes; schema 1.
struct DoctorReport: Encodable {
  let schema = 1
  let checks: [HostCheck]

  init(checks: [HostCheck]) { self.checks = checks }

  private enum CodingKeys: String, CodingKey {
    case schema, checks
  }

  var isGood: Bool { !checks.contains { $0.isNeeded && $0.state == .missing } }

  func rendered(_ paint: Paint) -> String {
    checks.map { check in
      let sign =
        switch check.state {
        case .available: paint.green("[+]")
        case .missing: check.isNeeded ? paint.red("[-]") : paint.yellow("[-]")
        case .information: "[ ]"
        }
      let detail = check.detail.isEmpty ? "" : ": \(Printable.text(check.detail))"
      let lines = check.lines.map { "      \(Printable.text($0))\n" }.joined()
      return "\(sign) \(Printable.text(check.name))\(detail)\n\(lines)"
    }.joined()
  }
}
