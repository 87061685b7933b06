// Holds the steps that rules compile to against `decide`: the same verdict, for the same reason, by the same rule.

import AccessModel
import KernelQuestions
import PolicyDecision
import PolicyLanguage
import Testing

@Suite("What the kernel is asked and what `decide` says")
struct KernelAgreementTests {
  private static let mechanisms = MechanismSet.calls.members

  @Test(arguments: 0..<8)
  func theyAgree(_ part: Int) throws {
    var random = FixedRandom(seed: UInt64(part) &* 7919 + 1)
    var (asked, mostSteps) = (0, 0)
    var reasons: [KernelReason: Int] = [:]
    while asked < 16_000 {
      guard let policy = RandomRules.policy(Self.mechanisms, &random) else {
        Issue.record("a rule is refused as text")
        return
      }
      let program = policy.kernelProgram()
      #expect(program.refusals.isEmpty)
      mostSteps = max(mostSteps, program.steps.count)
      for mechanism in Self.mechanisms {
        for _ in 0..<6 {
          let call = RandomCall(mechanism, &random)
          asked += 1
          guard let decided = Self.decide(policy, mechanism, call.facts) else {
            Issue.record("not decided")
            return
          }
          let answer = Self.ask(policy, program, mechanism, call.kernel)
          reasons[decided.reason, default: 0] += 1
          guard answer == decided else {
            let rules = policy.rules.rules.map(\.reference.text).joined(separator: "\n")
            Issue.record("\(mechanism.name): kernel \(String(describing: answer)), decide \(decided) by\n\(rules)")
            return
          }
        }
      }
    }
    for reason in KernelReason.allCases { #expect(reasons[reason, default: 0] > 100, "\(reason) is hardly tried") }
    #expect(mostSteps <= KernelProgram.stepLimit)
  }

  private static func decide(_ policy: Policy, _ mechanism: Mechanism, _ facts: Facts) -> KernelOutcome? {
    guard case .final(let decision) = policy.decide(mechanism, facts) else { return nil }
    return KernelOutcome(decision)
  }

  /// The capability comes before the rules.
  private static func ask(
    _ policy: Policy, _ program: KernelProgram, _ mechanism: Mechanism, _ facts: KernelFacts
  ) -> KernelOutcome? {
    if let capability = mechanism.capability, !policy.settings[mechanism].evaluatesHolders,
      facts[.userNamespaceInitial] == 1,
      CapabilitySet(bits: facts[.effective] ?? 0).contains(capability)
    {
      return KernelOutcome(.allow, .capability)
    }
    return program.outcome(mechanism, facts, NameBook())
  }
}
