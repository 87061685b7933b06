// Owns the few lines that the daemon ends with in the foreground: decisions, answer times, losses.
// It must not gather anything that the status report does not have.

import AccessModel
import ControlProtocol

enum Summary {
  static func text(_ status: StatusReport) -> String {
    var lines = ["", "\(daemonVersionLine) ran for \(status.daemon.uptimeSeconds) s; all marks are taken away."]
    lines.append(contentsOf: table(status))
    for times in status.answerTimes {
      let numbers = [times.p50, times.p90, times.p99, times.max].map(microseconds)
      lines.append(
        "\(times.mechanism.name): \(times.count) answers; p50 \(numbers[0]), p90 \(numbers[1]), p99 \(numbers[2]), "
          + "longest \(numbers[3])")
    }
    let losses = status.losses.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    lines.append(losses.isEmpty ? "losses: none" : "losses: " + losses.joined(separator: ", "))
    if status.records.suppressed > 0 {
      lines.append("records held back by the rate limit: \(status.records.suppressed)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func table(_ status: StatusReport) -> [String] {
    let rows = status.decisions.map { ["\($0.mechanism.name)", verdict($0, status), $0.reason, "\($0.count)"] }
    let data = status.dataPassed > 0 ? [["exec", "allow", "data, not decided", "\(status.dataPassed)"]] : []
    let all = [["mechanism", "verdict", "reason", "count"]] + rows + data
    if all.count == 1 { return ["no decisions"] }
    let widths = (0..<3).map { column in all.map { $0[column].count }.max() ?? 0 }
    let last = all.map { $0[3].count }.max() ?? 0
    return all.map { row in
      let cells = (0..<3).map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
      return "  " + cells.joined(separator: "  ") + "  " + String(repeating: " ", count: last - row[3].count) + row[3]
    }
  }

  private static func verdict(_ count: StatusReport.DecisionCount, _ status: StatusReport) -> String {
    let mode = status.mechanisms.first { $0.mechanism == count.mechanism }?.mode
    return count.verdict == .deny && mode != .enforce ? "would deny" : count.verdict.name
  }

  static func microseconds(_ value: Double) -> String {
    if value < 1000 { return "\(Int(value.rounded())) µs" }
    return value < 1_000_000 ? "\(tenths(value / 1000)) ms" : "\(tenths(value / 1_000_000)) s"
  }

  private static func tenths(_ value: Double) -> String {
    let whole = Int((value * 10).rounded())
    return "\(whole / 10).\(whole % 10)"
  }
}
