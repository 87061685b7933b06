// Owns the daemon's ordered end: marks away, requests answered, the last record, the trail written.
// It must not remove what the service set up around it.

import AccessModel
import ControlProtocol
import DecisionRecord
import FanotifyEnforcement
import TrailSinks

extension Daemon {
  /// The last status. Answers everything first: the trail may wait for a slow sink, the host may not.
  /// `leaving` the host to another daemon.
  func finish(_ cause: String, leaving: Bool = false) -> StatusReport {
    _ = doors.closeAll(leaving: leaving)
    information.memory?.stop()
    protection.close()
    let report = status()
    trail.append(.stopped(DaemonStop(cause, report)))
    trail.stop(timeoutMilliseconds: 3000)
    return report
  }
}

extension DaemonStop {
  init(_ cause: String, _ status: StatusReport) {
    let times = status.answerTimes.max { $0.count < $1.count }
    self.init(
      cause: cause, uptimeSeconds: status.daemon.uptimeSeconds,
      decisions: status.decisions.map {
        DecisionCount(mechanism: $0.mechanism, verdict: $0.verdict, reason: $0.reason, count: $0.count)
      },
      losses: status.losses.sorted { $0.key < $1.key }.map { LossCount(what: $0.key, count: $0.value) },
      answerMedian: times.map { UInt64($0.p50) }, answer99thPercentile: times.map { UInt64($0.p99) })
  }
}
