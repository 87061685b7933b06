// Owns gathering the daemon's state into one report.
// It must not change anything.

import AccessModel
import AuditResponse
import ControlProtocol
import DecisionRecord
import FanotifyEnforcement
import LSMEnforcement
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import SubjectInformation
import SystemCalls
import TrailSinks

extension Daemon {
  /// Nanoseconds since the start.
  var uptime: UInt64 { Clock.monotonic() - startedAt }

  func status() -> StatusReport {
    let state = snapshot
    var report = StatusReport()
    report.daemon.pid = ProcessSetup.processID
    report.daemon.uptimeSeconds = uptime / 1_000_000_000
    report.daemon.commandLineMode = commandLineMode
    report.mechanisms = mechanisms(state)
    report.policy.identity = state.loaded.identity
    report.policy.rules = state.loaded.policy.rules.rules.count
    report.policy.loadedAt = state.loadedAt / 1_000_000_000
    report.policy.isLastGood = state.loaded.replaces != nil ? true : nil
    report.policy.lastReloadError = state.lastReloadError
    report.marks.fileSystems = (doors.execDoor?.coverage.marked ?? []).map { file in
      StatusReport.FileSystem(
        device: "\(file.device.major):\(file.device.minor)", type: displayText(file.type),
        mountPoint: displayText(file.mountPoint) + (file.isForeign ? " (in another mount namespace)" : ""))
    }
    report.marks.inodes = doors.openDoor?.files.count ?? 0
    for listener in doors.listeners {
      let status = listener.status
      report.queue.pending += status.openRequests + status.pendingEvents
      report.queue.threads += status.threads
      report.queue.blockedThreads += status.waiting
    }
    report.losses = losses()
    report.audit = doors.calls.status
    report.bpf = doors.calls.sensing.status
    report.protection = protection.status
    report.trust = trust.status
    if let memory = information.memory, memory.isAvailable {
      let counts = memory.counts
      report.trust.remembers = true
      report.trust.remembered = counts.remembered
      report.trust.takenBack = counts.forgotten
      report.trust.flushes = counts.flushed
    }
    report.decisions = decisionCounts()
    report.dataPassed = Mechanism.allCases.map(monitor.tally.dataPassed).reduce(0, +)
    report.answerTimes = answerTimes()
    let records = trail.counters
    report.records.written = records.sinks.map(\.written).max() ?? 0
    report.records.dropped = records.dropped + records.sinks.map(\.dropped).reduce(0, +)
    report.records.queued = UInt64(records.queued)
    report.records.suppressed = records.suppressed
    return report
  }

  private func mechanisms(_ state: State) -> [StatusReport.MechanismStatus] {
    let running = monitor.policy.settings
    let choice = doors.calls.sensing.choice
    return Mechanism.allCases.map { mechanism in
      let mode = running[mechanism].mode
      let hostSwitch = choice.switches[mechanism]
      let effect: StatusReport.MechanismStatus.Effect =
        switch mode {
        case .off: .off
        case .audit: .log
        case .enforce:
          !mechanism.isCall || choice.sensors[mechanism] == .bpf || hostSwitch?.isSet == true ? .prevent : .contain
        }
      return StatusReport.MechanismStatus(
        mechanism: mechanism, mode: mode, configuredMode: state.loaded.policy.settings[mechanism].mode,
        overriddenUntil: state.overrides[mechanism]?.until.map { Self.realTime($0) / 1_000_000_000 }, effect: effect,
        sensor: choice.sensors[mechanism], hindrances: choice.hindrances[mechanism],
        hostSwitch: hostSwitch?.text)
    }
  }

  /// Everything that was lost or answered without a decision, by name; zeroes left out.
  func losses() -> [String: UInt64] {
    var losses: [String: UInt64] = [:]
    for listener in doors.listeners {
      for kind in ListenerLosses.Kind.allCases where kind.isLoss {
        let count = listener.losses.value(kind)
        if count > 0 { losses["\(listener.mechanism.name)-\(kind.name)", default: 0] += count }
      }
    }
    if let door = doors.calls.door {
      let audit = door.listener.status
      let counts = [
        ("audit-kernel", audit.kernelLost), ("audit-socket", audit.socketDrops), ("audit-torn", audit.torn),
        ("audit-malformed", audit.malformed), ("audit-truncated", audit.truncated), ("audit-foreign", audit.foreign),
        ("clone3-gone", audit.unseen),
        ("witness-missed", door.observer.missed),
      ]
      for (name, count) in counts where count > 0 { losses[name] = count }
    }
    losses.merge(doors.calls.hooks.losses) { $1 }
    losses.merge(protection.losses) { $1 }
    if information.processes.forgotten > 0 { losses["processes-forgotten"] = information.processes.forgotten }
    let records = trail.counters
    if records.dropped > 0 { losses["records-dropped"] = records.dropped }
    for sink in records.sinks where sink.dropped > 0 { losses["records-dropped-\(sink.name)"] = sink.dropped }
    if let failures = doors.execDoor?.coverage.failures.count, failures > 0 {
      losses["filesystems-not-marked"] = UInt64(failures)
    }
    if let hung = doors.execDoor?.foreign.leftBehind, hung > 0 { losses["namespaces-not-searched"] = UInt64(hung) }
    if let silent = doors.openDoor?.files.unanswered, silent > 0 { losses["paths-not-answering"] = UInt64(silent) }
    return losses
  }

  func decisionCounts() -> [StatusReport.DecisionCount] {
    var lines: [StatusReport.DecisionCount] = []
    // Counts of audit and enforce are one line here.
    for count in monitor.tally.decisions { add(count.mechanism, count.verdict, count.reason, count.count, to: &lines) }
    // What the kernel allows by itself is told as a number only.
    for count in doors.calls.hooks.door?.counts?.allowed ?? [] {
      add(count.mechanism, .allow, count.reason, count.count, to: &lines)
    }
    return lines
  }

  private func add(
    _ mechanism: Mechanism, _ verdict: Verdict, _ reason: String, _ count: UInt64,
    to lines: inout [StatusReport.DecisionCount]
  ) {
    let same = lines.firstIndex { $0.mechanism == mechanism && $0.verdict == verdict && $0.reason == reason }
    if let same {
      lines[same].count += count
    } else {
      lines.append(
        StatusReport.DecisionCount(mechanism: mechanism, verdict: verdict, reason: reason, count: count))
    }
  }

  private func answerTimes() -> [StatusReport.AnswerTimes] {
    Mechanism.allCases.compactMap { mechanism in
      let summary = monitor.tally.answerTimes(mechanism)
      guard summary.count > 0 else { return nil }
      var times = StatusReport.AnswerTimes(mechanism: mechanism)
      times.count = summary.count
      times.p50 = Double(summary.p50) / 1000
      times.p90 = Double(summary.p90) / 1000
      times.p99 = Double(summary.p99) / 1000
      times.max = Double(summary.longest) / 1000
      return times
    }
  }
}
