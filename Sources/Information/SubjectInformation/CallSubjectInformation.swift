// Owns finding the facts about the caller of a system call whose record came after the call (design: PIP).
// It must not give what it read of a process for what the caller was, unless the call's record bears it out.

public import AccessModel
internal import SystemCalls

/// One thread's information point for calls. The record itself says who called and, where that is proven to live
/// still, when it began (group `subjectStat`); the rest is read from /proc then, or known from the process table.
public final class CallSubjectInformation: InformationPoint {
  private let processes: ProcessTable
  private let reading: ProcessReading
  /// What is settled at once, so that all of it comes from one source.
  private static let settled: FactSet = [
    .subjectCapabilities, .subjectNamespaces, .subjectExecutable, .subjectControlGroup,
  ]

  public init(processes: ProcessTable) {
    self.processes = processes
    reading = processes.makeReader()
  }

  public func fetch(_ wanted: FactSet, into facts: Facts) {
    let missing = facts.missing(of: wanted.intersection(FactSet.subject.union(.targetExecutable)))
    if missing.contains(.targetExecutable) { fetchTarget(facts) }
    if !missing.isDisjoint(with: Self.settled) { settle(facts) }
    if missing.contains(.subjectParent) { fetchParent(facts) }
    // What only the record can tell it has told. A call is no file that an interpreter opens.
    facts.markUnknown(facts.missing(of: missing))
  }

  // MARK: The caller

  /// A caller that lives is what it shows now, unless the table knows that it held more when it called. Records come in
  /// order: what it gave up before the call was told by one, what it gave up since is told by one still to come. A caller
  /// that was not known is taken for what it shows: that it changed since the call cannot be seen then.
  private func settle(_ facts: Facts) {
    let isLiving = facts.present.contains(.subjectStat)
    let entersNamespaces = facts.call.succeeded && Self.entersNamespaces(facts.call.name)
    let read = isLiving ? readCaller(facts) : nil
    // Such a call has changed what /proc shows: what is wanted is what was before it.
    if let read, !entersNamespaces {
      if let known = processes.ownState(of: facts), known.hasLost(in: read),
        processes.expectsRecord(of: facts.subject.pid)
      {
        return fill(facts, (known, .certain))
      }
      processes.take(read)
      return fill(facts, (read, .certain))
    }
    if let known = processes.state(of: facts, by: reading) { return fill(facts, known) }
    facts.subject.identity = .uncertain
    if let read { return fillAfterward(facts, read) }
    fillFromRecord(facts, isLiving: isLiving)
  }

  private static func entersNamespaces(_ call: [UInt8]) -> Bool {
    call.elementsEqual("unshare".utf8) || call.elementsEqual("setns".utf8)
  }

  /// What /proc shows of the caller, which lives; nil where that is no longer what the record says.
  private func readCaller(_ facts: Facts) -> ProcessState? {
    guard let state = reading.readState(facts.subject.pid, .scanned),
      state.subject.startTime == facts.subject.startTime, state.fits(facts.subject)
    else { return nil }
    return state
  }

  private func fill(_ facts: Facts, _ found: (state: ProcessState, certainty: IdentityCertainty)) {
    facts.subject.identity = found.certainty
    var known = found.state.known.intersection(Self.settled)
    // Who starts a service moves its process to another control group before it executes anything.
    if found.certainty == .inherited { known.remove(.subjectControlGroup) }
    copy(known, of: found.state, into: facts)
    giveUp(Self.settled, facts, because: .subjectUncertain)
  }

  /// The caller as it is after it entered namespaces. Entering others than a user namespace leaves capabilities alone;
  /// entering a user namespace shows, since no way leads back into the initial one.
  private func fillAfterward(_ facts: Facts, _ state: ProcessState) {
    var known = state.known.intersection([.subjectExecutable, .subjectControlGroup])
    if state.subject.userNamespaceInitial {
      known.insert(.subjectCapabilities)
      if Self.leavesMountNamespace(facts) {
        known.insert(.subjectNamespaces)
        facts.subject.identity = .certain
      }
    }
    copy(known, of: state, into: facts)
    giveUp(Self.settled, facts, because: .subjectUncertain)
  }

