// Owns the words for the outcome of a decision: verdict, reason, effect, failure.
// It must not hold the bits that any kernel interface uses for them.

/// What the policy says about a request.
public enum Verdict: UInt8, CaseIterable, Sendable, Hashable {
  case allow, deny

  public var name: String { self == .allow ? "allow" : "deny" }

  public init?(name: some StringProtocol) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}

/// What came of a verdict on this host.
public enum Effect: UInt8, CaseIterable, Sendable, Hashable {
  /// The operation failed before it happened.
  case prevented
  /// The operation had happened, and Lilium answered it.
  case contained
  /// It was recorded.
  case logged

  public var name: String {
    switch self {
    case .prevented: "prevented"
    case .contained: "contained"
    case .logged: "logged"
    }
  }
}

/// Why an operation that should have been contained was not.
public enum ContainmentFailure: UInt8, Error, CaseIterable, Sendable, Hashable {
  /// The process could not be told from another that may have had its number.
  case identityUncertain
  /// The process had ended by itself.
  case processGone
  /// Pid 1, liliumd itself or a kernel thread: never contained.
  case protectedProcess
  /// What is mounted there is not what the call mounted.
  case mountChanged
  /// The kernel refused to undo the mount, most often because it is in use.
  case unmountRefused
  /// The kernel refused to end the process.
  case killRefused

  public var name: String {
    switch self {
    case .identityUncertain: "identity-uncertain"
    case .processGone: "process-gone"
    case .protectedProcess: "protected-process"
    case .mountChanged: "mount-changed"
    case .unmountRefused: "unmount-refused"
    case .killRefused: "kill-refused"
    }
  }
}

/// What a door did with an answer.
public enum Answered: Sendable, Hashable {
  /// Somebody else, the deadline, had answered before.
  case late
  case done(Effect)
  /// Containment was tried or forbidden, and the operation stands.
  case notContained(ContainmentFailure)
}

/// Why a request could not be decided by the policy. The administrator's `on_failure` answers it.
public enum Failure: UInt8, CaseIterable, Sendable, Hashable {
  /// The answer was not ready within `answer_deadline_ms`.
  case deadline
  /// The daemon has no free file descriptor.
  case outOfDescriptors
  /// All threads that may wait for file content are waiting.
  case outOfThreads
  /// The process that asked is gone.
  case subjectVanished
  /// A fact about the subject could not be read.
  case subjectUnreadable
  /// The object's content or status could not be read.
  case objectUnreadable
  /// The process cannot be told from another that may have had its number: its capabilities are not known.
  case subjectUncertain
  /// The traced process is gone or could not be read.
  case targetUnreadable
  /// The kernel's record of the call lacks a part that was lost.
  case recordTorn
  /// The trust database is missing, damaged, or not to be believed.
  case trustUnavailable
  /// Whether somebody holds the file open for writing cannot be found out: no leases (fs.leases-enable).
  case writersUnknown
  /// The request was dropped without an answer: a defect of Lilium's own.
  case dropped

  public var name: String {
    switch self {
    case .deadline: "deadline"
    case .outOfDescriptors: "out-of-descriptors"
    case .outOfThreads: "out-of-threads"
    case .subjectVanished: "subject-vanished"
    case .subjectUnreadable: "subject-unreadable"
    case .objectUnreadable: "object-unreadable"
    case .subjectUncertain: "subject-uncertain"
    case .targetUnreadable: "target-unreadable"
    case .recordTorn: "record-torn"
    case .trustUnavailable: "trust-unavailable"
    case .writersUnknown: "writers-unknown"
    case .dropped: "dropped"
    }
  }
}

/// Where a rule stands. Made once when the policy is loaded and shared by every decision that names it.
public final class RuleReference: Sendable, Hashable {
  /// The rule file's name without its folder, as in `50-site.rules`.
  public let file: String
  /// The file's whole path.
  public let path: String
  /// The line, counted from 1.
  public let line: Int
  /// The rule's own text.
  public let text: String
  /// The rule's place in the compiled policy, counted from 0.
  public let index: Int

  public init(file: String, path: String, line: Int, text: String, index: Int) {
    self.file = file
    self.path = path
    self.line = line
    self.text = text
    self.index = index
  }

  /// `FILE:LINE`, as records show it.
  public var name: String { "\(file):\(line)" }

  public static func == (a: RuleReference, b: RuleReference) -> Bool {
    a === b || (a.path == b.path && a.line == b.line && a.index == b.index)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(path)
    hasher.combine(line)
  }
}

/// Why the verdict is what it is.
public enum Reason: Sendable, Hashable {
  /// The mechanism is off.
  case off
  /// The subject holds the capability that opens the door.
  case capability(Capability)
  /// This rule matched.
  case rule(RuleReference)
  /// This deny rule could not be decided, and so it holds.
  case undecided(RuleReference)
  /// No rule matched.
  case `default`
  /// The request could not be decided.
  case failure(Failure)

  public var name: String {
    switch self {
    case .off: "off"
    case .capability: "capability"
    case .rule: "rule"
    case .undecided: "undecided"
    case .default: "default"
    case .failure: "failure"
    }
  }

  /// The rule that spoke, if one did.
  public var rule: RuleReference? {
    switch self {
    case .rule(let rule), .undecided(let rule): rule
    default: nil
    }
  }
}

/// The outcome of `decide` for one request.
public struct Decision: Sendable, Hashable {
  public let mechanism: Mechanism
  public let mode: Mode
  public let verdict: Verdict
  public let reason: Reason

  public init(mechanism: Mechanism, mode: Mode, verdict: Verdict, reason: Reason) {
    self.mechanism = mechanism
    self.mode = mode
    self.verdict = verdict
    self.reason = reason
  }

  /// What a kernel door that can prevent is told: a denial is carried out in `enforce` only.
  public var answer: Verdict { mode == .enforce ? verdict : .allow }
}
