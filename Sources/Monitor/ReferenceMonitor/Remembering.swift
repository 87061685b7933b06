// Owns whether an answer may be handed to the kernel, to give it to everybody by itself from now on.
// It must not know how the kernel keeps it or when it forgets: the door does.

internal import AccessModel
internal import PolicyDecision

/// The most that is read of a file of data, in bytes, only to find out that it need not be asked about again.
private let readLimit: UInt64 = 16 << 20

extension ReferenceMonitor {
  /// Asked after the answer, with the object still at hand; `decision` is nil where it was data that passed. True only
  /// where the policy gives every subject an allow for this object, and the trail has no use for it.
  func mayBeRemembered(_ decision: Decision?, _ mechanism: Mechanism, _ policy: Policy, at desk: Desk) -> Bool {
    guard mechanism == .exec else { return false }
    if let decision {
      guard decision.verdict == .allow, decision.answer == .allow, !trail.keeps(decision) else { return false }
    }
    guard isRootsAlone(at: desk) else { return false }
    // Most data is opened once: what it takes to remember it is spent on what comes again.
    guard decision != nil || recurring.comesAgain(desk.facts.object) else { return false }
    if let everybody = decideForEverySubject(policy, decision, at: desk), everybody.verdict == .allow,
      decision == nil || decision == everybody, !trail.keeps(everybody)
    {
      return true
    }
    if decision == nil { recurring.giveUp(desk.facts.object) }
    return false
  }

  /// What others can write, the kernel's memory does not follow in every case. Looked at first: it is cheap, and most
  /// files that are no part of the system end here.
  private func isRootsAlone(at desk: Desk) -> Bool {
    fetch(.objectStatus, at: desk)
    let facts = desk.facts
    return facts.present.contains(.objectStatus) && facts.object.owner == 0 && facts.object.mode & 0o022 == 0
  }

  private func decideForEverySubject(_ policy: Policy, _ decision: Decision?, at desk: Desk) -> Decision? {
    while true {
      switch policy.decideForEverySubject(.exec, desk.facts) {
      case .final(let everybody): return everybody
      case .needs(let groups):
        let reads = !groups.isDisjoint(with: [.objectDigest, .objectTrust])
        if decision == nil, reads, desk.facts.object.size > readLimit { return nil }
        fetch(groups, at: desk)
      case .data, nil: return nil
      }
    }
  }
}
