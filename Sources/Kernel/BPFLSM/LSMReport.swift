// Owns what was found out about the BPF LSM of this kernel, as values: the list, a program, a denial, the hooks.
// It must not find it out, and must not say what follows from it for a policy.

public import SystemCalls

/// What this kernel's BPF LSM can do, each step tried in turn: a step after one that failed was not tried.
public struct LSMReport: Sendable, Hashable {
  /// Why a step failed.
  public struct Fault: Error, Sendable, Hashable {
    /// What the kernel answered (errno(3)).
    public var error: Errno
    /// What else is known, as the end of the verifier's log, with line ends; empty where nothing is.
    public var detail: String

    public init(error: Errno, detail: String = "") {
      self.error = error
      self.detail = detail
    }
  }

  /// One place where the kernel asks its LSMs (include/linux/lsm_hook_defs.h).
  public struct Hook: Sendable, Hashable {
    /// The kernel's name for it, as in `ptrace_access_check`.
    public var name: String
    /// The mechanism whose door it is, by its number (enum lil_mechanism).
    public var mechanism: UInt8
    /// This kernel has it, and a program can be attached.
    public var isPresent: Bool
    /// The mechanism cannot do without it.
    public var isNeeded: Bool
    /// Why the kernel refuses the program of a hook that it has; nil where it does not.
    public var fault: Fault?

    public init(name: String, mechanism: UInt8, isPresent: Bool, isNeeded: Bool = true, fault: Fault? = nil) {
      self.name = name
      self.mechanism = mechanism
      self.isPresent = isPresent
      self.isNeeded = isNeeded
      self.fault = fault
    }
  }

  /// `bpf` is among the active LSMs.
  public var isInList: Bool
  /// /sys/kernel/security/lsm without its line end; empty where it cannot be read.
  public var list: String
  /// Why no program can be loaded; nil where one was.
  public var load: Fault?
  /// Why a denial that was provoked was not seen; nil where it was.
  public var denial: Fault?
  public var hooks: [Hook]
  /// Hooks at which liliumd itself cannot be protected, since this kernel lacks them.
  public var missingGuards: [String] = []
  /// Why the kernel refuses the programs of self-protection; nil where it does not, or where it was not tried.
  public var guardFault: Fault?

  public init(isInList: Bool, list: String, load: Fault? = nil, denial: Fault? = nil, hooks: [Hook] = []) {
    self.isInList = isInList
    self.list = list
    self.load = load
    self.denial = denial
    self.hooks = hooks
  }

  /// All three steps came out well, so that a hook that is present denies.
  public var isUsable: Bool { isInList && load == nil && denial == nil }

  /// Every hook that is needed and that this kernel lacks, each once.
  public var namesOfMissingHooks: [String] {
    var seen: Set<String> = []
    return hooks.filter { $0.isNeeded && !$0.isPresent && seen.insert($0.name).inserted }.map(\.name)
  }

  /// Hooks without which a mechanism is not guarded, and which this kernel lacks, by name.
  public func missingHooks(of mechanism: UInt8) -> [String] {
    hooks.filter { $0.mechanism == mechanism && $0.isNeeded && !$0.isPresent }.map(\.name)
  }
}
