// Owns what a policy says about itself without a request: the facts it may ask for, the files it watches.
// It must not look at facts.

public import AccessModel
public import PolicyLanguage

extension Policy {
  /// Every group of facts that `decide` may ask for; empty where the mechanism is off.
  public func uses(_ mechanism: Mechanism) -> FactSet {
    let settings = settings[mechanism]
    guard settings.mode != .off else { return [] }
    var groups = program.rules(of: mechanism).reduce(into: FactSet()) { $0.formUnion($1.facts) }
    if mechanism == .exec { groups.formUnion([.objectContent, .subjectProgram, .subjectScript]) }
    if mechanism.capability != nil, !settings.evaluatesHolders {
      groups.formUnion([.subjectStatus, .subjectNamespaces])
    }
    return groups
  }

  /// The files that `open` must watch, each once. An allow rule names files only where the default is to deny: elsewhere
  /// it is an exception to a deny rule, which names them itself.
  public var openAnchors: [PathAnchor] {
    var seen: Set<PathAnchor> = []
    return rules.rules.flatMap { watchedAnchors(of: $0) }.filter { seen.insert($0).inserted }
  }

  /// Whether `open` must watch the file with this path. Allocates nothing.
  public func matchesAnchor(_ path: [UInt8]) -> Bool {
    rules.rules.contains { rule in watchedAnchors(of: rule).contains { $0.covers(path) } }
  }

  private func watchedAnchors(of rule: Rule) -> [PathAnchor] {
    guard rule.verdict == .deny || settings[.open].defaultVerdict == .deny else { return [] }
    return rule.anchors ?? []
  }
}
