// Owns turning configuration and rule files into one policy: all of it good, or nothing.
// It must not put it in force.

import AccessModel
import Configuration
import PolicyDecision
import PolicyLanguage
import SystemCalls

/// A configuration and a policy that belong together.
struct LoadedPolicy: Sendable {
  var configuration: Configuration
  var policy: Policy
  /// SHA-256 over the rule files, in hexadecimal.
  var identity: String
  var warnings: [Finding]
  /// What it was read from.
  var source: Source
  /// Why the files that should have been loaded could not be, where this is what was last in force instead.
  var replaces: Refused?

  struct Source: Sendable {
    var configuration: [UInt8]
    var rules: [RuleSource]
  }

  /// Why nothing was loaded.
  struct Refused: Error {
    var findings: [Finding]
    /// `[failure] on_bad_policy` of the configuration, where that much could be read.
    var answer: BadPolicyAnswer?
    var rendered: String { findings.map(\.rendered).joined() }
  }

  /// Reads everything anew. `override` is the mode of the kernel command line.
  static func load(_ arguments: Arguments, override: Mode?) throws(Refused) -> LoadedPolicy {
    let file = ConfigurationFile.load(path: arguments.configuration)
    let files = RuleFiles.load(from: arguments.rules)
    let (rules, diagnostics) = RuleSet.parse(files.sources)
    let findings = file.findings + files.findings + diagnostics.map(Finding.init)
    guard var configuration = file.configuration, !findings.hasErrors else {
      throw Refused(findings: findings, answer: file.configuration?.onBadPolicy)
    }
    if let override {
      for mechanism in Mechanism.allCases where configuration.policy[mechanism].mode != .off {
        configuration.policy[mechanism].mode = override
      }
    }
    return LoadedPolicy(
      configuration: configuration, policy: Policy(rules: rules, settings: configuration.policy),
      identity: files.identity, warnings: findings,
      source: Source(configuration: file.text, rules: files.sources))
  }

  /// For the start: where the files cannot be used, `on_bad_policy` says whether the policy that was last in force goes
  /// on. Where the configuration itself is broken, its last good copy is asked.
  static func loadForStart(_ arguments: Arguments, override: Mode?) throws(Refused) -> LoadedPolicy {
    do throws(Refused) { return try load(arguments, override: override) } catch {
      guard (error.answer ?? .lastGood) == .lastGood, var kept = loadKept(arguments, override: override) else {
        throw error
      }
      if error.answer == nil, kept.configuration.onBadPolicy == .refuse { throw error }
      kept.replaces = error
      return kept
    }
  }

  private static func loadKept(_ arguments: Arguments, override: Mode?) -> LoadedPolicy? {
    let kept = KeptPolicy(state: arguments.state)
    guard kept.exists else { return nil }
    var instead = arguments
    instead.configuration = kept.configurationPath
    instead.rules = [kept.rulesFolder]
    return try? load(instead, override: override)
  }

  /// Keeps what is in force now for a start that finds something unusable.
  func keep(in state: String) throws(Errno) {
    guard replaces == nil else { return }
    try KeptPolicy(state: state).keep(configuration: source.configuration, rules: source.rules)
  }
}
