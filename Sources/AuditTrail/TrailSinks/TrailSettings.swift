// Owns what the administrator may set about the trail, and the counters that the trail shows.
// It must not know where settings are kept.

internal import AccessModel

/// How many records a rule may cause.
public struct RateLimit: Sendable, Hashable {
  /// In the long run; at least 1.
  public var perSecond: UInt64
  /// At once after a quiet time; at least 1.
  public var burst: UInt64

  public init(perSecond: UInt64, burst: UInt64) {
    self.perSecond = max(1, perSecond)
    self.burst = max(1, burst)
  }
}

/// What is logged.
public struct TrailSettings: Sendable, Hashable {
  /// Denials, would-be denials, and decisions that failed, whatever the failure's answer was.
  public var denials: Bool
  public var allows: Bool
  /// For each rule, and for each mechanism and reason where no rule spoke; nil is no limit.
  public var rate: RateLimit?
  /// How often suppression and losses are reported, in milliseconds.
  public var reportMilliseconds: Int32

  public init(
    denials: Bool = true, allows: Bool = false, rate: RateLimit? = RateLimit(perSecond: 100, burst: 200),
    reportMilliseconds: Int32 = 10_000
  ) {
    self.denials = denials
    self.allows = allows
    self.rate = rate
    self.reportMilliseconds = max(1, reportMilliseconds)
  }

  /// Whether the sinks get this decision.
  func logs(_ decision: Decision) -> Bool { LogFlags(self).logs(decision) }
}

/// The part of the settings that every decision asks for, small enough for an atomic.
struct LogFlags: OptionSet {
  let rawValue: UInt8
  static let denials = LogFlags(rawValue: 1)
  static let allows = LogFlags(rawValue: 2)
  static let limited = LogFlags(rawValue: 4)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  init(_ settings: TrailSettings) {
    self = []
    if settings.denials { insert(.denials) }
    if settings.allows { insert(.allows) }
    if settings.rate != nil { insert(.limited) }
  }

  func logs(_ decision: Decision) -> Bool {
    if case .failure = decision.reason { return contains(.denials) }
    return contains(decision.verdict == .deny ? .denials : .allows)
  }
}

/// What became of the records since the start.
public struct TrailCounters: Sendable, Hashable {
  public struct Sink: Sendable, Hashable {
    public var name: String
    public var written: UInt64
    public var dropped: UInt64
  }

  /// Taken by `append`.
  public var accepted: UInt64
  /// Refused by `append` because the queue was full or the trail had stopped, or given up by `stop`.
  public var dropped: UInt64
  /// Kept out by the rate limit.
  public var suppressed: UInt64
  /// Waiting now.
  public var queued: Int
  public var sinks: [Sink]
}
