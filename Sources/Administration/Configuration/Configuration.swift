// Owns what an administrator can set, as plain values with their defaults.
// It must not read a file or know TOML: ConfigurationReader fills it.

public import AccessModel

/// Everything that is set and is not a rule.
public struct Configuration: Sendable, Equatable {
  /// Modes, defaults, failure answers and capability holders of all mechanisms.
  public var policy = PolicySettings()
  public var coverage = CoverageSettings()
  public var scope = ScopeSettings()
  /// How long a request may wait for its answer, in milliseconds; then `on_failure` answers.
  public var answerDeadlineMilliseconds = 2000
  /// Whether a daemon that stands still for longer than that is killed, so that the host goes on.
  public var isGuarded = true
  /// Whether nobody but pid 1 may end, trace or starve the daemon, or change its state, while a mechanism enforces.
  public var protectsItself = true
  public var onBadPolicy = BadPolicyAnswer.lastGood
  public var integrity = IntegritySettings()
  public var trust = TrustSettings()
  public var audit = AuditSettings()
  public var log = LogSettings()
  /// Programs that run code from files they open; no two of one name.
  public var interpreters = Interpreter.builtIn
  public var control = ControlSettings()

  /// Everything off.
  public init() {}

  /// Where the configuration is looked for when nobody names a file.
  public static let defaultPath = "/etc/lilium/lilium.toml"
}

/// What comes of a start with a configuration or rules that cannot be used.
public enum BadPolicyAnswer: Sendable, Equatable, CaseIterable {
  /// The policy that was last in force is used once more.
  case lastGood
  /// The daemon does not start, and the host is not guarded.
  case refuse
}

/// Which file systems are watched.
public struct CoverageSettings: Sendable, Equatable {
  public enum FileSystems: Sendable, Equatable {
    /// Every mounted local one.
    case local
    /// Those that hold these absolute paths.
    case holding([String])
  }

  public var fileSystems = FileSystems.local
  /// Mount points; the file systems that are mounted there are left out.
  public var exclude: [String] = []

  public init() {}
}

/// Whose system calls the BPF LSM asks about.
public struct ScopeSettings: Sendable, Equatable {
  /// Control groups of the cgroup2 hierarchy, as /proc/PID/cgroup shows them (`/system.slice/x.service`), each with all
  /// that is below it; no two of one path. Empty for the whole host.
  public var controlGroups: [String] = []

  public init() {}
}

/// How surely the content of a file must be known before it is trusted.
public struct IntegritySettings: Sendable, Equatable {
  /// A file, or a folder with all that is below it.
  public struct Prefix: Sendable, Hashable {
    /// Absolute path without a final slash.
    public var path: String
    public var mode: IntegrityMode

    public init(path: String, mode: IntegrityMode) {
      self.path = path
      self.mode = mode
    }
  }

  /// For every file that no prefix speaks about.
  public var mode = IntegrityMode.sha256
  /// The longest one that holds a path speaks; no two of one path.
  public var prefixes: [Prefix] = []

  public init() {}
}

/// What is done with trust once it was found.
public struct TrustSettings: Sendable, Equatable {
  /// Allows that hold for every subject are handed to the kernel, which gives them by itself until the file changes.
  public var remembersAllows = true

  public init() {}
}

/// How system calls are sensed, through the kernel's audit.
public struct AuditSettings: Sendable, Equatable {
  /// What the reading socket may hold, in MiB.
  public var receiveBufferMebibytes = 32
  /// Where the kernel's own queue may hold fewer records than this, it is raised to it; 0 leaves it as it is.
  public var backlogLimit: UInt32 = 8192
  /// Rules that somebody else deletes are put back.
  public var restoresRules = true

  public init() {}
}

/// What is logged, where, and how much of it.
public struct LogSettings: Sendable, Equatable {
  public enum Sink: Sendable, Hashable {
    case journal
    case standardOutput
    /// One user record for each denial, in the kernel's audit trail.
    case audit
    /// JSON lines, appended to the file with this absolute path.
    case file(String)
  }

  public var sinks: [Sink] = [.journal]
  public var denials = true
  public var allows = false
  /// For each rule; nil logs without limit.
  public var rateLimit: LogRate? = LogRate(perSecond: 100, burst: 200)
  /// Records that may wait for the sinks.
  public var queue = 8192

  public init() {}
}

/// A token bucket: so many a second, and so many at once.
public struct LogRate: Sendable, Equatable {
  public var perSecond: Int
  public var burst: Int

  public init(perSecond: Int, burst: Int) {
    self.perSecond = perSecond
    self.burst = burst
  }
}

/// Where liliumctl reaches the daemon.
public struct ControlSettings: Sendable, Equatable {
  /// Absolute path of the Unix socket.
  public var socket = ControlSettings.defaultSocket
  /// The group whose members may read; empty for root alone.
  public var group = "lilium"

  public init() {}

  public static let defaultSocket = "/run/lilium/control.sock"
}
