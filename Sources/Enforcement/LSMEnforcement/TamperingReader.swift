// Owns the way of an event of self-protection to its record: what was tried, and by whom.
// It must not decide, and must not read a ring buffer: its caller does.

internal import AccessModel
internal import BPFLSM
internal import CBPFLSM
internal import SystemCalls

/// Reports attempts on liliumd that the kernel has denied. For one thread.
final class TamperingReader: EventTaker {
  private let surroundings: any EventSurroundings
  private let report: (Tampering) -> Void

  init(surroundings: any EventSurroundings = ProcessSight(), report: @escaping (Tampering) -> Void) {
    self.surroundings = surroundings
    self.report = report
  }

  func take(_ event: lil_event) -> Bool {
    guard let hook = GuardHook.of(mechanism: event.mechanism, hook: event.hook), let pid = event.facts.pid(LIL_PID)
    else { return false }
    let facts = Facts()
    facts.begin(pid: pid, operation: .call)
    event.describeSubject(in: facts)
    surroundings.lookUpSubject(of: event, pid: pid, facts)
    report(
      Tampering(
        kind: hook.object.kind, detail: detail(event, hook), name: event.objectName, subject: facts.subject,
        present: facts.present,
        time: event.decidedAt))
    return true
  }

  private func detail(_ event: lil_event, _ hook: GuardHook) -> String {
    switch hook.object {
    case .signal: "\(Signals.name(Int32(truncatingIfNeeded: event.facts[LIL_REQUEST] ?? 0))) to \(target(event))"
    case .trace: "tracing of \(target(event))"
    case .limits: "\(hook.deed) of \(target(event))"
    case .file: "\(hook.deed) in a folder of Lilium's"
    case .mount: "\(hook.deed) over a folder of Lilium's"
    case .map: "\(hook.deed) to write a map of Lilium's"
    }
  }

  private func target(_ event: lil_event) -> String { "liliumd[\(event.facts[LIL_TARGET_PID] ?? 0)]" }
}

extension GuardHook.Object {
  fileprivate var kind: Tampering.Kind {
    switch self {
    case .signal: .signal
    case .trace: .trace
    case .limits: .limits
    case .file: .state
    case .mount: .mount
    case .map: .map
    }
  }
}
