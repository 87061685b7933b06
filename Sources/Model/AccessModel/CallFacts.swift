// Owns what is known about a system call that is itself a door, and about the process that it reaches into.
// It must not decode a record: the enforcement point that sensed the call does.

/// Facts about a system call. Texts are what the manual calls things; each field is valid only while its group is in
/// `Facts.present`.
public struct CallFacts: Sendable {
  // call
  /// As in the manual, for example `ptrace`.
  public var name: [UInt8] = []
  /// `x86_64`, `i386`, `aarch64` or `arm`: the calling convention that was used, not what the program was built for.
  public var architecture: [UInt8] = []
  /// The request of ptrace(2) or ioctl(2) by name, as in `PTRACE_ATTACH`; in hexadecimal where no name is known.
  /// Empty for other calls.
  public var request: [UInt8] = []
  /// The same as a number; 0 for other calls.
  public var requestNumber: UInt64 = 0
  /// Flags by name, as in `MS_BIND`, `KEXEC_ON_CRASH`, `MAP_ANONYMOUS`; unknown bits in hexadecimal.
  public var flags: [[UInt8]] = []
  /// mprotect: `PROT_READ`, `PROT_WRITE`, `PROT_EXEC`.
  public var protection: [[UInt8]] = []
  /// Bytes of code that the call itself brought, as a module's image; 0 where it names a file or brings none.
  public var size: UInt64 = 0
  /// What the call returned; a negative errno(3) where it failed. Nil where the record does not say.
  public var result: Int64?
  /// The kernel did what was asked.
  public var succeeded = false
  /// When the call was made, in nanoseconds since the epoch (CLOCK_REALTIME, coarse: milliseconds).
  public var time: Int64 = 0
  /// Serial number of the kernel's audit event; 0 where another interface sensed the call.
  public var serial: UInt64 = 0

  // callNamespaces
  /// Of `cgroup ipc mount net pid time user uts`.
  public var namespaces: [[UInt8]] = []

  // callSource
  public var source: [UInt8] = []

  // callModule
  public var module: [UInt8] = []

  public init() {}
}

/// Facts about the process that a ptrace request reaches into.
public struct TargetFacts: Sendable {
  // targetStatus
  /// Thread group id in the daemon's pid namespace.
  public var pid: Int32 = 0
  /// Real user id.
  public var uid: UInt32 = 0
  public var comm: [UInt8] = []

  // targetExecutable
  public var executable: [UInt8] = []
  public var executableVerified = false

  public init() {}
}

/// Which requests of a mechanism must be sensed at all, as far as a kernel filter can tell them apart by number.
public enum RequestFilter: Sendable, Hashable {
  case all
  /// Those with these numbers, sorted, each once; none where the policy says nothing about the mechanism.
  case numbers([UInt64])
}
