// Owns `liliumctl check`: the daemon's own reading of configuration and rules, without the daemon.
// It must not accept what the daemon refuses.

internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import PolicyLanguage

/// Where configuration and rules are read from.
struct PolicyOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The configuration. (default: \(Configuration.defaultPath))", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "A folder of rules; later ones override earlier. (default: \(RuleFiles.defaultFolders.joined(separator: ", ")))",
      valueName: "folder"))
  var rules: [String] = []

  func load() -> LoadedPolicy { LoadedPolicy(config: config, rules: rules) }
}

/// Configuration and rules as the daemon would load them, with all that is to be said about them.
struct LoadedPolicy {
  /// Nil where it is unusable.
  let configuration: Configuration?
  let files: RuleFiles
  let rules: RuleSet
  let findings: [Finding]

  init(config: String?, rules folders: [String]) {
    let (configuration, configurationFindings) = Configuration.load(path: config)
    files = RuleFiles.load(from: folders)
    let (rules, diagnostics) = RuleSet.parse(files.sources)
    self.configuration = configuration
    self.rules = rules
    var findings = configurationFindings + files.findings + diagnostics.map { Finding($0) }
    if !findings.hasErrors, let configuration {
      findings += configuration.doubts(about: rules, path: config ?? Configuration.defaultPath)
      findings += KernelRules.findings(configuration, rules)
    }
    self.findings = findings
  }
}

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read configuration and rules as the daemon would, and say what is wrong.",
    discussion: "Exit codes: 0 good, 1 usable with warnings, 2 unusable.")

  @OptionGroup var policy: PolicyOptions
  @Flag(help: "Write JSON for programs.") var json = false

  func run() throws {
    let loaded = policy.load()
    let report = CheckReport(loaded)
    if json {
      Output.writeJSON(report)
    } else {
      for finding in loaded.findings { Output.write(finding.rendered) }
      Output.write(report.summary)
    }
    switch report.result {
    case .good: return
    case .findings: throw ExitCode.finding
    case .unusable: throw ExitCode.unusable
    }
  }
}

/// What `check --json` writes; schema 1.
struct CheckReport: Encodable {
  enum Result: String, Encodable {
    case good, findings, unusable
  }

  struct Item: Encodable {
    let severity: String
    let path: String
    let line: Int?
    let column: Int?
    let length: Int?
    let message: String
    let hint: String?
  }

  let schema = 1
  let result: Result
  let files: Int
  let rules: Int
  let identity: String
  let findings: [Item]

  init(_ loaded: LoadedPolicy) {
    result = loaded.findings.hasErrors ? .unusable : loaded.findings.isEmpty ? .good : .findings
    files = loaded.files.sources.count
    rules = loaded.rules.rules.count
    identity = loaded.files.identity
    findings = loaded.findings.map { finding in
      Item(
        severity: finding.severity.name, path: finding.path, line: finding.place?.line, column: finding.place?.column,
        length: finding.place?.length, message: finding.message, hint: finding.hint)
    }
  }

  var summary: String {
    let errors = findings.count { $0.severity == "error" }
    let warnings = findings.count - errors
    let count = "\(counted(rules, "rule")) in \(counted(files, "file"))"
    switch result {
    case .good: return "good: \(count), identity \(identity)\n"
    case .findings: return "usable: \(count), identity \(identity); \(counted(warnings, "warning"))\n"
    case .unusable: return "unusable: \(counted(errors, "error")), \(counted(warnings, "warning"))\n"
    }
  }

  private func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
