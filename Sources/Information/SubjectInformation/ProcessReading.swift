// Owns the one way in which facts about a process are read from /proc/PID.
// It must not keep what it read, and must not decide whether that is about the right process.

internal import AccessModel
internal import ProcFS
internal import SystemCalls

/// One thread's reader. Each method fills the fields of one group; false where the kernel's text is not understood.
@safe final class ProcessReading {
  let namespaces: InitialNamespaces
  private let buffer: UnsafeMutableRawBufferPointer
  private var status = ProcessStatus()
  private let executables: ExecutablePath
  /// A process with many groups has a long status file: 65,536 groups of up to 11 bytes each are cut, and then the
  /// capabilities behind them are not found, which fails closed.
  private static let capacity = 65536

  /// `cachedOnly` for a thread that must not wait for a file server: paths are confirmed from memory or not at all.
  init(namespaces: InitialNamespaces, cachedOnly: Bool) {
    executables = ExecutablePath(cachedOnly: cachedOnly)
    unsafe buffer = .allocate(byteCount: Self.capacity, alignment: 8)
    self.namespaces = namespaces
  }

  deinit { unsafe buffer.deallocate() }

  private func text(_ file: ProcessFile, _ pid: Int32) throws(Errno) -> UnsafeRawBufferPointer {
    let count = try unsafe file.read(pid: pid, into: buffer)
    return unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
  }

  /// Of the groups `subjectStatus` and `subjectCapabilities`, which one file tells, those that are asked for.
  func readStatus(_ pid: Int32, _ groups: FactSet, into subject: inout SubjectFacts) throws(Errno) -> Bool {
    guard try unsafe status.read(text(.status, pid)) else { return false }
    if groups.contains(.subjectStatus) {
      subject.parent = status.parent
      subject.uid = status.uids.real
      subject.euid = status.uids.effective
      subject.gid = status.gids.real
      subject.egid = status.gids.effective
      subject.comm.removeAll(keepingCapacity: true)
      subject.comm.append(contentsOf: status.name)
    }
    if groups.contains(.subjectCapabilities) {
      subject.groups.removeAll(keepingCapacity: true)
      subject.groups.append(contentsOf: status.groups)
      subject.effectiveCapabilities = CapabilitySet(bits: status.effective)
      subject.permittedCapabilities = CapabilitySet(bits: status.permitted)
    }
    return true
  }

  func readStat(_ pid: Int32, into subject: inout SubjectFacts) throws(Errno) -> Bool {
    guard let stat = try unsafe ProcessStat(text(.stat, pid)) else { return false }
    subject.startTime = stat.startTime
    TerminalName.write(stat.terminalDevice.major, stat.terminalDevice.minor, into: &subject.terminal)
    return true
  }

  /// When the process that has this number now began, in clock ticks since boot; nil where there is none.
  func startTime(of pid: Int32) -> UInt64? {
    guard let text = try? unsafe text(.stat, pid) else { return nil }
    return unsafe ProcessStat(text)?.startTime
  }

  func readLogin(_ pid: Int32, into subject: inout SubjectFacts) throws(Errno) -> Bool {
    // A kernel without audit has neither file: then nobody logged in.
    subject.auditUID = try number(.loginuid, pid)
    subject.auditSession = try number(.sessionid, pid)
    return true
  }

  private func number(_ file: ProcessFile, _ pid: Int32) throws(Errno) -> UInt32 {
    do { return try unsafe ProcessNumber.read(text(file, pid)) ?? .max } catch {
      if error == .noEntry, namespaces.kernelHasNoAudit { return .max }
      throw error
    }
  }

  func readNamespaces(_ pid: Int32, into subject: inout SubjectFacts) throws(Errno) -> Bool {
    subject.userNamespaceInitial = try isInInitialUserNamespace(pid)
    subject.mountNamespaceInitial = try ProcessFile.mountNamespace.status(pid: pid).inode == namespaces.mount
    return true
  }

  private func isInInitialUserNamespace(_ pid: Int32) throws(Errno) -> Bool {
    try ProcessFile.userNamespace.status(pid: pid).inode == namespaces.user
  }

  /// `isInitial` tells whether its user namespace is the initial one, where that is known already.
  func readExecutable(
    _ pid: Int32, isInitial: Bool? = nil, into subject: inout SubjectFacts
  ) throws(Errno) -> Bool {
    let status = try ProcessFile.exe.status(pid: pid)
    subject.executableIdentity = FileIdentity(status)
    let confirmed = try executables.read(pid, status, into: &subject.executable)
    // In a user namespace of its own a process may name any program as the one that it runs (prctl(2), PR_SET_MM_MAP).
    let isOwn = if let isInitial { !isInitial } else { try !isInInitialUserNamespace(pid) }
    subject.executableVerified = confirmed && !isOwn
    return true
  }

  /// The program that another process runs; true where the path may be believed.
  func readProgram(of pid: Int32, into path: inout [UInt8]) throws(Errno) -> Bool {
    try executables.read(pid, ProcessFile.exe.status(pid: pid), into: &path)
  }

  func readControlGroup(_ pid: Int32, into subject: inout SubjectFacts) throws(Errno) -> Bool {
    let text = try unsafe text(.cgroup, pid)
    guard let path = unsafe ControlGroup.path(in: text) else { return false }
    unsafe subject.controlGroup.replace(with: path)
    unsafe subject.unit.replace(with: ControlGroup.unit(in: path))
    return true
  }

  /// The process's command line, as long as the buffer has room. `areCut` tells that it may be longer.
  func withArguments<Result>(
    of pid: Int32, _ body: (_ text: UnsafeRawBufferPointer, _ areCut: Bool) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    let text = try unsafe text(.cmdline, pid)
    return try unsafe body(text, text.count == Self.capacity)
  }

  /// The inode number of the process's folder. The kernel makes a new folder for whoever gets the number next, so two
  /// equal ones enclose readings of one process; it may make a new one for the same process too.
  func folder(of pid: Int32) throws(Errno) -> UInt64 { try ProcessFile.folder.status(pid: pid).inode }

  /// The file that the process runs now.
  func program(of pid: Int32) -> FileIdentity? {
    (try? ProcessFile.exe.status(pid: pid)).map { FileIdentity($0) }
  }
}

extension FileIdentity {
  init(_ status: FileStatus) {
    self.init(device: DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor), inode: status.inode)
  }
}
