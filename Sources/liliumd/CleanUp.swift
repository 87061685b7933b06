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
      try RuleKeeper(marker: CallDoors.marker(in: arguments.state)).remove()
      return 0
    } catch let refused as StartRefused {
      Console.error(refused.text)
    } catch {
      Console.error("liliumd: cannot take Lilium's audit rules away: \(error); list them with auditctl -l\n")
    }
    return 1
  }
}
