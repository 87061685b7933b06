// Owns fetching facts about the subject of a request from /proc/PID, fresh for every request (design: PIP).
// It must not cache a credential, and it must not decide.

public import AccessModel
internal import SystemCalls

/// One thread's subject information point.
public final class SubjectInformation: InformationPoint {
  private let reading: ProcessReading
  private let programs: ProgramClassifier
  private static let ofStatusFile: FactSet = [.subjectStatus, .subjectCapabilities]

  public init(interpreters: InterpreterTable, namespaces: InitialNamespaces, room: any WaitingRoom) {
    programs = ProgramClassifier(interpreters: interpreters, room: room)
    // These threads are many, and one that waits has a deadline.
    reading = ProcessReading(namespaces: namespaces, cachedOnly: false)
  }

  public func fetch(_ wanted: FactSet, into facts: Facts) {
    let missing = facts.missing(of: wanted.intersection(.subject))
    if missing.isEmpty { return }
    // One file tells both groups: one read fills both, and leaves alone what is known from elsewhere.
    if !missing.isDisjoint(with: Self.ofStatusFile) {
      attempt(facts.missing(of: Self.ofStatusFile), facts, fetchStatus)
    }
    attempt(.subjectStat, missing, facts, fetchStat)
    attempt(.subjectLogin, missing, facts, fetchLogin)
    attempt(.subjectNamespaces, missing, facts, fetchNamespaces)
    attempt(.subjectExecutable, missing, facts, fetchExecutable)
    attempt(.subjectParent, missing, facts, fetchParent)
    attempt(.subjectControlGroup, missing, facts, fetchControlGroup)
    if missing.contains(.subjectProgram) || missing.contains(.subjectScript) {
      fetchProgram(missing, facts)
    }
  }

  /// Fetches one group if it is wanted, and marks what became of it.
  private func attempt(
    _ group: FactSet, _ missing: FactSet, _ facts: Facts, _ fetch: (Facts) throws(Errno) -> Bool
  ) {
    if missing.contains(group) { attempt(group, facts, fetch) }
  }

  private func attempt(_ group: FactSet, _ facts: Facts, _ fetch: (Facts) throws(Errno) -> Bool) {
    do {
      if try fetch(facts) { facts.markPresent(group) } else { facts.markFailed(group, because: .subjectUnreadable) }
    } catch {
      facts.markFailed(group, because: Self.failure(error))
    }
  }

  static func failure(_ error: Errno) -> Failure {
    switch error {
    case .noEntry, .noProcess: .subjectVanished
    case .tooManyFiles, .systemTooManyFiles: .outOfDescriptors
    default: .subjectUnreadable
    }
  }

  private func fetchStatus(_ facts: Facts) throws(Errno) -> Bool {
    try reading.readStatus(facts.subject.pid, facts.missing(of: Self.ofStatusFile), into: &facts.subject)
  }

  private func fetchStat(_ facts: Facts) throws(Errno) -> Bool {
    try reading.readStat(facts.subject.pid, into: &facts.subject)
  }

  private func fetchLogin(_ facts: Facts) throws(Errno) -> Bool {
    try reading.readLogin(facts.subject.pid, into: &facts.subject)
  }

  private func fetchNamespaces(_ facts: Facts) throws(Errno) -> Bool {
    try reading.readNamespaces(facts.subject.pid, into: &facts.subject)
  }

  private func fetchExecutable(_ facts: Facts) throws(Errno) -> Bool {
    try reading.readExecutable(facts.subject.pid, into: &facts.subject)
  }

  private func fetchParent(_ facts: Facts) throws(Errno) -> Bool {
    guard facts.present.contains(.subjectStatus) else { return false }
    // Kernel threads and the parent of pid 1 run no file.
    guard facts.subject.parent > 0 else { return false }
    facts.subject.parentExecutableVerified = try reading.readProgram(
      of: facts.subject.parent, into: &facts.subject.parentExecutable)
    return true
  }

  private func fetchControlGroup(_ facts: Facts) throws(Errno) -> Bool {
    try reading.readControlGroup(facts.subject.pid, into: &facts.subject)
  }

  private func fetchProgram(_ missing: FactSet, _ facts: Facts) {
    switch programs.classify(facts.subject.pid) {
    case .failure(let failure):
      facts.markFailed(missing.intersection([.subjectProgram, .subjectScript]), because: failure.failure)
    case .success(let program):
      facts.subject.programClass = program.programClass
      facts.markPresent(.subjectProgram)
      guard missing.contains(.subjectScript) else { return }
      attempt(.subjectScript, missing, facts) { facts throws(Errno) in
        guard let interpreter = program.interpreter else { return false }
        return try unsafe reading.withArguments(of: facts.subject.pid) { text, areCut throws(Errno) in
          let script = unsafe ScriptQuestion(
            interpreter: interpreter, pid: facts.subject.pid, object: facts.objectHandle, arguments: text,
            areCut: areCut)
          facts.subject.objectHasModuleSuffix = try script.objectHasModuleSuffix()
          facts.subject.objectNamedByArguments = try script.argumentsNameObject()
          return true
        }
      }
    }
  }
}
