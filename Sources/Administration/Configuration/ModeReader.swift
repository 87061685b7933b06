// Owns the tables [mode], [sense] and [on_unpreventable] of lilium.toml(5): what is done at a door, and by what means.
// It must not know what this host's kernel can do: the daemon finds that out when it opens the doors.

public import AccessModel

extension Configuration {
  /// The mechanisms that this version senses and can answer.
  public static let sensedMechanisms = Mechanism.allCases

  /// Why `mode` cannot be had with these settings on any host, and what to do about it; nil where a host may offer it.
  /// What audit tells of has happened: that can be contained, never prevented.
  public static func obstacle(
    to mode: Mode, of mechanism: Mechanism, _ settings: MechanismSettings
  ) -> (message: String, remedy: String)? {
    guard mode == .enforce, mechanism.isCall, settings.sense == .audit, settings.unpreventable == .refuse
    else { return nil }
    let name = mechanism.name
    return (
      "\"enforce\" would have to prevent, and audit, which sense.\(name) asks for, tells of the call when it was made",
      "set sense.\(name) = \"auto\", or on_unpreventable.\(name) = \"contain\" to have the call answered afterwards"
    )
  }

  /// [sense] and [on_unpreventable] come first wherever they stand: they say whether a mode can be had.
  mutating func readModes(_ modes: TableReader?, sense: TableReader?, unpreventable: TableReader?) {
    if let sense { readSense(sense) }
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

  private mutating func readSense(_ given: TableReader) {
    var table = given
    let words = Sense.allCases.map { (word: $0.name, value: $0) }
    for mechanism in Mechanism.allCases where mechanism.isCall {
      if let sense = table.choice(mechanism.name, of: words) { policy[mechanism].sense = sense }
    }
    refuseFiles(&table, "is a file's door, which fanotify alone guards")
    table.finish()
  }

  private mutating func readUnpreventable(_ given: TableReader) {
    var table = given
    for mechanism in Mechanism.allCases where mechanism.isCall {
      let choices = Unpreventable.allCases.filter { $0 != .sysctl || mechanism.hostSwitch != nil }
      let words = choices.map { (word: $0.name, value: $0) }
      if let choice = table.choice(mechanism.name, of: words) { policy[mechanism].unpreventable = choice }
    }
    refuseFiles(&table, "is prevented, before it happens")
    table.finish()
  }

  /// Of tables that speak about system calls alone.
  private func refuseFiles(_ table: inout TableReader, _ why: String) {
    for mechanism in Mechanism.allCases where !mechanism.isCall && table.keys.contains(mechanism.name) {
      _ = table.node(mechanism.name)
      table.reportKey(
        mechanism.name, "\(table.fullName(mechanism.name)): \(mechanism.name) \(why)", hint: "remove the key")
    }
  }
}
