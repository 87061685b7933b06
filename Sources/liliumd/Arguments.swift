// Owns liliumd's command line.
// It must not use ArgumentParser, which imports Foundation: the daemon's answer path may not carry it.

/// What the command line asks for.
struct Arguments: Equatable {
  enum Output: String, CaseIterable {
    case pretty, json, none
  }

  var configuration: String?
  var rules: [String] = []
  var state = "/var/lib/lilium"
  var socket: String?
  var foreground = false
  var output: Output?

  static let usage = """
    usage: liliumd [--config FILE] [--rules DIR]... [--state DIR] [--socket PATH]
                   [--foreground] [--output pretty|json|none]
           liliumd --clean-up [--state DIR]
           liliumd --help | --version

      --config FILE    configuration (default /etc/lilium/lilium.toml)
      --rules DIR      folder of NN-name.rules files; a later folder replaces files of the same name
                       (default /usr/lib/lilium/rules.d, then /etc/lilium/rules.d)
      --state DIR      folder for what the daemon keeps (default /var/lib/lilium)
      --socket PATH    control socket (default: the configuration's, /run/lilium/control.sock)
      --foreground     print decisions to standard output instead of to the configured sinks
      --output FORM    what --foreground prints: pretty (default), json (one object a decision, nothing else), none
      --clean-up       take away what a liliumd that was killed left in the kernel: its audit rules; then end

    See liliumd(8).
    """

  enum Request: Equatable {
    case run(Arguments)
    case cleanUp(Arguments)
    case help, version
    /// What is wrong with the command line.
    case refused(String)
  }

  static func parse(_ words: [String]) -> Request {
    var arguments = Arguments()
    var isCleanUp = false
    var rest = words[...]
    while let word = rest.popFirst() {
      let (name, attached) = split(word)
      func value() -> String? { attached ?? rest.popFirst() }
      switch name {
      case "--help", "-h": return .help
      case "--version": return .version
      case "--foreground" where attached == nil: arguments.foreground = true
      case "--clean-up" where attached == nil: isCleanUp = true
      case "--config", "--rules", "--state", "--socket", "--output":
        guard let value = value(), !value.isEmpty else { return .refused("\(name) needs a value") }
        if let problem = arguments.set(name, value) { return .refused(problem) }
      default: return .refused("unknown argument \(word)")
      }
    }
    if arguments.output != nil, !arguments.foreground { return .refused("--output goes with --foreground") }
    return isCleanUp ? .cleanUp(arguments) : .run(arguments)
  }

  /// The same with absolute paths: the daemon leaves the folder that it was started in, and reads files again later.
  func resolved(against folder: String) -> Arguments {
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
    var resolved = self
    resolved.configuration = configuration.map(absolute)
    resolved.rules = rules.map(absolute)
    resolved.state = absolute(state)
    resolved.socket = socket.map(absolute)
    return resolved
  }

  /// The command line of a service with these arguments.
  var words: [String] {
    func option(_ name: String, _ value: String?) -> [String] { value.map { [name, $0] } ?? [] }
    return option("--config", configuration) + rules.flatMap { option("--rules", $0) }
      + option("--state", state == Self().state ? nil : state) + option("--socket", socket)
  }

  private static func split(_ word: String) -> (String, String?) {
    guard word.hasPrefix("--"), let sign = word.firstIndex(of: "=") else { return (word, nil) }
    return (String(word[..<sign]), String(word[word.index(after: sign)...]))
  }

  private mutating func set(_ name: String, _ value: String) -> String? {
    switch name {
    case "--config": configuration = value
    case "--rules": rules.append(value)
    case "--state": state = value
    case "--socket": socket = value
    default:
      guard let form = Output(rawValue: value) else { return "--output must be pretty, json or none, not \(value)" }
      output = form
    }
    return nil
  }
}
