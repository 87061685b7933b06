// Owns the tables [interpreters.NAME] of lilium.toml(5).
// It must not look for a program.

internal import AccessModel

extension Interpreter {
  /// The built-in ones, unless they are dropped, and those that tables name: a table replaces one of the same name.
  static func read(_ table: TableReader) -> [Interpreter] {
    var table = table
    var all = table.bool("defaults") ?? true ? builtIn : []
    for name in table.tableKeys where name != "defaults" {
      guard let members = table.table(name) else { continue }
      guard isName(name) else {
        table.reportKey(name, "\"\(name)\" is not a name", hint: "use up to 32 of a-z, A-Z, 0-9, \"_\" and \"-\"")
        continue
      }
      guard let interpreter = read(name, members) else { continue }
      if let index = all.firstIndex(where: { $0.name == name }) { all.remove(at: index) }
      all.append(interpreter)
    }
    table.finish()
    return all
  }

  private static func read(_ name: String, _ table: TableReader) -> Interpreter? {
    var table = table
    let paths = readPaths(&table)
    let suffixes = table.strings("suffixes", check: faultOfSuffix)
    let options = table.strings("inline_options", check: faultOfOption)
    let values = table.strings("value_options", check: faultOfOption)
    let arguments = table.bool("arguments")
    table.finish()
    guard let paths else { return nil }
    return Interpreter(
      name: name, paths: paths, suffixes: suffixes ?? [],
      inlineOptions: (options ?? []).joined(), valueOptions: (values ?? []).joined(),
      readsArguments: arguments ?? true)
  }

  private static func readPaths(_ table: inout TableReader) -> [String]? {
    guard let node = table.node("paths") else {
      table.document.report(
        at: table.place, "[\(table.name)] has no paths", hint: "write paths = [\"/usr/bin/PROGRAM\"]")
      return nil
    }
    let paths = table.strings("paths", check: faultOfPattern)
    if case .array(let elements) = node.value, elements.isEmpty { table.report("paths", node, "names no program") }
    return paths
  }

  private static func isName(_ name: String) -> Bool {
    (1...32).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
      }
  }

  private static func faultOfPattern(_ pattern: String) -> String? {
    if let fault = faultOfPath(pattern) { return fault }
    return pattern == "/" ? "\"/\" is a folder; name programs" : nil
  }

  private static func faultOfSuffix(_ suffix: String) -> String? {
    guard suffix.hasPrefix("."), (2...32).contains(suffix.utf8.count), !suffix.contains("/") else {
      return "\"\(suffix)\" is not a suffix; write it with its dot, as in \".py\""
    }
    return nil
  }

  private static func faultOfOption(_ option: String) -> String? {
    let letters = option.unicodeScalars
    guard letters.count == 1, let letter = letters.first, letter.isASCII, letter.properties.isAlphabetic else {
      return "\"\(option)\" is not an option's letter; write it without \"-\", as in \"c\""
    }
    return nil
  }
}
