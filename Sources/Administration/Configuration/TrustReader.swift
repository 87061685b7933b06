// Owns the tables [integrity] and [trust] of lilium.toml(5).
// It must not look at a file: a folder that does not exist yet may be named.

internal import AccessModel

extension IntegritySettings {
  private static let modes = IntegrityMode.allCases.map { (word: $0.name, value: $0) }

  mutating func read(_ table: TableReader) {
    var table = table
    if let word = table.choice("mode", of: Self.modes) { mode = word }
    if let named = table.table("prefixes") { prefixes = Self.readPrefixes(named) }
    table.finish()
  }

  /// The keys are paths; a final slash makes no difference.
  private static func readPrefixes(_ table: TableReader) -> [Prefix] {
    var table = table
    var prefixes: [Prefix] = []
    for key in table.keys {
      let mode = table.choice(key, of: modes)
      let path = key.hasSuffix("/") && key != "/" ? String(key.dropLast()) : key
      if key == "/" {
        table.reportKey(key, "\(table.name): \"/\" is every file", hint: "write mode under [integrity] instead")
      } else if let fault = faultOfPath(path) {
        table.reportKey(key, "\(table.name): \(fault)")
      } else if prefixes.contains(where: { $0.path == path }) {
        table.reportKey(key, "\(table.name): names \"\(path)\" twice", hint: "a final \"/\" makes no difference")
      } else if let mode {
        prefixes.append(Prefix(path: path, mode: mode))
      }
    }
    return prefixes
  }
}

extension TrustSettings {
  mutating func read(_ table: TableReader) {
    var table = table
    if let remembers = table.bool("remember") { remembersAllows = remembers }
    table.finish()
  }
}
