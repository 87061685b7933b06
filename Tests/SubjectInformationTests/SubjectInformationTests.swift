// Facts about processes that the test starts: what /proc says of them must be what they are.

import AccessModel
import Glibc
import SubjectInformation
import SystemCalls
import Testing

@Suite struct SubjectInformationTests {
  static func fresh() throws -> SubjectInformation { try information() }

  private let hasAudit = access("/proc/self/loginuid", F_OK) == 0

  @Test func anOrdinaryProcessIsKnownInFull() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let wanted = FactSet.subject.subtracting(.subjectScript)
    let facts = try facts(wanted, of: child.pid)
    #expect(facts.present == wanted)
    let subject = facts.subject
    #expect(subject.parent == getpid() && text(subject.comm) == "sleep")
    #expect(
      subject.uid == getuid() && subject.euid == geteuid() && subject.gid == getgid() && subject.egid == getegid())
    #expect(subject.executableVerified && text(subject.executable).hasSuffix("/sleep"))
    let file = try FileStatus.of(path: text(subject.executable))
    #expect(subject.executableIdentity.inode == file.inode)
    #expect(subject.executableIdentity.device == DeviceNumber(major: file.deviceMajor, minor: file.deviceMinor))
    #expect(try subject.parentExecutable == readLink("/proc/self/exe"))
    #expect(subject.parentExecutableVerified)
    #expect(subject.userNamespaceInitial == (try FileStatus.of(path: "/proc/self/ns/user").inode == 0xEFFF_FFFD))
    #expect(subject.mountNamespaceInitial)
    #expect(subject.startTime > 0 && subject.controlGroup.first == 0x2f)
    #expect(subject.programClass == .ordinary)
  }

  @Test func onlyWhatIsWantedIsFetched() throws {
    let facts = try facts(.subjectStat, of: getpid())
    #expect(facts.present.subtracting(.request) == .subjectStat)
    #expect(facts.subject.comm.isEmpty)
    let nothing = Facts()
    nothing.begin(pid: getpid(), operation: .open)
    try information().fetch(.object, into: nothing)
    #expect(
      nothing.present.subtracting(.request) == [] && nothing.failed == [], "the object is somebody else's business")
  }

  @Test func whatIsKnownIsNotReadAgain() throws {
    let facts = Facts()
    facts.begin(pid: getpid(), operation: .open)
    facts.subject.uid = 4711
    facts.markPresent(.subjectStatus)
    try information().fetch([.subjectStatus, .subjectStat], into: facts)
    #expect(facts.subject.uid == 4711 && facts.present.subtracting(.request) == [.subjectStatus, .subjectStat])
  }

  /// One file tells both groups; what came from elsewhere stays as it is.
  @Test func capabilitiesAreReadWithoutTouchingAKnownStatus() throws {
    let facts = Facts()
    facts.begin(pid: getpid(), operation: .call)
    facts.subject.uid = 4711
    facts.subject.effectiveCapabilities = CapabilitySet(bits: 1 << 63)
    facts.markPresent(.subjectStatus)
    try information().fetch(.subjectCapabilities, into: facts)
    #expect(facts.present.subtracting(.request) == [.subjectStatus, .subjectCapabilities] && facts.subject.uid == 4711)
    #expect(facts.subject.effectiveCapabilities.bits >> 41 == 0, "no kernel has that bit")
  }

  @Test func aNameThatPlaysTricksIsStillAName() throws {
    let folder = Folder()
    try #require(symlink("/usr/bin/sleep", folder.path + "/) R 1\nUid:\t0") == 0)
    let child = try Child([folder.path + "/) R 1\nUid:\t0", "60"])
    let facts = try facts([.subjectStatus, .subjectStat], of: child.pid)
    #expect(text(facts.subject.comm) == ") R 1\nUid:\t0")
    #expect(facts.subject.parent == getpid() && facts.subject.startTime > 100)
  }

  @Test func aProcessInANamespaceOfItsOwnIsTold() throws {
    let child = try Child(["/usr/bin/unshare", "-Um", "/usr/bin/sleep", "60"])
    let own = try FileStatus.of(path: "/proc/self/ns/mnt").inode
    for _ in 0..<2000 where try FileStatus.of(path: "/proc/\(child.pid)/ns/mnt").inode == own {
      Clock.sleep(nanoseconds: 2_000_000)
    }
    let facts = try facts([.subjectNamespaces, .subjectStatus], of: child.pid)
    #expect(!facts.subject.userNamespaceInitial && !facts.subject.mountNamespaceInitial)
    // Its capabilities look full, and count for nothing out here.
    #expect(facts.subject.permittedCapabilities.bits != 0 || facts.subject.effectiveCapabilities.bits == 0)
  }

  @Test func aProgramWhoseFileWasDeletedIsNotVerified() throws {
    let folder = Folder()
    let program = folder.path + "/own"
    let bytes = try Descriptor.open("/usr/bin/sleep", O_RDONLY).readAll(limit: 1 << 24)
    try Descriptor.open(program, O_WRONLY | O_CREAT, mode: 0o755).writeAll(bytes)
    let child = try Child([program, "60"])
    #expect(try facts(.subjectExecutable, of: child.pid).subject.executableVerified)
    try ProcessSetup.removeFile(program)
    let deleted = try facts(.subjectExecutable, of: child.pid).subject
    #expect(!deleted.executableVerified && text(deleted.executable) == program + " (deleted)")
    // Another file under the very name that the link shows now does not make it true.
    try folder.write("own (deleted)", "x")
    #expect(try !facts(.subjectExecutable, of: child.pid).subject.executableVerified)
  }

  @Test func aProcessThatIsGoneIsVanished() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    child.reap()
    let login: FactSet = hasAudit ? [] : .subjectLogin
    let facts = try facts(.subject, of: child.pid)
    #expect(facts.present == login.union(.request))
    #expect(facts.failed == FactSet.subject.subtracting(login).subtracting(.request))
    for group in [FactSet.subjectStatus, .subjectStat, .subjectExecutable, .subjectNamespaces, .subjectProgram] {
      #expect(try SubjectInformationTests.failure(of: group, child.pid) == .subjectVanished)
    }
  }

  private static func failure(of group: FactSet, _ pid: Int32) throws -> Failure? {
    try facts(group, of: pid).failure
  }

  @Test(arguments: [0, -1, .max] as [Int32])
  func aNumberThatIsNoProcessIsVanished(_ pid: Int32) throws {
    let facts = try facts([.subjectStatus, .subjectExecutable], of: pid)
    #expect(
      facts.failed == [.subjectStatus, .subjectCapabilities, .subjectExecutable] && facts.failure == .subjectVanished)
  }

  /// It still has a name and credentials, but runs no program any more.
  @Test func aZombieRunsNoProgram() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    child.kill()
    child.waitUntilDead()
    let wanted: FactSet = [.subjectStatus, .subjectStat, .subjectExecutable, .subjectProgram]
    let facts = try facts(wanted, of: child.pid)
    #expect(facts.present.subtracting(.request) == [.subjectStatus, .subjectCapabilities, .subjectStat])
    #expect(text(facts.subject.comm) == "sleep" && facts.subject.parent == getpid())
    #expect(facts.failure == .subjectVanished)
  }

  @Test func aParentNeedsTheStatus() throws {
    let alone = try facts(.subjectParent, of: getpid())
    #expect(alone.failed == .subjectParent)
    let ofInit = try facts([.subjectStatus, .subjectParent], of: 1)
    #expect(ofInit.present.subtracting(.request) == [.subjectStatus, .subjectCapabilities])
    #expect(ofInit.failed == .subjectParent, "pid 1 has no parent that runs a file")
  }

  @Test func theLoginIsWhatTheKernelShows() throws {
    let facts = try facts(.subjectLogin, of: getpid())
    #expect(facts.present.subtracting(.request) == .subjectLogin)
    guard hasAudit else { return }
    let shown = try Descriptor.open("/proc/self/loginuid", O_RDONLY).readAll(limit: 20)
    #expect(String(facts.subject.auditUID) == text(shown).trimmingPrefix(" ").prefix { $0.isNumber })
  }

  @Test func oneSheetServesManyProcesses() throws {
    let first = try Child(["/usr/bin/sleep", "60"])
    let information = try information()
    let sheet = Facts()
    for pid in [first.pid, getpid(), first.pid] {
      sheet.begin(pid: pid, operation: .open)
      information.fetch([.subjectStatus, .subjectExecutable, .subjectControlGroup], into: sheet)
      #expect(sheet.subject.parent == (pid == first.pid ? getpid() : getppid()))
      #expect(text(sheet.subject.executable).hasSuffix("/sleep") == (pid == first.pid))
    }
  }
}
