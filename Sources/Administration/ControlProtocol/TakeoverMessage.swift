// Owns what a daemon and the one that takes over from it say to each other, one JSON object a message.
// It must not send it. Either may be older than the other: fields are only ever added, and optional from then on.

public import AccessModel

/// offer (old) -> ready or refused (new) -> proceed (old). Silence and the end of either are no.
public enum TakeoverMessage: Sendable, Hashable {
  case offer(TakeoverOffer)
  /// The new one's doors are open, and the old one may close its own.
  case ready(TakeoverReady)
  /// Why the new one does not start, for the administrator.
  case refused(String)
  case proceed(TakeoverState)

  /// Of the messages; another one is not understood.
  public static let version = 1
}

/// What the new daemon is told before it opens its doors.
public struct TakeoverOffer: Sendable, Hashable, Codable {
  /// A mode that was set at run time.
  public struct Override: Sendable, Hashable, Codable {
    public var mechanism: Mechanism
    public var mode: Mode
    /// When it ends, in nanoseconds of the monotonic clock; absent where it does not by itself.
    public var until: Int64?

    public init(mechanism: Mechanism, mode: Mode, until: Int64?) {
      self.mechanism = mechanism
      self.mode = mode
      self.until = until
    }
  }

  /// A limit of the kernel's that goes back to what it was when Lilium ends.
  public struct Raise: Sendable, Hashable, Codable {
    public var from: UInt32
    public var to: UInt32

    public init(from: UInt32, to: UInt32) {
      self.from = from
      self.to = to
    }
  }

  /// The old daemon.
  public var pid: Int32
  /// The second since the epoch that its records' ids begin with; the new one's must differ.
  public var recordSecond: Int64
  /// The control socket that it listens on.
  public var socket: String
  public var overrides: [Override] = []
  public var auditBacklog: Raise?
  public var state = TakeoverState()

  public init(pid: Int32, recordSecond: Int64, socket: String) {
    self.pid = pid
    self.recordSecond = recordSecond
    self.socket = socket
  }
}

/// What changes by itself, and so is told again at the end.
public struct TakeoverState: Sendable, Hashable, Codable {
  /// Processes that may read files without being asked about, in order to vouch for them.
  public var readers: [Int32] = []
  public init(readers: [Int32] = []) { self.readers = readers }
}

public struct TakeoverReady: Sendable, Hashable, Codable {
  public var version: String
  /// It listens on the old one's control socket.
  public var keepsSocket: Bool

  public init(version: String, keepsSocket: Bool) {
    self.version = version
    self.keepsSocket = keepsSocket
  }
}

extension TakeoverMessage: Codable {
  private enum Key: String, CodingKey {
    case version = "takeover"
    case offer, ready, refused, proceed
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Self.version, forKey: .version)
    switch self {
    case .offer(let offer): try container.encode(offer, forKey: .offer)
    case .ready(let ready): try container.encode(ready, forKey: .ready)
    case .refused(let text): try container.encode(text, forKey: .refused)
    case .proceed(let state): try container.encode(state, forKey: .proceed)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    guard try container.decode(Int.self, forKey: .version) == Self.version else {
      throw ControlError(.unsupportedProtocol, "the other daemon speaks another takeover protocol than \(Self.version)")
    }
    if let offer = try container.decodeIfPresent(TakeoverOffer.self, forKey: .offer) {
      self = .offer(offer)
    } else if let ready = try container.decodeIfPresent(TakeoverReady.self, forKey: .ready) {
      self = .ready(ready)
    } else if let state = try container.decodeIfPresent(TakeoverState.self, forKey: .proceed) {
      self = .proceed(state)
    } else {
      self = .refused(try container.decode(String.self, forKey: .refused))
    }
  }
}
