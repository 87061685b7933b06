// Owns what each key of lilium.toml(5) means and which values it may have.
// It must not read a file or print.

internal import AccessModel
internal import PolicyLanguage

extension Configuration {
  /// Reads a configuration file's text. Total: whatever the bytes are, it returns. Nil where a finding is an error.
  public static func parse(_ bytes: [UInt8], path: String) -> (configuration: Configuration?, findings: [Finding]) {
    let lines = SourceLines(path: path, bytes: bytes)
    switch Document.parse(lines) {
    case .failure(let refusal): return (nil, [refusal.finding])
    case .success(let tree):
      let document = Document(lines)
      guard case .table(let members) = tree.value else { return (nil, []) }
      let configuration = read(TableReader(document, name: "", place: 0..<0, members: members))
      let findings = document.findings.sorted { $0.offset < $1.offset }.map(\.finding)
      return (findings.hasErrors ? nil : configuration, findings)
    }
  }

  private static func read(_ document: TableReader) -> Configuration {
    var configuration = Configuration()
    var root = document
    configuration.readModes(
      root.table("mode"), sense: root.table("sense"), unpreventable: root.table("on_unpreventable"))
    if let table = root.table("default") { configuration.readDefaults(table) }
    if let table = root.table("holders") { configuration.readHolders(table) }
    if let table = root.table("coverage") { configuration.coverage.read(table) }
    if let table = root.table("scope") { configuration.scope.read(table) }
    if let table = root.table("failure") { configuration.readFailure(table) }
    if let table = root.table("integrity") { configuration.integrity.read(table) }
    if let table = root.table("trust") { configuration.trust.read(table) }
    if let table = root.table("audit") { configuration.audit.read(table) }
    if let table = root.table("log") { configuration.log.read(table) }
    if let table = root.table("interpreters") { configuration.interpreters = Interpreter.read(table) }
    if let table = root.table("control") { configuration.control.read(table) }
    root.finish()
    return configuration
  }

  private static let verdicts = Verdict.allCases.map { (word: $0.name, value: $0) }

  private mutating func readDefaults(_ table: TableReader) {
    var table = table
    for mechanism in Mechanism.allCases {
      if let verdict = table.choice(mechanism.name, of: Self.verdicts) { policy[mechanism].defaultVerdict = verdict }
    }
    table.finish()
  }

  private mutating func readHolders(_ table: TableReader) {
    var table = table
    for mechanism in Mechanism.allCases {
      let words = [(word: "allow", value: false), (word: "evaluate", value: true)]
      if let evaluates = table.choice(mechanism.name, of: words) { policy[mechanism].evaluatesHolders = evaluates }
    }
    table.finish()
  }

  private mutating func readFailure(_ table: TableReader) {
    var table = table
    if let deadline = table.integer("answer_deadline_ms", in: 50...60_000) { answerDeadlineMilliseconds = deadline }
    if let isGuarded = table.bool("guard") { self.isGuarded = isGuarded }
    if let protectsItself = table.bool("self_protection") { self.protectsItself = protectsItself }
    let answers = [(word: "last-good", value: BadPolicyAnswer.lastGood), (word: "refuse", value: .refuse)]
    if let answer = table.choice("on_bad_policy", of: answers) { onBadPolicy = answer }
    if var answers = table.table("on_failure") {
      for mechanism in Mechanism.allCases {
        if let verdict = answers.choice(mechanism.name, of: Self.verdicts) { policy[mechanism].onFailure = verdict }
      }
      answers.finish()
    }
    table.finish()
  }
}

extension CoverageSettings {
  fileprivate mutating func read(_ table: TableReader) {
    var table = table
    if let node = table.node("filesystems") {
      if case .array(let elements) = node.value {
        let paths = table.strings("filesystems", check: faultOfPath) ?? []
        if elements.isEmpty {
          table.report(
            "filesystems", node, "names no file system", hint: "write \"local\", or set every mode to \"off\"")
        }
        fileSystems = .holding(paths)
      } else if case .string("local") = node.value {
        fileSystems = .local
      } else {
        table.report("filesystems", node, "expected \"local\" or a list of absolute paths")
      }
    }
    if let paths = table.strings("exclude", check: faultOfPath) { exclude = paths }
    table.finish()
  }
}

extension ControlSettings {
  /// sun_path of unix(7), less the byte that ends it.
  private static let longestSocketPath = 107

  fileprivate mutating func read(_ table: TableReader) {
    var table = table
    if let (path, node) = table.string("socket", expected: "an absolute path") {
      if let fault = faultOfPath(path) {
        table.report("socket", node, fault)
      } else if path.utf8.count > Self.longestSocketPath {
        table.report("socket", node, "longer than \(Self.longestSocketPath) bytes, the most for a socket")
      } else {
        socket = path
      }
    }
    if let (name, node) = table.string("group", expected: "a group's name") {
      if isGroupName(name) {
        group = name
      } else {
        table.report("group", node, "\"\(name)\" is not a group's name", hint: "write \"\" to let nobody but root in")
      }
    }
    table.finish()
  }
}

/// What is wrong with an absolute path, if anything is.
func faultOfPath(_ path: String) -> String? {
  guard path.hasPrefix("/") else { return "\"\(path)\" is not an absolute path" }
  if path == "/" { return nil }
  let parts = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  if parts.contains(where: { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) {
    return "\"\(path)\" holds \"//\", \".\", \"..\" or a final \"/\"; write the plain path"
  }
  return path.utf8.count > 4095 ? "a path longer than 4095 bytes" : nil
}

/// useradd(8)'s rule for names; empty stands for no group.
private func isGroupName(_ name: String) -> Bool {
  guard name.utf8.count <= 32, !name.hasPrefix("-") else { return false }
  let others = "0123456789_-.$".unicodeScalars
  return name.unicodeScalars.allSatisfy { $0.isASCII && ($0.properties.isAlphabetic || others.contains($0)) }
}
