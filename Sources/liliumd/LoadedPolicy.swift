// Owns turning configuration and rule files into one policy: all of it good, or nothing.
// It must not put it in force.

import AccessModel
import Configuration
import PolicyDecision
import PolicyLanguage

/// A configuration and a policy that belong together.
struct LoadedPolicy: Sendable {
  var configuration: Configuration
  var policy: Policy
  /// SHA-256 over the rule files, in hexadecimal.
  var identity: String
  var warnings: [Finding]

  /// Why nothing was loaded.
  struct Refused: Error {
    var findings: [Finding]
    var rendered: String { findings.map(\.rendered).joined() }
  }

  /// Reads everything anew. `override` is the mode of the kernel command line.
  static func load(_ arguments: Arguments, override: Mode?) throws(Refused) -> LoadedPolicy {
    let (configuration, found) = Configuration.load(path: arguments.configuration)
    let files = RuleFiles.load(from: arguments.rules)
    let (rules, diagnostics) = RuleSet.parse(files.sources)
    let findings = found + files.findings + diagnostics.map(Finding.init)
    guard var configuration, !findings.hasErrors else { throw Refused(findings: findings) }
    if let override {
      for mechanism in Mechanism.allCases where configuration.policy[mechanism].mode != .off {
        configuration.policy[mechanism].mode = override
      }
    }
    return LoadedPolicy(
      configuration: configuration, policy: Policy(rules: rules, settings: configuration.policy),
      identity: files.identity, warnings: findings)
  }
}
