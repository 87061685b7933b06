// Owns what can be asked of the daemon, and the strict reading of a request line.
// It must not know who asks or do what is asked.

public import AccessModel

/// One request: a line such as `{"protocol":1,"request":"mode","mechanism":"exec","mode":"audit","for_seconds":300}`.
public enum ControlRequest: Sendable, Hashable {
  case status
  case version
  case reload
  /// The trust database on disk has another generation.
  case trustChanged
  /// The process that asks opens files of any content from now on until it ends, in order to vouch for them.
  case readFiles
  case mode(ModeChange)
  /// The program on disk, as it is now, goes on in the daemon's stead.
  case takeover
  case watch(WatchFilter)
  /// By the id that a record carries.
  case explain(id: String)

  public static let names = [
    "explain", "mode", "read-files", "reload", "status", "takeover", "trust-changed", "version", "watch",
  ]

  public var name: String {
    switch self {
    case .status: "status"
    case .version: "version"
    case .reload: "reload"
    case .trustChanged: "trust-changed"
    case .readFiles: "read-files"
    case .mode: "mode"
    case .takeover: "takeover"
    case .watch: "watch"
    case .explain: "explain"
    }
  }

  /// Whether it changes nothing.
  public var isReadOnly: Bool {
    switch self {
    case .status, .version, .watch, .explain: true
    case .reload, .trustChanged, .readFiles, .mode, .takeover: false
    }
  }
}

/// Sets a mechanism's mode until the daemon stops or reloads, or for a time.
public struct ModeChange: Sendable, Hashable {
  public var mechanism: Mechanism
  public var mode: Mode
  /// After so many seconds the configured mode comes back; nil keeps the new one.
  public var seconds: Int?

  /// A year.
  public static let longestSeconds = 31_536_000

  public init(mechanism: Mechanism, mode: Mode, seconds: Int? = nil) {
    self.mechanism = mechanism
    self.mode = mode
    self.seconds = seconds
  }
}

extension ControlRequest: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case version = "protocol"
    case request, mechanism, mode, filter, id
    case seconds = "for_seconds"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Version.controlProtocol, forKey: .version)
    try container.encode(name, forKey: .request)
    switch self {
    case .status, .version, .reload, .trustChanged, .readFiles, .takeover: break
    case .mode(let change):
      try container.encode(change.mechanism, forKey: .mechanism)
      try container.encode(change.mode, forKey: .mode)
      try container.encodeIfPresent(change.seconds, forKey: .seconds)
    case .watch(let filter) where filter == WatchFilter(): break
    case .watch(let filter): try container.encode(filter, forKey: .filter)
    case .explain(let id): try container.encode(id, forKey: .id)
    }
  }

  /// Throws `ControlError`, or `DecodingError` where a value has the wrong type.
  public init(from decoder: any Decoder) throws {
    let fields = try StrictFields<Key>(decoder)
    guard try fields.required(Int.self, .version) == Version.controlProtocol else {
      throw ControlError(
        .unsupportedProtocol,
        "this daemon speaks protocol \(Version.controlProtocol); use its own liliumctl")
    }
    let name = try fields.required(String.self, .request)
    switch name {
    case "status": self = .status
    case "version": self = .version
    case "reload": self = .reload
    case "trust-changed": self = .trustChanged
    case "read-files": self = .readFiles
    case "takeover": self = .takeover
    case "mode": self = .mode(try Self.modeChange(fields))
    case "watch": self = .watch(try fields.optional(WatchFilter.self, .filter) ?? WatchFilter())
    case "explain": self = .explain(id: try Self.recordID(fields))
    default:
      throw ControlError(
        .unknownRequest, "unknown request; the requests are \(Self.names.joined(separator: ", "))")
    }
    try fields.refuseOthers(than: [.version, .request] + keys)
  }

  private var keys: [Key] {
    switch self {
    case .status, .version, .reload, .trustChanged, .readFiles, .takeover: []
    case .mode: [.mechanism, .mode, .seconds]
    case .watch: [.filter]
    case .explain: [.id]
    }
  }

  private static func modeChange(_ fields: StrictFields<Key>) throws -> ModeChange {
    let change = ModeChange(
      mechanism: try fields.word(Mechanism.init(name:), Mechanism.allCases.map(\.name), .mechanism),
      mode: try fields.word(Mode.init(name:), Mode.allCases.map(\.name), .mode),
      seconds: try fields.optional(Int.self, .seconds))
    if let seconds = change.seconds, !(1...ModeChange.longestSeconds).contains(seconds) {
      throw ControlError(.invalidArgument, "for_seconds: write 1 to \(ModeChange.longestSeconds)")
    }
    return change
  }

  /// Letters, digits and "-", at most 64: more than any record's id has.
  private static func recordID(_ fields: StrictFields<Key>) throws -> String {
    let id = try fields.required(String.self, .id)
    let isPlain = id.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
      default: false
      }
    }
    guard isPlain, (1...64).contains(id.utf8.count) else {
      throw ControlError(.invalidArgument, "id: not a record's id; records carry theirs as \"id\" or LILIUM_ID")
    }
    return id
  }
}
