// Owns what comes of a system call that the rules do not allow, mechanism by mechanism, as `liliumctl doctor` shows it.
// It must not look at the host: the readings are given.

internal import AccessModel
internal import BPFLSM
internal import LSMEnforcement

/// The line of each mechanism whose door is a system call.
struct CallChecks {
  private let settings: PolicySettings
  private let report: LSMReport
  private let unaskable: [KernelRefusal]
  private let auditIsUsable: Bool
  private let choice: SenseChoice

  /// `unaskable` are the rules of every mechanism that cannot be asked in the kernel.
  init(_ settings: PolicySettings, _ report: LSMReport, unaskable: [KernelRefusal], auditIsUsable: Bool) {
    self.settings = settings
    self.report = report
    self.unaskable = unaskable
    self.auditIsUsable = auditIsUsable
    choice = SenseChoice(settings, report, unaskable: unaskable)
  }

  /// Mechanisms that are on and that need audit here.
  var byAudit: [Mechanism] { Mechanism.allCases.filter { choice.sensors[$0] == .audit } }

  var all: [HostCheck] { Mechanism.allCases.filter(\.isCall).map(check) }

  private func check(_ mechanism: Mechanism) -> HostCheck {
    let settings = settings[mechanism]
    let isOn = settings.mode != .off
    if let refusal = choice.refusals.first(where: { $0.mechanism == mechanism }) {
      return line(mechanism, false, needed: true, "\(refusal.message); \(refusal.remedy)")
    }
    let hindrances = isOn ? choice.hindrances[mechanism] ?? [] : hindrancesWereItOn(mechanism)
    if settings.sense != .audit, hindrances.isEmpty {
      return line(mechanism, true, needed: isOn, "prevent, by the BPF LSM")
    }
    let why = settings.sense == .audit ? "" : "; not by the BPF LSM" + self.why(hindrances)
    guard auditIsUsable else {
      return line(mechanism, false, needed: isOn, "sensed by audit, which cannot be used here" + why)
    }
    return line(mechanism, true, needed: isOn, Self.effectOfAudit(mechanism, settings.unpreventable) + why)
  }

  private static func effectOfAudit(_ mechanism: Mechanism, _ unpreventable: Unpreventable) -> String {
    let key = "on_unpreventable.\(mechanism.name)"
    switch (unpreventable, mechanism.hostSwitch) {
    case (.contain, _): return "contain, after the call"
    case (.sysctl, let hostSwitch?): return "prevent, by \(hostSwitch.text), which \"enforce\" sets"
    case (_, let hostSwitch?):
      return "log, after the call; contain with \(key) = \"contain\", or end it by \(hostSwitch.name) with \(key) = "
        + "\"sysctl\""
    case (_, nil): return "log, after the call; contain with \(key) = \"contain\""
    }
  }

  /// What keeps every mechanism from it has lines of its own.
  private func why(_ hindrances: [String]) -> String {
    report.isUsable ? ": \(hindrances.joined(separator: "; "))" : ", see there"
  }

  private func hindrancesWereItOn(_ mechanism: Mechanism) -> [String] {
    SenseChoice.hindrances(of: mechanism, report)
      + unaskable.filter { $0.mechanism == mechanism }.map(\.sentence)
  }

  private func line(_ mechanism: Mechanism, _ isAvailable: Bool, needed: Bool, _ detail: String) -> HostCheck {
    HostCheck("mechanism \(mechanism.name)", isAvailable, needed: needed, detail)
  }
}
