// Owns what the daemon does for each request of the control socket.
// It must not check who asks: the control server has.

import AccessModel
import Configuration
import ControlProtocol
import FanotifyEnforcement
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import SystemCalls
import TrailSinks
import TrustDatabase

extension Daemon {
  func answer(_ request: ControlRequest, from peer: Peer) -> ControlReply {
    switch request {
    case .status: return .status(status())
    case .version: return .version(VersionReport())
    case .reload: return reloadReply()
    case .trustChanged: return trustReply()
    case .readFiles:
      guard doors.unasked.admit(pid: peer.pid) else {
        return .error(ControlError(.failed, "too many processes read files at once; try again when some have ended"))
      }
      protection.refresh()
      return .reading
    case .mode(let change): return modeReply(change, peer)
    case .explain(let id): return explanation(id)
    case .watch: return .watching
    case .takeover: return .error(ControlError(.failed, "the daemon still starts; try again"))
    }
  }

  private func reloadReply() -> ControlReply {
    switch reload() {
    case .success(let loaded):
      return .reloaded(
        ReloadReport(
          identity: loaded.identity, rules: loaded.policy.rules.rules.count,
          warnings: loaded.warnings.map(\.rendered)))
    case .failure(let refused):
      return .error(
        ControlError(
          .failed, "the new policy was refused; the running one goes on", details: [refused.text]))
    }
  }

  /// The database is what `object.trusted` rests on; when this returns, every later request is decided by it.
  private func trustReply() -> ControlReply {
    do throws(TrustStoreError) { return .trust(try trust.load()) } catch {
      return .error(ControlError(.failed, "\(error.sentence): \(error.remedy)"))
    }
  }

  private func modeReply(_ change: ModeChange, _ peer: Peer) -> ControlReply {
    let settings = monitor.policy.settings[change.mechanism]
    if let obstacle = Configuration.obstacle(to: change.mode, of: change.mechanism, settings) {
      return .error(ControlError(.failed, "\(obstacle.message): \(obstacle.remedy)"))
    }
    do {
      let until = try setMode(change.mechanism, change.mode, seconds: change.seconds, uid: peer.uid)
      return .mode(ModeReport(mechanism: change.mechanism, mode: change.mode, until: until.map { $0 / 1_000_000_000 }))
    } catch {
      return .error(ControlError(.failed, "\(error)"))
    }
  }

  private func explanation(_ id: String) -> ControlReply {
    guard let json = trail.explain(id), let record = try? ControlLine.decodeValue(json) else {
      return .error(
        ControlError(.notFound, "no record \(id) among the last 1,024; look for it in the log that it came from"))
    }
    let rule = record["rule"]?.string.flatMap { name in
      snapshot.loaded.policy.rules.rules.first { $0.reference.name == name }?.reference
    }
    return .explanation(
      Explanation(
        record: record,
        rule: rule.map { Explanation.RuleText(path: $0.path, line: $0.line, text: $0.text) }))
  }
}
