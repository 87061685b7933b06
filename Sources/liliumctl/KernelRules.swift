// Owns which rules of a policy cannot be asked in the kernel, as `doctor` and `check` say it.
// It must not judge a rule: the policy's compilation does.

internal import AccessModel
internal import Configuration
internal import LSMEnforcement
internal import PolicyDecision
internal import PolicyLanguage

enum KernelRules {
  /// Of the mechanisms that are on and may be sensed by the BPF LSM; `everyMechanism` asks about the others too, each as
  /// if it were on alone.
  static func unaskable(
    _ configuration: Configuration, _ rules: RuleSet, everyMechanism: Bool = false
  ) -> [KernelRefusal] {
    let policy = Policy(rules: rules, settings: configuration.policy)
    let asked = configuration.policy.mayAskKernel
    let others = everyMechanism ? MechanismSet.calls.subtracting(asked).members : []
    return policy.kernelProgram(asked).refusals
      + others.flatMap { policy.kernelProgram(MechanismSet($0)).refusals }
  }

  /// A warning for each: the mechanism is sensed by audit because of it, or not at all.
  static func findings(_ configuration: Configuration, _ rules: RuleSet) -> [Finding] {
    unaskable(configuration, rules).map { refusal in
      Finding(
        .warning, path: refusal.rule.path, line: refusal.rule.line, refusal.why,
        hint: hint(refusal.mechanism, configuration.policy[refusal.mechanism]))
    }
  }

  private static func hint(_ mechanism: Mechanism, _ settings: MechanismSettings) -> String {
    let name = mechanism.name
    if settings.sense == .bpf { return "sense.\(name) is \"bpf\": \(name) cannot be on with this rule" }
    if settings.mode == .enforce, settings.unpreventable == .refuse {
      return "\(name) cannot be prevented with this rule, and \"enforce\" is refused; change the rule, or set "
        + "on_unpreventable.\(name) = \"contain\""
    }
    return "\(name) is sensed by audit because of this rule, after the call; to have it so without this warning, set "
      + "sense.\(name) = \"audit\""
  }
}
