// Owns what a policy says about itself without a request: the facts it may ask for, the files it watches.
// It must not look at facts.

public import AccessModel
internal import PolicyLanguage

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

  /// Whether `open` must watch the file with this path. Allocates nothing.
  public func matchesAnchor(_ path: [UInt8]) -> Bool {
    for index in openAnchors.indices where openAnchors[index].covers(path) { return true }
    return false
  }
}

extension RuleSet {
  /// The files that `deny open` rules name, and `allow open` rules if wanted; each once.
  func anchors(includingAllowed: Bool) -> [PathAnchor] {
    var seen: Set<PathAnchor> = []
    return rules.flatMap { $0.verdict == .deny || includingAllowed ? $0.anchors ?? [] : [] }
      .filter { seen.insert($0).inserted }
  }
}
