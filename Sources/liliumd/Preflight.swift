// Owns what must hold before the daemon may start, and what it asks the kernel for itself.
// It must not open a door.

import AccessModel
import Capabilities
import ContentDigest
import SystemCalls

enum Preflight {
  /// Capabilities without which a door cannot be sensed, or a file not known to stay as it was read.
  private static let needed: [Capability] = [.sysAdmin, .dacReadSearch, .sysPtrace, .lease]
  /// Events, their pidfds and what is read about them, with room to spare.
  private static let wantedDescriptors: UInt64 = 65536
  private static let leastDescriptors: UInt64 = 1024

  static func check() throws(StartRefused) {
    guard ProcessSetup.effectiveUserID == 0 else {
      throw StartRefused(text: "liliumd: must run as root; start it with systemctl start liliumd, or with sudo\n")
    }
    let missing = OwnCapabilities.missing(of: needed.map { Int32($0.rawValue) })
    guard missing.isEmpty else {
      throw StartRefused(
        text: "liliumd: lacks \(missing.joined(separator: ", ")); give them back in the unit or the container\n")
    }
    let limit = (try? ProcessSetup.raiseDescriptorLimit(to: wantedDescriptors)) ?? 0
    guard limit >= leastDescriptors else {
      throw StartRefused(
        text: "liliumd: may open only \(limit) files; the kernel denies what it cannot ask about: raise LimitNOFILE\n")
    }
    // What a script's arguments name, and true paths, are looked up with it.
    do throws(Errno) { try Descriptor.tryNaming() } catch {
      throw StartRefused(
        text: "liliumd: openat2 is refused (\(error)); the unit's RestrictSUIDSGID= or SystemCallFilter= may do that\n")
    }
    // A trust database that was loaded anew leaves the memory of the one before.
    ProcessSetup.returnLargeBlocks()
    do throws(DigestError) { try ContentDigest.warmUp() } catch {
      throw StartRefused(text: "liliumd: \(error)\n")
    }
    // A working folder on a file system would keep it from being unmounted.
    try? ProcessSetup.changeDirectory("/")
  }

  /// A refusal is said and does not hinder: the host is better guarded with a daemon that may be swapped out.
  static func harden() {
    do throws(Errno) { try ProcessSetup.makeUndumpable() } catch {
      Console.error("liliumd: warning: may leave a core dump (prctl PR_SET_DUMPABLE: \(error))\n")
    }
    do throws(Errno) { try ProcessSetup.lockMemory() } catch {
      Console.error("liliumd: warning: may be swapped out (mlockall: \(error)); allow LimitMEMLOCK in the unit\n")
    }
  }
}
