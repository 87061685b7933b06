// Owns which audit rules configuration and rules ask for, as the daemon would compile them.
// It must not talk to the kernel.

internal import AccessModel
internal import AuditNetlink
internal import AuditResponse
internal import Configuration
internal import PolicyDecision
internal import PolicyLanguage

/// The audit rules of a policy.
struct WantedRules {
  let mechanisms: [Mechanism]
  let rules: [CompiledRule]
  /// What of ioctl(2) must be sensed.
  let ioctl: RequestFilter

  /// For the mechanisms that are on, or for all that are system calls where none is asked for. What is sensed by the BPF
  /// LSM, because the configuration wants nothing else or because it is among `byBPF`, needs none.
  init(
    _ configuration: Configuration, _ rules: RuleSet, everyMechanism: Bool = false, byBPF: Set<Mechanism> = [],
    on architectures: [AuditArchitecture] = AuditArchitecture.compatibles
  ) {
    let policy = Policy(rules: rules, settings: configuration.policy)
    mechanisms = Mechanism.allCases.filter {
      let settings = configuration.policy[$0]
      return $0.isCall && (everyMechanism || (settings.mode != .off && settings.sense != .bpf && !byBPF.contains($0)))
    }
    let plan = SensingPlan(mechanisms.map { (mechanism: $0, filter: policy.requestFilter($0)) })
    self.rules = RuleCompiler.rules(for: plan, on: architectures)
    ioctl = policy.requestFilter(.ioctl)
  }
}
