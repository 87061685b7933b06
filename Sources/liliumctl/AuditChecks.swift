// Owns what the readings of the audit system mean for Lilium, line by line.
// It must not read anything itself.

internal import AccessModel
internal import AuditNetlink
internal import AuditResponse
internal import Configuration
internal import PolicyLanguage
internal import SystemCalls

/// The part of `liliumctl doctor` about the kernel's audit, by which system calls are sensed.
struct AuditChecks {
  private let readings: AuditReadings
  /// The rules that the configuration asks for; where it asks for none, those of every mechanism.
  private let wanted: WantedRules
  /// Some mechanism is on that needs audit.
  private let isNeeded: Bool

  /// `byBPF` are mechanisms that are on and that this host senses otherwise.
  init(_ readings: AuditReadings, _ configuration: Configuration, _ rules: RuleSet, byBPF: Set<Mechanism> = []) {
    let asked = WantedRules(configuration, rules, byBPF: byBPF)
    self.readings = readings
    isNeeded = !asked.mechanisms.isEmpty
    wanted = isNeeded ? asked : WantedRules(configuration, rules, everyMechanism: true)
  }

  var all: [HostCheck] {
    var checks = [namespaces]
    switch readings.status {
    case .failure(let error): checks.append(unreachable(error))
    case .success(let status):
      checks += [state(status), queue(status), readers(status)] + limits(status) + obstacles(status)
    }
    return checks
  }

  /// Whether audit can be used at all from here.
  static func isUsable(_ readings: AuditReadings) -> Bool {
    readings.foreignNamespaces.isEmpty && (try? readings.status.get()) != nil
  }

  /// Records reach the initial network namespace alone, and control the initial pid and user namespaces.
  private var namespaces: HostCheck {
    let foreign = readings.foreignNamespaces.joined(separator: ", ")
    return HostCheck(
      "initial namespaces", foreign.isEmpty, needed: isNeeded,
      foreign.isEmpty ? "user, pid and network" : "not in the initial ones (\(foreign)): audit cannot be used from here"
    )
  }

  private func unreachable(_ error: Errno) -> HostCheck {
    let detail =
      switch error {
      case .permission, .access: "run liliumctl doctor as root, in the host's own namespaces"
      default: "the kernel has none, or was booted with audit=0 (\(error))"
      }
    return HostCheck("audit", false, needed: isNeeded, detail)
  }

  private func state(_ status: AuditStatus) -> HostCheck {
    switch status.enabled {
    case 0: HostCheck("audit", true, "off; liliumd switches it on while a mechanism needs it")
    case 1: HostCheck("audit", true, "on")
    default: HostCheck("audit", true, "on, and locked until the next boot: no rule can be set or taken away")
    }
  }

  private func queue(_ status: AuditStatus) -> HostCheck {
    let limit = status.backlogLimit == 0 ? "no limit" : "limit \(status.backlogLimit)"
    return HostCheck(
      "audit queue", .information, "\(limit), \(status.backlog) waiting, \(status.lost) records lost so far")
  }

  private func readers(_ status: AuditStatus) -> HostCheck {
    let listeners = readings.listeners.map(Self.named).joined(separator: ", ")
    let others = listeners.isEmpty ? "" : "; also read by \(listeners)"
    guard let daemon = readings.daemon else {
      return HostCheck(
        "audit readers", .information,
        "no audit daemon: while audit is on, the kernel prints every record to its own log as well (printk)\(others)")
    }
    return HostCheck("audit readers", .information, "\(Self.named(daemon)) is the audit daemon\(others)")
  }

  private static func named(_ reader: AuditReadings.Reader) -> String {
    reader.name.map { "\($0)[\(reader.pid)]" } ?? "socket \(reader.pid)"
  }

  /// Settings of others that Lilium leaves alone and that may surprise.
  private func limits(_ status: AuditStatus) -> [HostCheck] {
    var checks: [HostCheck] = []
    if status.rateLimit > 0 {
      checks.append(
        HostCheck(
          "audit rate limit", false,
          "the kernel drops what is beyond \(status.rateLimit) records a second; auditctl -r 0 lifts that"))
    }
    if status.failure == 2 {
      checks.append(
        HostCheck("audit failure flag", false, "the kernel panics when it cannot log; auditctl -f 1 has it print"))
    }
    return checks
  }

  private func obstacles(_ status: AuditStatus) -> [HostCheck] {
    guard let listed = readings.listed else {
      return [HostCheck("audit rules", false, needed: isNeeded, "the kernel does not list them")]
    }
    let found = AuditObstacle.survey(status: status, listed: listed, wanted: wanted.rules)
    if found.isEmpty {
      let count = isNeeded ? "\(wanted.rules.count) rules are wanted" : "no rule is wanted now"
      return [HostCheck("audit rules", true, "\(count), nothing hides what they would report")]
    }
    let texts = wanted.rules.map(\.rule.text)
    return found.map { obstacle in
      HostCheck(
        "audit rules", false, needed: isNeeded && obstacle.isFatal, obstacle.description,
        lines: obstacle.isFatal ? texts : [])
    }
  }
}
