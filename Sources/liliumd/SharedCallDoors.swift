// Owns what two daemons do about audit rules while one takes over from the other: both add, none takes away.
// It must not decide when: Takeover and Predecessor do.

import AuditResponse
import ControlProtocol
import SystemCalls

extension CallDoors {
  /// Another daemon is about to sense calls too.
  func share() {
    beginSharing()
    door?.keeper.rest()
  }

  /// The other one has failed or ended: the rules are exactly this one's from now on. What the other sensed and this
  /// one does not is taken away.
  func endSharing() {
    let left = takeInheritance()
    stopSharing()
    do throws(Errno) {
      if let door {
        try door.keeper.resume()
      } else if left != nil {
        try RuleKeeper(marker: marker).remove()
      }
    } catch {
      report(AuditChange.blind(why: "the rules cannot be put right after a takeover: \(error)"))
    }
  }

  /// What the kernel's backlog limit was raised from and to.
  var raisedBacklog: TakeoverOffer.Raise? {
    door?.keeper.raisedBacklog.map { TakeoverOffer.Raise(from: $0.from, to: $0.to) }
  }
}
