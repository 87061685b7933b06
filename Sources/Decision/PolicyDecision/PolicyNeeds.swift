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
      groups.formUnion([.subjectCapabilities, .subjectNamespaces])
    }
    return groups
  }

  /// Which requests of a mechanism must be sensed, as far as their numbers tell.
  ///
  /// `ioctl` speaks only about what its rules name: while its default is to allow, those are the requests that deny
  /// rules are restricted to, and every request where one is not. `ptrace` speaks about gaining a hold on another
  /// process (attach, seize, traceme), and beyond that about what rules name.
  public func requestFilter(_ mechanism: Mechanism) -> RequestFilter {
    let own = rules.rules.filter { $0.mechanism == mechanism }
    switch mechanism {
    case .ptrace:
      let base = ["PTRACE_TRACEME", "PTRACE_ATTACH", "PTRACE_SEIZE"]
        .flatMap { RequestNames.numbers(named: $0, mechanism: .ptrace) }
      return .numbers(Set(own.flatMap(\.requestsNamed) + base).sorted())
    case .ioctl:
      let limits = own.filter { $0.verdict == .deny }.map(\.requestLimit)
      guard settings[.ioctl].defaultVerdict == .allow, !limits.contains(nil) else { return .all }
      return .numbers(Set(limits.flatMap { $0 ?? [] }).sorted())
    default: return .all
    }
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
