// Owns how a status report looks to people.
// It must not pass a control character of a name on.

internal import AccessModel
internal import Configuration
internal import ControlProtocol
internal import DecisionRecord

struct StatusText {
  private let report: StatusReport
  private let paint: Paint

  init(_ report: StatusReport, _ paint: Paint) {
    self.report = report
    self.paint = paint
  }

  var rendered: String {
    [heading, mechanisms, summary, decisions, answerTimes].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var heading: String {
    let daemon = report.daemon
    return
      "liliumd \(Printable.text(daemon.version)), pid \(daemon.pid), up \(TimeText.duration(daemon.uptimeSeconds))\n"
      + (daemon.commandLineMode.map {
        paint.red("lilium.mode=\($0.name) on the kernel command line overrides every mode") + "\n"
      } ?? "")
  }

  private var mechanisms: String {
    var table = TextTable([
      ("MECHANISM", .left), ("MODE", .left), ("EFFECT", .left), ("SENSED BY", .left), ("CONFIGURED", .left),
    ])
    for status in report.mechanisms {
      let until = status.overriddenUntil.map { " again at \(TimeText.date($0))" } ?? ""
      let isOverridden = status.mode != status.configuredMode
      table.add(
        status.mechanism.name, status.mode.name, status.effect.rawValue, Self.sensor(of: status),
        isOverridden || !until.isEmpty ? status.configuredMode.name + until : "")
    }
    return table.rendered
  }

  private static func sensor(of status: StatusReport.MechanismStatus) -> String {
    if status.mode != .off, !status.mechanism.isCall { return "fanotify" }
    return status.sensor?.rawValue ?? "-"
  }

  /// Whose `enforce` a sysctl keeps, and whether it is still set.
  private var hostSwitches: [String] {
    report.mechanisms.compactMap { status in
      guard let text = status.hostSwitch.map(Printable.text) else { return nil }
      let name = status.mechanism.name
      return status.effect == .prevent
        ? "sysctl   \(name): \(text), for everybody" : "sysctl   \(name): " + paint.red("\(text) was undone")
    }
  }

  /// What the kernel was found to offer, and for whom that is not enough.
  private func bpf(_ bpf: StatusReport.BPF) -> [String] {
    let state =
      if !bpf.isInList {
        paint.yellow("not among the active LSMs")
      } else if let load = bpf.load {
        paint.red("the kernel refuses the programs") + ": \(Printable.text(load))"
      } else if let denial = bpf.denial {
        paint.red("a denial was provoked and not seen") + ": \(Printable.text(denial))"
      } else {
        "programs load, a denial was seen"
      }
    let missing = bpf.missingHooks.map(Printable.text).joined(separator: ", ")
    let lines = ["bpf      \(state)" + (missing.isEmpty ? "" : "; hooks that are missing: \(missing)")]
    // What keeps every mechanism from it is said by then.
    guard bpf.isInList, bpf.load == nil, bpf.denial == nil else { return lines }
    return lines
      + report.mechanisms.flatMap { status in
        (status.hindrances ?? []).map { "         \(status.mechanism.name) not by bpf: \(Printable.text($0))" }
      }
  }

  private func protection(_ protection: StatusReport.Protection) -> String {
    var words = protection.isOn ? "protected" : paint.yellow("not protected")
    if let problem = protection.problem { words += ": \(Printable.text(problem))" }
    let missing = protection.missingHooks.map(Printable.text).joined(separator: ", ")
    return "itself   " + words + (missing.isEmpty ? "" : "; hooks that are missing: \(missing)")
  }

  private var summary: String {
    let (policy, marks, queue, records) = (report.policy, report.marks, report.queue, report.records)
    var lines = [
      "policy   \(policy.rules) rules, loaded \(TimeText.date(policy.loadedAt)), "
        + "identity \(Printable.text(policy.identity))"
    ]
    if let error = policy.lastReloadError, policy.isLastGood == true {
      lines.append(
        "         " + paint.red("the policy that was last in force; the present one was refused")
          + ": \(Printable.text(error))")
    } else if let error = policy.lastReloadError {
      lines.append("         " + paint.red("the last reload was refused") + ": \(Printable.text(error))")
    }
    lines.append("marks    \(marks.fileSystems.count) file systems, \(marks.inodes) files and folders")
    for system in marks.fileSystems {
      lines.append(
        "         \(Printable.text(system.device)) \(Printable.text(system.type)) "
          + displayText(Array(system.mountPoint.utf8)))
    }
    if let bpf = report.bpf { lines += self.bpf(bpf) }
    lines += hostSwitches
    if let protection = report.protection { lines.append(self.protection(protection)) }
    if let audit = report.audit { lines += self.audit(audit) }
    lines += trust(report.trust)
    lines.append(
      "queue    \(queue.pending) pending, \(queue.threads) threads, \(queue.blockedThreads) waiting for content")
    lines.append(
      "records  \(records.written) written, \(records.suppressed) suppressed, \(records.dropped) dropped"
        + (records.queued.map { ", \($0) waiting" } ?? ""))
    lines.append("losses   " + losses)
    return lines.map { $0 + "\n" }.joined()
  }

  private func trust(_ trust: StatusReport.Trust) -> [String] {
    var lines: [String] = []
    if let generation = trust.generation {
      let paths = "\(Quantity.count(trust.paths)) \(trust.paths == 1 ? "path" : "paths")"
      let written = TimeText.date(trust.written)
      lines.append("trust    \(paths)\(Self.anywhere(trust)), generation \(generation), written \(written)")
    } else {
      lines.append("trust    " + paint.red("no database") + (trust.problem == nil ? "; run liliumctl trust sync" : ""))
    }
    if let problem = trust.problem { lines.append("         " + paint.red(Printable.text(problem))) }
    if trust.remembers {
      let times = trust.flushes == 1 ? "once" : "\(trust.flushes) times"
      lines.append(
        "         \(trust.remembered) allows handed to the kernel, \(trust.takenBack) taken back"
          + (trust.flushes == 0 || trust.remembered == 0 ? "" : ", all of them \(times)"))
    }
    return lines
  }

  private static func anywhere(_ trust: StatusReport.Trust) -> String {
    switch trust.contents {
    case 0: ""
    case 1: ", 1 content wherever it lies"
    default: ", \(Quantity.count(trust.contents)) contents wherever they lie"
    }
  }

  private func audit(_ audit: StatusReport.Audit) -> [String] {
    let states = ["off", audit.switchedOnByLilium ? "on (by liliumd)" : "on", "on and locked"]
    let state = states.indices.contains(audit.enabled) ? states[audit.enabled] : "state \(audit.enabled)"
    let restored = audit.restored == 0 ? "" : ", " + paint.yellow("rules put back \(audit.restored) times")
    let counts = "\(audit.rules) rules, backlog limit \(audit.backlogLimit), \(audit.received) events"
    var lines = ["audit    \(state), \(counts)\(restored)"]
    let lost = [
      ("lost by the kernel", audit.kernelLost), ("dropped by the socket", audit.socketDrops), ("torn", audit.torn),
      ("malformed", audit.malformed),
    ].filter { $0.1 > 0 }
    if !lost.isEmpty {
      lines.append("         " + paint.red(lost.map { "\($0.1) \($0.0)" }.joined(separator: ", ")))
    }
    return lines + audit.obstacles.map { "         " + paint.red("obstacle") + ": \(Printable.text($0))" }
  }

  private var losses: String {
    let counted = report.losses.filter { $0.value > 0 }.sorted { $0.key < $1.key }
    if counted.isEmpty { return "none" }
    return paint.red(counted.map { "\(Printable.text($0.key)) \($0.value)" }.joined(separator: ", "))
  }

  private var decisions: String {
    var table = TextTable([("DECISION", .left), ("VERDICT", .left), ("REASON", .left), ("COUNT", .right)])
    for decision in report.decisions {
      table.add(decision.mechanism.name, decision.verdict.name, Printable.text(decision.reason), String(decision.count))
    }
    if report.dataPassed > 0 { table.add("exec", "", "data, passed", String(report.dataPassed)) }
    return table.isEmpty ? "" : table.rendered
  }

  private var answerTimes: String {
    var table = TextTable([
      ("ANSWER TIME", .left), ("COUNT", .right), ("P50", .right), ("P90", .right), ("P99", .right), ("MAX", .right),
    ])
    for times in report.answerTimes where times.count > 0 {
      table.add(
        times.mechanism.name, String(times.count), microseconds(times.p50), microseconds(times.p90),
        microseconds(times.p99), microseconds(times.max))
    }
    return table.isEmpty ? "" : table.rendered
  }

  private func microseconds(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "unknown" }
    let tenths = Int64((value * 10).rounded())
    return value < 100 ? "\(tenths / 10).\(tenths % 10) µs" : "\(tenths / 10) µs"
  }
}
