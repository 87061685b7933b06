// Owns fetching facts about the subject of a request from /proc/PID, fresh for every request (design: PIP).
// It must not cache a credential, and it must not decide.

public import AccessModel
internal import ProcFS
internal import SystemCalls

/// One thread's subject information point.
@safe public final class SubjectInformation: InformationPoint {
  private let buffer: UnsafeMutableRawBufferPointer
  private var status = ProcessStatus()
  private let programs: ProgramClassifier
  private let executables: ExecutablePath
  private let namespaces: InitialNamespaces
  /// A process with many groups has a long status file: 65,536 groups of up to 11 bytes each are cut, and then the
  /// capabilities behind them are not found, which fails closed.
  private static let capacity = 65536

  public init(interpreters: InterpreterTable, namespaces: InitialNamespaces, room: any WaitingRoom) {
    unsafe buffer = .allocate(byteCount: Self.capacity, alignment: 8)
    programs = ProgramClassifier(interpreters: interpreters, room: room)
    executables = ExecutablePath()
    self.namespaces = namespaces
  }

  deinit { unsafe buffer.deallocate() }

  public func fetch(_ wanted: FactSet, into facts: Facts) {
    let missing = facts.missing(of: wanted.intersection(.subject))
    if missing.isEmpty { return }
    attempt(.subjectStatus, missing, facts, fetchStatus)
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
    guard missing.contains(group) else { return }
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

  private func text(_ file: ProcessFile, _ pid: Int32) throws(Errno) -> UnsafeRawBufferPointer {
    let count = try unsafe file.read(pid: pid, into: buffer)
    return unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
  }

  private func fetchStatus(_ facts: Facts) throws(Errno) -> Bool {
    guard try unsafe status.read(text(.status, facts.subject.pid)) else { return false }
    facts.subject.parent = status.parent
    facts.subject.uid = status.uids.real
    facts.subject.euid = status.uids.effective
    facts.subject.gid = status.gids.real
    facts.subject.egid = status.gids.effective
    facts.subject.groups.removeAll(keepingCapacity: true)
    facts.subject.groups.append(contentsOf: status.groups)
    facts.subject.comm.removeAll(keepingCapacity: true)
    facts.subject.comm.append(contentsOf: status.name)
    facts.subject.effectiveCapabilities = CapabilitySet(bits: status.effective)
    facts.subject.permittedCapabilities = CapabilitySet(bits: status.permitted)
    return true
  }

  private func fetchStat(_ facts: Facts) throws(Errno) -> Bool {
    guard let stat = try unsafe ProcessStat(text(.stat, facts.subject.pid)) else { return false }
    facts.subject.startTime = stat.startTime
    TerminalName.write(stat.terminalDevice.major, stat.terminalDevice.minor, into: &facts.subject.terminal)
    return true
  }

  private func fetchLogin(_ facts: Facts) throws(Errno) -> Bool {
    // A kernel without audit has neither file: then nobody logged in.
    facts.subject.auditUID = try number(.loginuid, facts.subject.pid)
    facts.subject.auditSession = try number(.sessionid, facts.subject.pid)
    return true
  }

  private func number(_ file: ProcessFile, _ pid: Int32) throws(Errno) -> UInt32 {
    do { return try unsafe ProcessNumber.read(text(file, pid)) ?? .max } catch {
      if error == .noEntry, namespaces.kernelHasNoAudit { return .max }
      throw error
    }
  }

  private func fetchNamespaces(_ facts: Facts) throws(Errno) -> Bool {
    let pid = facts.subject.pid
    facts.subject.userNamespaceInitial = try ProcessFile.userNamespace.status(pid: pid).inode == namespaces.user
    facts.subject.mountNamespaceInitial = try ProcessFile.mountNamespace.status(pid: pid).inode == namespaces.mount
    return true
  }

  private func fetchExecutable(_ facts: Facts) throws(Errno) -> Bool {
    let status = try ProcessFile.exe.status(pid: facts.subject.pid)
    facts.subject.executableIdentity = FileIdentity(status)
    let confirmed = try executables.read(facts.subject.pid, status, into: &facts.subject.executable)
    // In a user namespace of its own a process may name any program as the one that it runs (prctl(2), PR_SET_MM_MAP).
    let namespace = try ProcessFile.userNamespace.status(pid: facts.subject.pid).inode
    facts.subject.executableVerified = confirmed && namespace == namespaces.user
    return true
  }

  private func fetchParent(_ facts: Facts) throws(Errno) -> Bool {
    guard facts.present.contains(.subjectStatus) else { return false }
    let parent = facts.subject.parent
    // Kernel threads and the parent of pid 1 run no file.
    guard parent > 0 else { return false }
    let status = try ProcessFile.exe.status(pid: parent)
    facts.subject.parentExecutableVerified = try executables.read(
      parent, status, into: &facts.subject.parentExecutable)
    return true
  }

  private func fetchControlGroup(_ facts: Facts) throws(Errno) -> Bool {
    let text = try unsafe text(.cgroup, facts.subject.pid)
    guard let path = unsafe ControlGroup.path(in: text) else { return false }
    unsafe facts.subject.controlGroup.replace(with: path)
    unsafe facts.subject.unit.replace(with: ControlGroup.unit(in: path))
    return true
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
        let count = try unsafe ProcessFile.cmdline.read(pid: facts.subject.pid, into: buffer)
        let script = unsafe ScriptQuestion(
          interpreter: interpreter, pid: facts.subject.pid, object: facts.objectHandle,
          arguments: UnsafeRawBufferPointer(rebasing: buffer[..<count]), areCut: count == Self.capacity)
        facts.subject.objectHasModuleSuffix = try script.objectHasModuleSuffix()
        facts.subject.objectNamedByArguments = try script.argumentsNameObject()
        return true
      }
    }
  }
}

extension FileIdentity {
  init(_ status: FileStatus) {
    self.init(device: DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor), inode: status.inode)
  }
}
