// Owns what the configuration tells the decision, apart from the rules.
// It must not know where the configuration is kept.

/// By what a system call is to be learned of.
public enum Sense: UInt8, CaseIterable, Sendable, Hashable {
  /// By the BPF LSM where it can do all that the policy asks of it, else by audit.
  case auto
  /// By programs at the kernel's LSM hooks, before the call does anything: it can be prevented.
  case bpf
  /// By the kernel's audit, when the call was made: it can be contained.
  case audit

  /// The word that configuration and status use.
  public var name: String {
    switch self {
    case .auto: "auto"
    case .bpf: "bpf"
    case .audit: "audit"
    }
  }
}

/// What `enforce` means where Lilium itself cannot prevent a call.
public enum Unpreventable: UInt8, CaseIterable, Sendable, Hashable {
  /// The mode is refused.
  case refuse
  /// What has happened is answered.
  case contain
  /// The mechanism's sysctl ends it for everybody; what that lets through is answered.
  case sysctl

  /// The word that the configuration uses.
  public var name: String {
    switch self {
    case .refuse: "refuse"
    case .contain: "contain"
    case .sysctl: "sysctl"
    }
  }
}

/// By what a system call is learned of on this host, whatever was asked for.
public enum Sensor: String, CaseIterable, Sendable, Hashable {
  case bpf, audit
}

/// What is set for one mechanism.
public struct MechanismSettings: Sendable, Hashable {
  public var mode: Mode
  /// The verdict where no rule matches.
  public var defaultVerdict: Verdict
  /// The answer where the request could not be decided.
  public var onFailure: Verdict
  /// `holders = "evaluate"`: a subject that holds the mechanism's capability goes through the rules too.
  public var evaluatesHolders: Bool
  /// `[on_unpreventable]`; of no meaning for a mechanism whose door is a file. `sysctl` only where the mechanism has one.
  public var unpreventable: Unpreventable
  /// `[sense]`; of no meaning for a mechanism whose door is a file.
  public var sense: Sense

  public init(
    mode: Mode, defaultVerdict: Verdict, onFailure: Verdict, evaluatesHolders: Bool,
    unpreventable: Unpreventable = .refuse, sense: Sense = .auto
  ) {
    self.mode = mode
    self.defaultVerdict = defaultVerdict
    self.onFailure = onFailure
    self.evaluatesHolders = evaluatesHolders
    self.unpreventable = unpreventable
    self.sense = sense
  }
}

/// The settings of all mechanisms.
public struct PolicySettings: Sendable, Hashable {
  private var mechanisms: [MechanismSettings]

  /// Everything off, failures allowed, each mechanism's own default.
  public init() {
    mechanisms = Mechanism.allCases.map {
      MechanismSettings(
        mode: .off, defaultVerdict: $0.builtInDefault, onFailure: .allow, evaluatesHolders: false)
    }
  }

  public subscript(mechanism: Mechanism) -> MechanismSettings {
    get { mechanisms[Int(mechanism.rawValue)] }
    set { mechanisms[Int(mechanism.rawValue)] = newValue }
  }
}
