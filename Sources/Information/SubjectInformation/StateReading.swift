// Owns reading all that is kept of a process at once, so that it is surely about one process and one program.
// It must not keep it.

internal import AccessModel
internal import ProcFS
internal import SystemCalls

extension ProcessReading {
  /// Nil where the process is gone, ended or was replaced meanwhile, runs no program, or could not be read.
  ///
  /// The order counts. Capabilities before the user namespace: a process that enters a namespace of its own gets them
  /// all, and must not show them beside the namespace that it left. The folder first and last: a number that goes to
  /// another process meanwhile shows two.
  func readState(_ pid: Int32, _ sighting: Sighting) -> ProcessState? {
    var subject = SubjectFacts()
    subject.pid = pid
    do throws(Errno) {
      let folder = try folder(of: pid)
      let program = sighting == .scanned ? program(of: pid) : nil
      guard try readStat(pid, into: &subject),
        try readStatus(pid, [.subjectStatus, .subjectCapabilities], into: &subject),
        try readNamespaces(pid, into: &subject),
        try readExecutable(pid, isInitial: subject.userNamespaceInitial, into: &subject)
      else { return nil }
      // A process that runs on may execute another program in between: then this is half of one and half of the other.
      if sighting == .scanned, program != subject.executableIdentity { return nil }
      let hasGroup = (try? readControlGroup(pid, into: &subject)) ?? false
      guard try self.folder(of: pid) == folder else { return nil }
      let known = hasGroup ? ProcessState.least.union(.subjectControlGroup) : ProcessState.least
      return ProcessState(subject, known: known, at: Clock.sinceBoot())
    } catch {
      return nil
    }
  }
}
