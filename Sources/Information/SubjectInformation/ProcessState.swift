// Owns what was known of one process at one time, and whether a record of a call fits it.
// It must not read /proc, and must not choose between states.

public import AccessModel
internal import SystemCalls

/// How a process was looked at.
public enum Sighting: Sendable, Hashable {
  /// The kernel holds its thread: nothing that is read can change meanwhile but by another thread's doing.
  case held
  /// It runs on: what is read may be torn between two programs, and is read so that this shows.
  case scanned
}

/// One process as it was from `since` on. Times are nanoseconds of the clock that start times count from.
public struct ProcessState: Sendable {
  /// Groups that stand in `subject`; a group that is not here was lost or could not be read.
  public internal(set) var known: FactSet
  /// Status, stat and whatever `known` names. Its pid and start time say which process this is.
  public internal(set) var subject: SubjectFacts
  /// When it was read.
  public internal(set) var since: Int64
  /// When the process was last seen alive in this state.
  public internal(set) var seen: Int64
  /// Processes that the host had made by then, at the least; nil where nobody counted.
  var forks: UInt64?
  /// When another state took its place; the far end of time while none has.
  var until = Int64.max

  init(_ subject: SubjectFacts, known: FactSet, at time: Int64) {
    self.subject = subject
    self.known = known
    since = time
    seen = time
  }

  /// The groups that a state must have to be worth keeping.
  static let least: FactSet = [.subjectStatus, .subjectCapabilities, .subjectNamespaces, .subjectExecutable]

  /// When the process began.
  var begin: Int64 { CallMoment.nanoseconds(ofTicks: subject.startTime) }

  /// What the record of a call says of its caller is what stands here. The name may differ: a process sets it freely.
  func fits(_ recorded: SubjectFacts) -> Bool {
    known.contains(.subjectExecutable) && subject.uid == recorded.uid && subject.euid == recorded.euid
      && subject.gid == recorded.gid && subject.egid == recorded.egid && subject.executable == recorded.executable
  }

  /// May do just what another state may: the same capabilities in the same namespaces.
  func holdsSame(as other: ProcessState) -> Bool {
    subject.effectiveCapabilities == other.subject.effectiveCapabilities
      && subject.permittedCapabilities == other.subject.permittedCapabilities
      && known.contains(.subjectNamespaces) == other.known.contains(.subjectNamespaces)
      && subject.userNamespaceInitial == other.subject.userNamespaceInitial
      && subject.mountNamespaceInitial == other.subject.mountNamespaceInitial
  }

  /// Held more than the same process does `now`, or was in other namespaces. False where either's namespaces are unknown.
  func hasLost(in now: ProcessState) -> Bool {
    guard known.contains(.subjectNamespaces), now.known.contains(.subjectNamespaces) else { return false }
    let isMore =
      subject.effectiveCapabilities.bits & ~now.subject.effectiveCapabilities.bits != 0
      || subject.permittedCapabilities.bits & ~now.subject.permittedCapabilities.bits != 0
    return isMore || subject.userNamespaceInitial != now.subject.userNamespaceInitial
      || subject.mountNamespaceInitial != now.subject.mountNamespaceInitial
  }

  /// Says of the process just what another state says.
  func agrees(with other: ProcessState) -> Bool {
    known == other.known && fits(other.subject) && subject.groups == other.subject.groups
      && subject.effectiveCapabilities == other.subject.effectiveCapabilities
      && subject.permittedCapabilities == other.subject.permittedCapabilities
      && subject.userNamespaceInitial == other.subject.userNamespaceInitial
      && subject.mountNamespaceInitial == other.subject.mountNamespaceInitial
      && subject.executableIdentity == other.subject.executableIdentity
      && subject.executableVerified == other.subject.executableVerified
      && subject.controlGroup == other.subject.controlGroup
  }
}

/// When a call was made, on the clock that start times count from.
struct CallMoment {
  /// The earliest time that the record allows: it is cut to milliseconds, of a clock that goes in steps.
  let earliest: Int64
  var latest: Int64 { earliest + Self.tolerance }

  /// Two clock ticks: start times are cut to one, and record times lag by up to another.
  static let tolerance = 2 * nanoseconds(ofTicks: 1)

  init(earliest: Int64) { self.earliest = earliest }

  /// Nil where the record says no time.
  init?(_ call: CallFacts) {
    guard call.time > 0 else { return nil }
    self.init(epoch: call.time)
  }

  /// `epoch` in nanoseconds of CLOCK_REALTIME. A clock that is set while the record is under way misplaces it.
  init(epoch: Int64) { self.init(earliest: epoch - (Clock.realtime() - Clock.sinceBoot())) }

  static func nanoseconds(ofTicks ticks: UInt64) -> Int64 {
    let (seconds, rest) = Int64(clamping: ticks).quotientAndRemainder(dividingBy: Clock.ticksPerSecond)
    let (whole, over) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return over ? .max / 2 : whole + rest * (1_000_000_000 / Clock.ticksPerSecond)
  }
}
