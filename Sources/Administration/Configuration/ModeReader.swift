// Owns the tables [mode] and [on_unpreventable] of lilium.toml(5): what is done at a door, and whether it can be done.
// It must not know how a door is sensed on this host's kernel.

public import AccessModel

extension Configuration {
  /// The mechanisms that this version senses and can answer.
  public static let sensedMechanisms = Mechanism.allCases

  /// Why `mode` cannot be had with these settings, and what to do about it; nil where it can. This version hears of
  /// a system call from the kernel's audit alone, after the call: it can contain what came of it, never prevent it.
  public static func obstacle(
    to mode: Mode, of mechanism: Mechanism, _ settings: MechanismSettings
  ) -> (message: String, remedy: String)? {
    guard mode == .enforce, mechanism.isCall, !settings.containsUnpreventable else { return nil }
    let name = mechanism.name
    return (
      "\"enforce\" would have to prevent, and this version learns of \(name) only after the call",
      "set on_unpreventable.\(name) = \"contain\" to have the call answered afterwards, or mode.\(name) = \"audit\""
    )
  }

  /// [on_unpreventable] comes first wherever it stands: it says whether a mode can be had.
  mutating func readModes(_ modes: TableReader?, unpreventable: TableReader?) {
    if let unpreventable { readUnpreventable(unpreventable) }
    guard var table = modes else { return }
    for mechanism in Mechanism.allCases {
      let words = Mode.allCases.map { (word: $0.name, value: $0) }
      guard let mode = table.choice(mechanism.name, of: words) else { continue }
      policy[mechanism].mode = mode
      guard let obstacle = Self.obstacle(to: mode, of: mechanism, policy[mechanism]) else { continue }
      if let node = table.node(mechanism.name) {
        table.report(mechanism.name, node, obstacle.message, hint: obstacle.remedy)
      }
    }
    table.finish()
  }

  private mutating func readUnpreventable(_ given: TableReader) {
    var table = given
    for mechanism in Mechanism.allCases where mechanism.isCall {
      let words = [(word: "refuse", value: false), (word: "contain", value: true)]
      if let contains = table.choice(mechanism.name, of: words) { policy[mechanism].containsUnpreventable = contains }
    }
    for mechanism in Mechanism.allCases where !mechanism.isCall && table.keys.contains(mechanism.name) {
      _ = table.node(mechanism.name)
      table.reportKey(
        mechanism.name, "on_unpreventable.\(mechanism.name): \(mechanism.name) is prevented, before it happens",
        hint: "remove the key")
    }
    table.finish()
  }
}
