// Owns the harmless call of each mechanism that is a system call: `liliumctl tripwire-call`, which doctor starts.
// It must not make a call that changes anything beyond its own process.

internal import AccessModel
internal import ArgumentParser
internal import SystemCalls

/// Not for people: a process of its own makes the call, so that its record can be told from others.
struct TripwireCallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tripwire-call", abstract: "Make one harmless call of a mechanism.", shouldDisplay: false)

  @Argument(help: "The mechanism.") var mechanism: Mechanism
  @Option(help: "The request of ioctl, as a number.") var request: UInt64 = 0

  func validate() throws {
    guard mechanism.isCall else { throw ValidationError("\(mechanism.name) is no system call") }
  }

  /// The kernel's refusal is what is meant to happen.
  func run() {
    switch mechanism {
    case .exec, .open: break
    case .ptrace: _ = HarmlessCalls.attachNobody()
    case .mprotect: _ = HarmlessCalls.mapCode()
    case .module: _ = HarmlessCalls.deleteNoModule()
    case .kexec: _ = HarmlessCalls.loadNoKernel()
    case .mount: _ = HarmlessCalls.unmountNothing()
    case .clone: _ = HarmlessCalls.unshareHostName()
    case .ioctl: _ = HarmlessCalls.controlNothing(request: request)
    }
  }
}

/// A process that doctor started; whoever started it ends it.
struct TripwireChild {
  let pid: Int32

  /// Starts this program anew (posix_spawn(3)).
  static func start(_ mechanism: Mechanism, request: UInt64) throws(Errno) -> TripwireChild {
    TripwireChild(
      pid: try ChildProcess.start(
        "/proc/self/exe", ["liliumctl", "tripwire-call", mechanism.name, "--request", String(request)]))
  }

  var hasEnded: Bool { ChildProcess.hasEnded(pid) }

  /// Ends it, if it has not ended, and takes its status.
  func end() { ChildProcess.end(pid) }
}
