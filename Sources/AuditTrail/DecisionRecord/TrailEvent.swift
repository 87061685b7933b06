// Owns what can be recorded: a decision, and everything else that an auditor must know of Lilium itself.
// It must not format anything.

public import AccessModel

/// Something that happened and gets one record.
public enum TrailEvent: Sendable {
  case decision(TrailEntry)
  case started(DaemonStart)
  case stopped(DaemonStop)
  /// `identity` is the SHA-256 over the rule files.
  case policyLoaded(identity: String, rules: Int, warnings: [String])
  /// `running` is the identity of the policy that goes on.
  case policyRefused(diagnostics: [String], running: String?)
  /// `until` is in nanoseconds since the epoch; `uid` is who asked for it.
  case modeChanged(mechanism: Mechanism, from: Mode, to: Mode, until: Int64?, uid: UInt32?)
  /// `what` is a short fixed name, as in `trail-queue`.
  case loss(what: String, count: UInt64)
  case suppressed(Suppression)
  case coverageChanged(CoverageChange)
  case sensingChanged(SensingChange)
  case trustLoaded(TrustLoad)
  case tamperingDenied(Tampering)

  /// When it happened, in nanoseconds since the epoch; nil where that is when it is handed over.
  public var time: Int64? {
    switch self {
    case .decision(let entry): entry.time
    case .tamperingDenied(let tampering): tampering.time
    default: nil
    }
  }

  public var kind: RecordKind {
    switch self {
    case .decision: .decision
    case .started: .started
    case .stopped: .stopped
    case .policyLoaded: .policyLoaded
    case .policyRefused: .policyRefused
    case .modeChanged: .modeChanged
    case .loss: .loss
    case .suppressed: .suppressed
    case .coverageChanged: .coverageChanged
    case .sensingChanged: .sensingChanged
    case .trustLoaded: .trustLoaded
    case .tamperingDenied: .tamperingDenied
    }
  }
}

/// The daemon senses from now on.
public struct DaemonStart: Sendable, Hashable {
  public var version: String
  public var pid: Int32
  public var settings: PolicySettings
  /// The identity of the policy in force.
  public var policy: String?
  /// What `lilium.mode=` on the kernel command line overrides the configured modes with.
  public var commandLineMode: Mode?
  /// The process that it took over from, without a gap; nil where it did not.
  public var predecessor: Int32?

  public init(
    version: String, pid: Int32, settings: PolicySettings, policy: String?, commandLineMode: Mode? = nil,
    predecessor: Int32? = nil
  ) {
    self.predecessor = predecessor
    self.version = version
    self.pid = pid
    self.settings = settings
    self.policy = policy
    self.commandLineMode = commandLineMode
  }
}

/// The daemon has taken its marks away, and this is what it did.
public struct DaemonStop: Sendable, Hashable {
  /// How often a mechanism came to a verdict for a reason.
  public struct DecisionCount: Sendable, Hashable {
    public var mechanism: Mechanism
    public var verdict: Verdict
    /// `Reason.name`.
    public var reason: String
    public var count: UInt64

    public init(mechanism: Mechanism, verdict: Verdict, reason: String, count: UInt64) {
      self.mechanism = mechanism
      self.verdict = verdict
      self.reason = reason
      self.count = count
    }
  }

  /// How often something was lost.
  public struct LossCount: Sendable, Hashable {
    public var what: String
    public var count: UInt64

    public init(what: String, count: UInt64) {
      self.what = what
      self.count = count
    }
  }

  /// Why, as in `SIGTERM`.
  public var cause: String
  public var uptimeSeconds: UInt64
  public var decisions: [DecisionCount]
  public var losses: [LossCount]
  /// Answer times in microseconds; nil where nothing was answered.
  public var answerMedian: UInt64?
  public var answer99thPercentile: UInt64?

  public init(
    cause: String, uptimeSeconds: UInt64, decisions: [DecisionCount], losses: [LossCount], answerMedian: UInt64?,
    answer99thPercentile: UInt64?
  ) {
    self.cause = cause
    self.uptimeSeconds = uptimeSeconds
    self.decisions = decisions
    self.losses = losses
    self.answerMedian = answerMedian
    self.answer99thPercentile = answer99thPercentile
  }
}

/// Decisions that the rate limit kept out of the records.
public struct Suppression: Sendable, Hashable {
  /// One of them; the others share its mechanism and its rule or reason.
  public var sample: Decision
  public var count: UInt64
  /// How long they were counted for.
  public var seconds: UInt64

  public init(sample: Decision, count: UInt64, seconds: UInt64) {
    self.sample = sample
    self.count = count
    self.seconds = seconds
  }
}

/// A file system came under Lilium's eyes, left them, or could not be brought there.
public struct CoverageChange: Sendable, Hashable {
  public enum State: UInt8, CaseIterable, Sendable {
    case marked, unmarked, failed

    public var name: String {
      switch self {
      case .marked: "marked"
      case .unmarked: "unmarked"
      case .failed: "failed"
      }
    }
  }

  public var state: State
  public var device: DeviceNumber
  public var fileSystemType: [UInt8]
  public var mountPoint: [UInt8]
  public var why: String?

  public init(
    state: State, device: DeviceNumber, fileSystemType: [UInt8], mountPoint: [UInt8], why: String? = nil
  ) {
    self.state = state
    self.device = device
    self.fileSystemType = fileSystemType
    self.mountPoint = mountPoint
    self.why = why
  }
}

/// What the kernel tells Lilium about system calls has changed, or is in danger.
public struct SensingChange: Sendable, Hashable {
  /// A short fixed name, as in `audit-rules-restored`.
  public var what: String
  /// A sentence for a person; it may quote what others gave.
  public var detail: String
  /// Something is not sensed, or may not be, until somebody acts.
  public var isProblem: Bool

  public init(what: String, detail: String, isProblem: Bool) {
    self.what = what
    self.detail = detail
    self.isProblem = isProblem
  }
}

/// Another generation of the trust database is asked from now on, or there is none to ask.
public struct TrustLoad: Sendable, Hashable {
  /// Nil where there is none.
  public var generation: UInt64?
  /// Paths whose content is known.
  public var paths: Int
  /// Contents that are trusted wherever they lie.
  public var contents: Int
  /// Why there is none that can be believed, as a sentence.
  public var problem: String?

  public init(generation: UInt64?, paths: Int, contents: Int, problem: String? = nil) {
    self.generation = generation
    self.paths = paths
    self.contents = contents
    self.problem = problem
  }
}
