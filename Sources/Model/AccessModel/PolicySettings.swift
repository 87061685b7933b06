// Owns what the configuration tells the decision, apart from the rules.
// It must not know where the configuration is kept.

/// What is set for one mechanism.
public struct MechanismSettings: Sendable, Hashable {
  public var mode: Mode
  /// The verdict where no rule matches.
  public var defaultVerdict: Verdict
  /// The answer where the request could not be decided.
  public var onFailure: Verdict
  /// `holders = "evaluate"`: a subject that holds the mechanism's capability goes through the rules too.
  public var evaluatesHolders: Bool
  /// `on_unpreventable = "contain"`: where the door cannot prevent, `enforce` answers what has happened.
  public var containsUnpreventable: Bool

  public init(
    mode: Mode, defaultVerdict: Verdict, onFailure: Verdict, evaluatesHolders: Bool, containsUnpreventable: Bool = false
  ) {
    self.mode = mode
    self.defaultVerdict = defaultVerdict
    self.onFailure = onFailure
    self.evaluatesHolders = evaluatesHolders
    self.containsUnpreventable = containsUnpreventable
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
