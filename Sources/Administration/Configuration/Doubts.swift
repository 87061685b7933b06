// Owns what is doubtful about a configuration and its rules taken together, though each alone is right.
// It must not refuse: a doubt is a warning.

internal import AccessModel
public import PolicyLanguage

extension Configuration {
  /// Warnings about mechanisms that are on and that no rule speaks about.
  public func doubts(about rules: RuleSet, path: String) -> [Finding] {
    Mechanism.allCases.compactMap { mechanism in
      let settings = policy[mechanism]
      guard settings.mode != .off, !rules.rules.contains(where: { $0.mechanism == mechanism }) else { return nil }
      let name = mechanism.name
      guard settings.defaultVerdict == .deny else {
        return Finding(
          .warning, path: path, "mode.\(name) is \"\(settings.mode.name)\", but no rule speaks about it",
          hint: "write rules for \(name), or leave it \"off\"")
      }
      // Without a rule it is the capability that decides, which is a policy of its own.
      if mechanism.capability != nil, !settings.evaluatesHolders { return nil }
      let holders = mechanism.capability.map { " also to who holds \($0.name)" } ?? ""
      return Finding(
        .warning, path: path,
        "mode.\(name) is \"\(settings.mode.name)\", no rule speaks about it, and its default is to deny\(holders): "
          + "all of it would be \(mechanism.isCall ? "contained" : "denied")",
        hint: "write rules for \(name), or set [default] \(name) = \"allow\"")
    }
  }
}