  /// The call is known to have left the mount namespace alone.
  private static func leavesMountNamespace(_ facts: Facts) -> Bool {
    facts.present.contains(.callNamespaces) && !facts.call.namespaces.contains { $0.elementsEqual("mount".utf8) }
  }

  /// Nothing is known but the record: the path that it shows, which nobody has verified.
  private func fillFromRecord(_ facts: Facts, isLiving: Bool) {
    let failure: Failure = isLiving ? .subjectUncertain : .subjectVanished
    if facts.present.contains(.subjectStatus), !facts.subject.executable.isEmpty {
      facts.subject.executableVerified = false
      facts.subject.executableIdentity = FileIdentity()
      facts.markPresent(.subjectExecutable)
    }
    giveUp([.subjectExecutable, .subjectControlGroup], facts, because: failure)
    giveUp(Self.settled, facts, because: .subjectUncertain)
  }

  /// Marks those that are missing still; none is no failure.
  private func giveUp(_ groups: FactSet, _ facts: Facts, because failure: Failure) {
    let missing = facts.missing(of: groups)
    if !missing.isEmpty { facts.markFailed(missing, because: failure) }
  }

  private func copy(_ groups: FactSet, of state: ProcessState, into facts: Facts) {
    let groups = facts.missing(of: groups)
    if groups.contains(.subjectCapabilities) {
      facts.subject.groups = state.subject.groups
      facts.subject.effectiveCapabilities = state.subject.effectiveCapabilities
      facts.subject.permittedCapabilities = state.subject.permittedCapabilities
    }
    if groups.contains(.subjectNamespaces) {
      facts.subject.userNamespaceInitial = state.subject.userNamespaceInitial
      facts.subject.mountNamespaceInitial = state.subject.mountNamespaceInitial
    }
    if groups.contains(.subjectExecutable) {
      // The path is the record's own, which the state bears out.
      facts.subject.executableVerified = state.subject.executableVerified
      facts.subject.executableIdentity = state.subject.executableIdentity
    }
    if groups.contains(.subjectControlGroup) {
      facts.subject.controlGroup = state.subject.controlGroup
      facts.subject.unit = state.subject.unit
    }
    facts.markPresent(groups)
  }

  // MARK: Others

  /// The parent that the record names, if the number is still its own.
  private func fetchParent(_ facts: Facts) {
    guard facts.present.contains(.subjectStatus),
      let verified = readProgram(of: facts.subject.parent, facts.call, into: &facts.subject.parentExecutable)
    else { return facts.markFailed(.subjectParent, because: .subjectUncertain) }
    facts.subject.parentExecutableVerified = verified
    facts.markPresent(.subjectParent)
  }

  private func fetchTarget(_ facts: Facts) {
    guard facts.present.contains(.targetStatus),
      let verified = readProgram(of: facts.target.pid, facts.call, into: &facts.target.executable)
    else { return facts.markFailed(.targetExecutable, because: .targetUnreadable) }
    facts.target.executableVerified = verified
    facts.markPresent(.targetExecutable)
  }

  /// The program of another process of the time of the call, and whether its path may be believed; nil where that is
  /// gone. Who is there before and after the reading was there for it.
  private func readProgram(of pid: Int32, _ call: CallFacts, into path: inout [UInt8]) -> Bool? {
    guard pid > 0, let moment = CallMoment(call), wasThere(pid, at: moment),
      let verified = try? reading.readProgram(of: pid, into: &path), wasThere(pid, at: moment)
    else { return nil }
    return verified
  }

  /// Whether who has the number now had it when the call was made, as far as clock ticks tell.
  private func wasThere(_ pid: Int32, at moment: CallMoment) -> Bool {
    guard let start = reading.startTime(of: pid) else { return false }
    return CallMoment.nanoseconds(ofTicks: start) <= moment.latest
  }
}
