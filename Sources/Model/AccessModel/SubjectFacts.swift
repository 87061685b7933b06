// Owns what is known about the subject of a request: a process. Texts are bytes, as the kernel gives them.
// It must not read anything: Information fills it.

/// What kind of program opens an object, as far as it bears on whether the object is code.
public enum ProgramClass: Sendable, Hashable {
  /// Neither a loader nor a configured interpreter.
  case ordinary
  /// An ELF dynamic object without an interpreter segment that runs as a program: `ld.so ./prog`.
  case loader
  /// A configured interpreter.
  case interpreter
}

/// How sure the subject's facts are.
public enum IdentityCertainty: UInt8, CaseIterable, Sendable, Hashable {
  /// They were read while the process was held, or are proven to be about this very process.
  case certain
  /// The parent's, of which this process is a copy that has not executed another program.
  case inherited
  /// What the request itself did not say may be about another process, or is not known.
  case uncertain

  public var name: String {
    switch self {
    case .certain: "certain"
    case .inherited: "inherited"
    case .uncertain: "uncertain"
    }
  }
}

/// Facts about the subject. Each field is valid only while its group is in `Facts.present`.
public struct SubjectFacts: Sendable {
  /// Thread group id in the daemon's pid namespace; always known.
  public var pid: Int32 = 0
  /// Whether these facts are surely about the process that asked.
  public var identity = IdentityCertainty.uncertain

  // subjectStatus
  public var parent: Int32 = 0
  public var uid: UInt32 = 0
  public var euid: UInt32 = 0
  public var gid: UInt32 = 0
  public var egid: UInt32 = 0
  public var comm: [UInt8] = []

  // subjectCapabilities
  /// Supplementary groups.
  public var groups: [UInt32] = []
  public var effectiveCapabilities = CapabilitySet()
  public var permittedCapabilities = CapabilitySet()

  // subjectStat
  /// Start time in clock ticks since boot (proc_pid_stat(5), field 22).
  public var startTime: UInt64 = 0
  /// The controlling terminal, as in `pts/3`; empty without one.
  public var terminal: [UInt8] = []

  // subjectLogin
  /// Login uid; 4294967295 where nobody logged in.
  public var auditUID: UInt32 = .max
  /// Audit session; 4294967295 where there is none.
  public var auditSession: UInt32 = .max

  // subjectNamespaces
  public var userNamespaceInitial = false
  public var mountNamespaceInitial = false

  // subjectExecutable
  public var executable: [UInt8] = []
  /// `executable` resolves, in the initial mount namespace, to the file that runs.
  public var executableVerified = false
  public var executableIdentity = FileIdentity()

  // subjectParent
  public var parentExecutable: [UInt8] = []
  public var parentExecutableVerified = false

  // subjectControlGroup
  /// Path in the cgroup2 hierarchy, as in `/system.slice/x.service`.
  public var controlGroup: [UInt8] = []
  /// The systemd unit that the control group names; empty where it names none.
  public var unit: [UInt8] = []

  // subjectProgram
  public var programClass = ProgramClass.ordinary

  // subjectScript
  /// The object is the file that the interpreter's own arguments name.
  public var objectNamedByArguments = false
  /// The object carries a suffix that the interpreter loads as a module.
  public var objectHasModuleSuffix = false

  public init() {}
}
