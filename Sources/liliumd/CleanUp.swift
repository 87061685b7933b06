// Owns taking away what a liliumd that was killed left in the kernel: the unit runs it after every end.
// It must not do anything while a daemon with the same state folder lives.

import AuditResponse
import SystemCalls

enum CleanUp {
  /// The exit status: 0 where nothing of Lilium's is left.
  static func run(_ arguments: Arguments) -> Int32 {
    do {
      let lock = try StateLock(folder: arguments.state)
      defer { lock.remove() }
      let rules = try AuditLock()
      defer { withExtendedLifetime(rules) {} }
      try RuleKeeper(marker: CallDoors.marker(in: arguments.state)).remove()
      return 0
    } catch let refused as StartRefused {
      Console.error(refused.text)
    } catch let error as Errno where error == .again {
      Console.error("liliumd: another liliumd senses system calls on this host; the rules are its own\n")
    } catch {
      Console.error("liliumd: cannot take Lilium's audit rules away: \(error); list them with auditctl -l\n")
    }
    return 1
  }
}
