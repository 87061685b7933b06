// Owns the compiled policy: an immutable snapshot of rules and settings, and the order in which they speak.
// It must not fetch facts, answer anybody or log; `decide` allocates nothing.

public import AccessModel
public import PolicyLanguage

/// What `decide` has to say.
public enum Outcome: Sendable, Hashable {
  case final(Decision)
  /// These groups of facts are missing: fetch them, then decide again. Never empty, never a group that failed.
  case needs(FactSet)
  /// `exec` only: the opened file is data, which passes without a decision.
  case data
}

/// Rules and settings, ready to decide. Immutable; swapped whole.
public final class Policy: Sendable {
  public let settings: PolicySettings
  /// The rules of all mechanisms, in the order in which they are tried.
  public let rules: RuleSet
  /// The files that `open` must watch, each once. An allow rule adds files only where the default is to deny:
  /// elsewhere it is an exception to a deny rule, which names them itself.
  public let openAnchors: [PathAnchor]
  let program: Program

  public convenience init(rules: RuleSet, settings: PolicySettings) {
    let anchors = rules.anchors(includingAllowed: settings[.open].defaultVerdict == .deny)
    self.init(rules: rules, program: Program(rules), openAnchors: anchors, settings: settings)
  }

  private init(rules: RuleSet, program: Program, openAnchors: [PathAnchor], settings: PolicySettings) {
    self.rules = rules
    self.program = program
    self.openAnchors = openAnchors
    self.settings = settings
  }

  /// Whether some rule of a mechanism that is on asks for trust in content.
  public var readsTrust: Bool { Mechanism.allCases.contains { uses($0).contains(.objectTrust) } }

  /// The same rules under other settings; nothing is compiled again.
  public func withSettings(_ new: PolicySettings) -> Policy {
    let isSame = new[.open].defaultVerdict == settings[.open].defaultVerdict
    let anchors = isSame ? openAnchors : rules.anchors(includingAllowed: new[.open].defaultVerdict == .deny)
    return Policy(rules: rules, program: program, openAnchors: anchors, settings: new)
  }

  /// Decides from the facts that are there, or says which are missing.
  public func decide(_ mechanism: Mechanism, _ facts: Facts) -> Outcome {
    let settings = settings[mechanism]
    guard settings.mode != .off else { return outcome(mechanism, settings, .allow, .off) }
    if let capability = mechanism.capability, !settings.evaluatesHolders {
      switch holds(capability, facts) {
      case .yes: return outcome(mechanism, settings, .allow, .capability(capability))
      case .needs(let groups): return .needs(groups)
      // A capability that cannot be believed opens nothing.
      case .no, .undecided: break
      }
    }
    if mechanism == .exec {
      switch CodeOrData(facts) {
      case .code: break
      case .data: return .data
      case .needs(let groups): return .needs(groups)
      case .failed(let failure): return outcome(mechanism, settings, settings.onFailure, .failure(failure))
      }
    }
    return firstMatch(mechanism, settings, facts)
  }

  private func firstMatch(_ mechanism: Mechanism, _ settings: MechanismSettings, _ facts: Facts) -> Outcome {
    let rules = program.rules(of: mechanism)
    // By index, here and below: the iterator of an array allocates where code is not optimized.
    for index in rules.indices {
      switch program.evaluate(rules[index].condition, facts) {
      case .no: continue
      case .yes: return outcome(mechanism, settings, rules[index].verdict, .rule(rules[index].reference))
      case .undecided:
        if let failure = trustFailure(deciding: rules[index], facts) {
          return outcome(mechanism, settings, settings.onFailure, .failure(failure))
        }
        guard rules[index].verdict == .deny else { continue }
        return outcome(mechanism, settings, .deny, .undecided(rules[index].reference))
      case .needs(let groups): return .needs(groups)
      }
    }
    return outcome(mechanism, settings, settings.defaultVerdict, .default)
  }

  private func holds(_ capability: Capability, _ facts: Facts) -> Truth {
    let sets = Truth(presence: .subjectCapabilities, in: facts)
    guard sets == .yes else { return sets }
    guard facts.subject.effectiveCapabilities.contains(capability) else { return .no }
    let namespaces = Truth(presence: .subjectNamespaces, in: facts)
    guard namespaces == .yes else { return namespaces }
    return facts.subject.userNamespaceInitial ? .yes : .no
  }

  func outcome(
    _ mechanism: Mechanism, _ settings: MechanismSettings, _ verdict: Verdict, _ reason: Reason
  ) -> Outcome {
    .final(Decision(mechanism: mechanism, mode: settings.mode, verdict: verdict, reason: reason))
  }
}
