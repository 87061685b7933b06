// Owns what the daemon answers, one JSON object a line.
// It must not know what is asked for which reply.

public import AccessModel

/// One reply: `{"protocol":1,KIND:{...}}`.
public enum ControlReply: Sendable, Hashable {
  case status(StatusReport)
  case version(VersionReport)
  case reloaded(ReloadReport)
  case mode(ModeReport)
  /// The trust database that the daemon now answers from.
  case trust(TrustReport)
  /// Another process goes on from here; this one ends.
  case takenOver(TakeoverReport)
  /// The process that asked is not asked about what it opens.
  case reading
  /// Records follow as lines of their own, as DecisionRecord writes them, until the watcher hangs up.
  case watching
  /// So many records were left out because the watcher was slow to read.
  case dropped(UInt64)
  case explanation(Explanation)
  case error(ControlError)
}

public struct VersionReport: Sendable, Hashable, Codable {
  public var version = Version.lilium
  public init() {}
}

public struct ReloadReport: Sendable, Hashable, Codable {
  /// The new policy's identity.
  public var identity: String
  public var rules: Int
  /// Findings that did not hinder it, rendered.
  public var warnings: [String]

  public init(identity: String, rules: Int, warnings: [String]) {
    self.identity = identity
    self.rules = rules
    self.warnings = warnings
  }
}

public struct ModeReport: Sendable, Hashable, Codable {
  public var mechanism: Mechanism
  public var mode: Mode
  /// When the configured mode comes back, in seconds since the epoch; absent where it does not by itself.
  public var until: Int64?

  public init(mechanism: Mechanism, mode: Mode, until: Int64? = nil) {
    self.mechanism = mechanism
    self.mode = mode
    self.until = until
  }
}

public struct TrustReport: Sendable, Hashable, Codable {
  public var generation: UInt64
  public var paths: Int
  /// Contents that are trusted wherever they lie.
  public var contents: Int

  public init(generation: UInt64, paths: Int, contents: Int) {
    self.generation = generation
    self.paths = paths
    self.contents = contents
  }
}

public struct TakeoverReport: Sendable, Hashable, Codable {
  /// The process that goes on.
  public var pid: Int32
  /// Its version.
  public var version: String

  public init(pid: Int32, version: String) {
    self.pid = pid
    self.version = version
  }
}

/// What is known about one decision.
public struct Explanation: Sendable, Hashable, Codable {
  public var record: JSONValue
  /// The rule that spoke; absent where none did, or the policy has changed since.
  public var rule: RuleText?

  public init(record: JSONValue, rule: RuleText? = nil) {
    self.record = record
    self.rule = rule
  }

  public struct RuleText: Sendable, Hashable, Codable {
    public var path: String
    public var line: Int
    public var text: String

    public init(path: String, line: Int, text: String) {
      self.path = path
      self.line = line
      self.text = text
    }
  }
}

extension ControlReply: Codable {
  private enum Key: String, CodingKey {
    case version = "protocol"
    case status, reloaded, mode, trust, reading, watching, dropped, explanation, error
    case daemonVersion = "version"
    case takenOver = "taken_over"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Version.controlProtocol, forKey: .version)
    switch self {
    case .status(let report): try container.encode(report, forKey: .status)
    case .version(let report): try container.encode(report, forKey: .daemonVersion)
    case .reloaded(let report): try container.encode(report, forKey: .reloaded)
    case .mode(let report): try container.encode(report, forKey: .mode)
    case .trust(let report): try container.encode(report, forKey: .trust)
    case .takenOver(let report): try container.encode(report, forKey: .takenOver)
    case .reading: try container.encode(true, forKey: .reading)
    case .watching: try container.encode(true, forKey: .watching)
    case .dropped(let count): try container.encode(count, forKey: .dropped)
    case .explanation(let explanation): try container.encode(explanation, forKey: .explanation)
    case .error(let error): try container.encode(error, forKey: .error)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    guard try container.decode(Int.self, forKey: .version) == Version.controlProtocol else {
      throw ControlError(
        .unsupportedProtocol,
        "the daemon does not speak protocol \(Version.controlProtocol); use the liliumctl that came with it")
    }
    if let report = try container.decodeIfPresent(StatusReport.self, forKey: .status) {
      self = .status(report)
    } else if let report = try container.decodeIfPresent(VersionReport.self, forKey: .daemonVersion) {
      self = .version(report)
    } else if let report = try container.decodeIfPresent(ReloadReport.self, forKey: .reloaded) {
      self = .reloaded(report)
    } else if let report = try container.decodeIfPresent(ModeReport.self, forKey: .mode) {
      self = .mode(report)
    } else if let report = try container.decodeIfPresent(TrustReport.self, forKey: .trust) {
      self = .trust(report)
    } else if let report = try container.decodeIfPresent(TakeoverReport.self, forKey: .takenOver) {
      self = .takenOver(report)
    } else if container.contains(.reading) {
      self = .reading
    } else if container.contains(.watching) {
      self = .watching
    } else if let count = try container.decodeIfPresent(UInt64.self, forKey: .dropped) {
      self = .dropped(count)
    } else if let explanation = try container.decodeIfPresent(Explanation.self, forKey: .explanation) {
      self = .explanation(explanation)
    } else {
      self = .error(try container.decode(ControlError.self, forKey: .error))
    }
  }
}
