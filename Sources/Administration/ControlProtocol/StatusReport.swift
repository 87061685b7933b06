// Owns what the daemon tells about itself: the reply to `status`, schema 1.
// It must not gather it.

public import AccessModel

/// The daemon's state at one moment. Times are seconds since the epoch, durations as the field's name says.
public struct StatusReport: Sendable, Hashable, Codable {
  public var schema = Version.statusSchema
  public var daemon = Daemon()
  public var mechanisms: [MechanismStatus] = []
  public var policy = PolicyStatus()
  public var marks = Marks()
  public var queue = Queue()
  /// Counts by name of what was lost: overflow, failure answers, dropped records. Zeroes may be left out.
  public var losses: [String: UInt64] = [:]
  public var decisions: [DecisionCount] = []
  /// Opened files that were data, which passes without a decision.
  public var dataPassed: UInt64 = 0
  public var answerTimes: [AnswerTimes] = []
  public var records = Records()
  /// Absent where no mechanism needs the kernel's audit.
  public var audit: Audit?
  /// Absent where no mechanism that is on may be sensed by it.
  public var bpf: BPF?
  /// Absent while no mechanism enforces, and of a daemon in the foreground.
  public var protection: Protection?
  public var trust = Trust()

  public init() {}

  private enum CodingKeys: String, CodingKey {
    case schema, daemon, mechanisms, policy, marks, queue, losses, decisions, records, audit, bpf, trust
    case protection = "self_protection"
    case dataPassed = "data_passed"
    case answerTimes = "answer_times"
  }

