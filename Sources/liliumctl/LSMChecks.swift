// Owns what was found out about the kernel's BPF LSM, line by line, as `liliumctl doctor` shows it.
// It must not find anything out itself.

internal import AccessModel
internal import BPFLSM
internal import LSMEnforcement
internal import SystemCalls

/// The part of `liliumctl doctor` about the BPF LSM, by which system calls are prevented.
struct LSMChecks {
  private let report: LSMReport
  /// Some mechanism can do with nothing else.
  private let isNeeded: Bool
  /// So many lines of the verifier's log are shown, the last ones.
  private static let mostLines = 20

  init(_ report: LSMReport, _ settings: PolicySettings) {
    self.report = report
    isNeeded = Mechanism.allCases.contains { Self.needs($0, settings[$0]) }
  }

  private static func needs(_ mechanism: Mechanism, _ settings: MechanismSettings) -> Bool {
    guard mechanism.isCall, settings.mode != .off, settings.sense != .audit else { return false }
    return settings.sense == .bpf || settings.mode == .enforce && settings.unpreventable == .refuse
  }

  var all: [HostCheck] {
    var checks = [list]
    if report.isInList { checks.append(step("BPF LSM program", report.load, "loads")) }
    if report.isInList, report.load == nil { checks.append(step("BPF LSM denial", report.denial, "provoked and seen")) }
    checks += hooks
    return report.isUsable ? checks + [protection] : checks
  }

  private var list: HostCheck {
    let list = report.list.isEmpty ? "" : " (\(report.list))"
    return HostCheck(
      "BPF LSM", report.isInList, needed: isNeeded,
      report.isInList
        ? "bpf is among the active LSMs\(list)"
        : "bpf is not among the active LSMs\(list); add it to lsm= on the kernel command line")
  }

  private func step(_ name: String, _ fault: LSMReport.Fault?, _ good: String) -> HostCheck {
    guard let fault else { return HostCheck(name, true, needed: isNeeded, good) }
    let hint = fault.error == .permission ? "; run liliumctl doctor as root, in the host's own namespaces" : ""
    return HostCheck(
      name, false, needed: isNeeded, SenseChoice.words(of: fault) + hint, lines: Self.log(of: fault))
  }

  /// The end of the verifier's log, where it is longer than the line that stands in the sentence.
  private static func log(of fault: LSMReport.Fault) -> [String] {
    let lines = fault.detail.split(separator: "\n")
    return lines.count < 2 ? [] : lines.suffix(mostLines).map(String.init)
  }

  /// One line for each hook, whichever mechanisms it guards.
  private var hooks: [HostCheck] {
    var names: [String] = []
    for hook in report.hooks where !names.contains(hook.name) { names.append(hook.name) }
    return names.map { name in
      let same = report.hooks.filter { $0.name == name }
      let mechanisms = same.compactMap { Mechanism(rawValue: $0.mechanism)?.name }.joined(separator: ", ")
      let isPresent = same.allSatisfy(\.isPresent)
      guard same.contains(where: \.isNeeded) else {
        return HostCheck(
          "hook \(name)", isPresent ? .available : .information, mechanisms + Self.why(same, "not needed"))
      }
      let fault = same.compactMap(\.fault).first
      return HostCheck(
        "hook \(name)", isPresent, mechanisms + Self.why(same, "this kernel lacks it"),
        lines: fault.map(Self.log) ?? [])
    }
  }

  private var protection: HostCheck {
    let name = "self-protection"
    if let fault = report.guardFault {
      return HostCheck(
        name, false, "its programs are refused: \(SenseChoice.words(of: fault))", lines: Self.log(of: fault))
    }
    guard report.missingGuards.isEmpty else {
      return HostCheck(name, false, "this kernel lacks \(report.missingGuards.joined(separator: ", "))")
    }
    return HostCheck(name, true, "its programs load; they stand while a mechanism enforces")
  }

  private static func why(_ hooks: [LSMReport.Hook], _ lacking: String) -> String {
    guard let missing = hooks.first(where: { !$0.isPresent }) else { return "" }
    return ": " + (missing.fault.map { "its program is refused: \(SenseChoice.words(of: $0))" } ?? lacking)
  }
}