  public struct Daemon: Sendable, Hashable, Codable {
    public var version = Version.lilium
    public var pid: Int32 = 0
    public var uptimeSeconds: UInt64 = 0
    /// What `lilium.mode=` on the kernel command line overrides the configured modes with; absent where it says nothing.
    public var commandLineMode: Mode?

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case version, pid
      case uptimeSeconds = "uptime_seconds"
      case commandLineMode = "command_line_mode"
    }
  }

  public struct MechanismStatus: Sendable, Hashable, Codable {
    /// What comes of a denial now.
    public enum Effect: String, Sendable, Hashable, Codable {
      case prevent, contain, log, off
    }

    public var mechanism: Mechanism
    public var mode: Mode
    public var configuredMode: Mode
    /// When the configured mode comes back; absent where nobody overrode it, or nobody said for how long.
    public var overriddenUntil: Int64?
    public var effect: Effect
    /// By what it is sensed; absent where it is off, or its door is a file.
    public var sensor: Sensor?
    /// Why the BPF LSM does not sense it, though it may: a sentence each without an end. Absent where it does.
    public var hindrances: [String]?
    /// The sysctl that ends it for everybody, as `NAME = VALUE`; absent where `enforce` needs none.
    public var hostSwitch: String?

    public init(
      mechanism: Mechanism, mode: Mode, configuredMode: Mode, overriddenUntil: Int64? = nil, effect: Effect,
      sensor: Sensor? = nil, hindrances: [String]? = nil, hostSwitch: String? = nil
    ) {
      self.mechanism = mechanism
      self.mode = mode
      self.configuredMode = configuredMode
      self.overriddenUntil = overriddenUntil
      self.effect = effect
      self.sensor = sensor
      self.hindrances = hindrances
      self.hostSwitch = hostSwitch
    }

    private enum CodingKeys: String, CodingKey {
      case mechanism, mode, effect
      case sensor = "sensed_by"
      case hindrances = "bpf_hindrances"
      case hostSwitch = "sysctl"
      case configuredMode = "configured_mode"
      case overriddenUntil = "overridden_until"
    }
  }

  public struct PolicyStatus: Sendable, Hashable, Codable {
    /// SHA-256 over the rule files, in hexadecimal.
    public var identity = ""
    public var rules = 0
    public var loadedAt: Int64 = 0
    /// True where it is the policy that was last in force, since the present files could not be used at the start.
    public var isLastGood: Bool?
    /// Why the last reload was refused; absent where it was not.
    public var lastReloadError: String?

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case identity, rules
      case isLastGood = "last_good"
      case loadedAt = "loaded_at"
      case lastReloadError = "last_reload_error"
    }
  }

  public struct Marks: Sendable, Hashable, Codable {
    public var fileSystems: [FileSystem] = []
    /// Files and folders that `open` watches.
    public var inodes = 0

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case inodes
      case fileSystems = "filesystems"
    }
  }

  public struct FileSystem: Sendable, Hashable, Codable {
    /// MAJOR:MINOR.
    public var device: String
    public var type: String
    public var mountPoint: String

    public init(device: String, type: String, mountPoint: String) {
      self.device = device
      self.type = type
      self.mountPoint = mountPoint
    }

    private enum CodingKeys: String, CodingKey {
      case device
      case type = "fstype"
      case mountPoint = "mountpoint"
    }
  }

  public struct Queue: Sendable, Hashable, Codable {
    /// Requests that wait for an answer.
    public var pending = 0
    public var threads = 0
    /// Threads that wait for file content.
    public var blockedThreads = 0

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case pending, threads
      case blockedThreads = "blocked_threads"
    }
  }

  public struct DecisionCount: Sendable, Hashable, Codable {
    public var mechanism: Mechanism
    public var verdict: Verdict
    /// A reason's name; for a failure, the failure's.
    public var reason: String
    public var count: UInt64

    public init(mechanism: Mechanism, verdict: Verdict, reason: String, count: UInt64) {
      self.mechanism = mechanism
      self.verdict = verdict
      self.reason = reason
      self.count = count
    }
  }

  /// From reading a request to giving its answer, in microseconds.
  public struct AnswerTimes: Sendable, Hashable, Codable {
    public var mechanism: Mechanism
    public var count: UInt64 = 0
    public var p50: Double = 0
    public var p90: Double = 0
    public var p99: Double = 0
    public var max: Double = 0

    public init(mechanism: Mechanism) { self.mechanism = mechanism }

    private enum CodingKeys: String, CodingKey {
      case mechanism, count
      case p50 = "p50_us"
      case p90 = "p90_us"
      case p99 = "p99_us"
      case max = "max_us"
    }
  }

  public struct Records: Sendable, Hashable, Codable {
    public var written: UInt64 = 0
    public var dropped: UInt64 = 0
    /// Held back by the rate limit.
    public var suppressed: UInt64 = 0
    /// Waiting for the sinks; nil where an older daemon answers, as while it hands over.
    public var queued: UInt64?

    public init() {}
  }

  /// The trust database, and what the kernel keeps of its verdicts.
  public struct Trust: Sendable, Hashable, Codable {
    /// Absent where there is none that can be believed; `problem` says why.
    public var generation: UInt64?
    public var paths = 0
    /// Contents that are trusted wherever they lie.
    public var contents = 0
    /// When it was written; 0 where there is none.
    public var written: Int64 = 0
    public var problem: String?
    /// Whether this kernel can keep allows.
    public var remembers = false
    /// Allows that were handed to the kernel, and those that were taken back because the file changed.
    public var remembered: UInt64 = 0
    public var takenBack: UInt64 = 0
    /// How often all of them were taken back at once.
    public var flushes: UInt64 = 0

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case generation, paths, contents, written, problem, remembers, remembered, flushes
      case takenBack = "taken_back"
    }
  }

  /// What the daemon found out about the kernel's BPF LSM.
  public struct BPF: Sendable, Hashable, Codable {
    /// Whether `bpf` is among the active LSMs, and the list itself.
    public var isInList = false
    public var list = ""
    /// Why no program can be loaded, and why a denial that was provoked was not seen; absent where all is well, and
    /// where it was not tried because of what stands before it.
    public var load: String?
    public var denial: String?
    /// Hooks that this kernel lacks or refuses a program for, by name.
    public var missingHooks: [String] = []

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case list, load, denial
      case isInList = "in_list"
      case missingHooks = "missing_hooks"
    }
  }

  /// Whether liliumd itself is protected by the kernel's BPF LSM.
  public struct Protection: Sendable, Hashable, Codable {
    public var isOn = false
    /// Why it is not, or not wholly.
    public var problem: String?
    /// Hooks that this kernel lacks, so that nothing is protected there.
    public var missingHooks: [String] = []

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case problem
      case isOn = "on"
      case missingHooks = "missing_hooks"
    }
  }

  /// The kernel's audit system, by which system calls are sensed.
  public struct Audit: Sendable, Hashable, Codable {
    /// 0 off, 1 on, 2 on and locked until the next boot.
    public var enabled = 0
    public var switchedOnByLilium = false
    /// Lilium's rules that are in force.
    public var rules = 0
    /// Records that may wait in the kernel; 0 is no limit.
    public var backlogLimit: UInt32 = 0
    /// Records that were read.
    public var records: UInt64 = 0
    /// Whole events that were read.
    public var received: UInt64 = 0
    /// Events of which a part was missing.
    public var torn: UInt64 = 0
    /// Records that could not be read.
    public var malformed: UInt64 = 0
    /// Records that the kernel lost since the daemon started.
    public var kernelLost: UInt64 = 0
    /// Records for which the reading socket had no room.
    public var socketDrops: UInt64 = 0
    /// How often Lilium's rules were put back.
    public var restored: UInt64 = 0
    /// What keeps calls from being seen, a sentence each.
    public var obstacles: [String] = []

    public init() {}

    private enum CodingKeys: String, CodingKey {
      case enabled, rules, records, received, torn, malformed, restored, obstacles
      case switchedOnByLilium = "switched_on_by_lilium"
      case backlogLimit = "backlog_limit"
      case kernelLost = "kernel_lost"
      case socketDrops = "socket_drops"
    }
  }
}
