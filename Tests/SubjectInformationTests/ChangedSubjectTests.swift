// What a process held when it called, though it or another like it holds something else: before, after, beside it.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import SubjectInformation

@Suite struct ChangedSubjectTests {
  private let processes: ProcessTable
  private let information: CallSubjectInformation
  private static let some = CapabilitySet(bits: 1 << 19)
  private static let none = CapabilitySet()

  init() throws {
    processes = try makeTable()
    information = CallSubjectInformation(processes: processes)
  }

  /// What stands in /proc now, changed and dated back by a second, as if it had been noted then.
  private func earlier(_ pid: Int32, _ change: (inout SubjectFacts) -> Void = { _ in }) throws -> ProcessState {
    var state = try #require(processes.makeReader().readState(pid, .held))
    change(&state.subject)
    state.since -= 1_000_000_000
    return state
  }

  private func fetched(_ record: Facts) -> SubjectFacts {
    information.fetch(.recordOfCall, into: record)
    return record.subject
  }

  // MARK: The same process, before and after

  /// A capability that no process of this host has stands for one that was given up since.
  private static let rare = CapabilitySet(bits: 1 << 63)

  @Test func whatWasGivenUpAfterTheCallWasHeld() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    processes.take(
      try earlier(child.pid) {
        $0.effectiveCapabilities = Self.rare
        $0.permittedCapabilities = Self.rare
      })
    for _ in 0..<2 {
      let caller = fetched(try call(of: child.pid, isLiving: true))
      #expect(caller.identity == .certain && caller.effectiveCapabilities == Self.rare, "also in its next call")
    }
    processes.capabilitiesSet(pid: child.pid, effective: Self.none, permitted: Self.none)
    let caller = fetched(try call(of: child.pid, isLiving: true))
    #expect(caller.identity == .certain && caller.effectiveCapabilities != Self.rare)
  }

  @Test(arguments: [false, true]) func whatWasGivenUpBeforeTheCallWasNotHeld(_ isLiving: Bool) throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    processes.take(
      try earlier(child.pid) {
        $0.effectiveCapabilities = Self.rare
        $0.permittedCapabilities = Self.rare
      })
    let record = try call(of: child.pid, isLiving: isLiving)
    if !isLiving { child.reap() }
    processes.capabilitiesSet(pid: child.pid, effective: Self.none, permitted: Self.none)
    let caller = fetched(record)
    #expect(caller.identity == .certain && caller.effectiveCapabilities != Self.rare)
  }

  /// Raised for one call and lowered again before anybody read the first record.
  @Test func whatWasRaisedForTheCallWasHeld() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    var noted = try earlier(child.pid)
    noted.since -= 60_000_000_000
    processes.take(noted)
    processes.capabilitiesSet(pid: child.pid, effective: Self.rare, permitted: Self.rare)
    #expect(fetched(try call(of: child.pid, isLiving: true)).effectiveCapabilities == Self.rare)
    processes.capabilitiesSet(pid: child.pid, effective: Self.none, permitted: Self.none)
    #expect(fetched(try call(of: child.pid, isLiving: true)).effectiveCapabilities != Self.rare)
  }

  /// Which needs no record, if a program is executed that nobody saw.
  @Test func whatWasGainedIsBelieved() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let now = try facts(.subjectCapabilities, of: child.pid).subject.effectiveCapabilities
    try #require(now != Self.none)
    processes.take(
      try earlier(child.pid) {
        $0.effectiveCapabilities = Self.none
        $0.permittedCapabilities = Self.none
      })
    let caller = fetched(try call(of: child.pid, isLiving: true))
    #expect(caller.identity == .certain && caller.effectiveCapabilities == now)
  }

  @Test func namespacesThatWereEnteredAfterTheCallWereNotItsOwn() throws {
    let child = try Child(["/usr/bin/unshare", "-Ur", "/usr/bin/sleep", "60"])
    wait { (try? readLink("/proc/\(child.pid)/exe")).map { text($0).hasSuffix("/sleep") } ?? false }
    processes.take(
      try earlier(child.pid) {
        $0.userNamespaceInitial = true
        $0.effectiveCapabilities = Self.none
        $0.permittedCapabilities = Self.none
      })
    let before = fetched(try call(of: child.pid, "mount", isLiving: true))
    #expect(before.identity == .certain && before.userNamespaceInitial && before.effectiveCapabilities == Self.none)
    processes.namespacesChanged(pid: child.pid)
    let after = fetched(try call(of: child.pid, "mount", isLiving: true))
    #expect(after.identity == .certain && !after.userNamespaceInitial)
  }

  // MARK: Another process that looks like it

  /// The record of a process that is gone, whose parent as the record says is this one.
  private func orphan() throws -> Facts {
    let record = try call(of: getpid())
    record.subject.pid = 4_100_000
    record.subject.parent = getpid()
    return record
  }

  /// Somebody of this process's ids and program.
  private func lookalike(_ change: (inout SubjectFacts) -> Void) throws -> ProcessState {
    try earlier(getpid()) {
      $0.pid = 4_100_001
      change(&$0)
    }
  }

  private static let differences: [@Sendable (inout SubjectFacts) -> Void] = [
    { $0.effectiveCapabilities = rare }, { $0.permittedCapabilities = rare }, { $0.userNamespaceInitial.toggle() },
    { $0.mountNamespaceInitial.toggle() },
  ]

  @Test(arguments: 0..<4) func nothingIsInheritedWhereALookalikeHoldsSomethingElse(_ difference: Int) throws {
    processes.take(try earlier(getpid()))
    processes.take(try lookalike { _ in })
    #expect(processes.state(of: try orphan())?.certainty == .inherited)
    processes.take(
      try lookalike {
        $0.pid += 1
        Self.differences[difference](&$0)
      })
    #expect(processes.state(of: try orphan()) == nil)
  }

  @Test func whoLooksDifferentIsNoLookalike() throws {
    processes.take(try earlier(getpid()))
    processes.take(
      try lookalike {
        $0.effectiveCapabilities = Self.rare
        $0.gid = 4711
      })
    processes.take(
      try lookalike {
        $0.pid += 1
        $0.effectiveCapabilities = Self.rare
        $0.executable = Array("/usr/bin/other".utf8)
      })
    #expect(processes.state(of: try orphan())?.certainty == .inherited)
  }

  /// Its children look as it did, and nobody knows how that was.
  @Test func nothingIsInheritedAfterSomebodyChangedAndWasNeverRead() throws {
    processes.take(try earlier(getpid()))
    processes.capabilitiesSet(pid: 4_100_002, effective: Self.none, permitted: Self.none)
    #expect(processes.state(of: try orphan()) == nil)
    let late = try orphan()
    late.call.time += ProcessHistory.keep + 1_000_000_000
    #expect(processes.state(of: late)?.certainty == .inherited, "but not for ever")
  }

  // MARK: A number that may have come round

  @Test func whatAStrangerCouldPassForIsNotProvenByACount() throws {
    let table = try makeTable(round: 1, numbers: 1_000_000)
    let child = try Child(["/usr/bin/sleep", "60"])
    func verdict(uid: UInt32, _ capabilities: CapabilitySet) throws -> IdentityCertainty? {
      var state = try #require(table.makeReader().readState(child.pid, .held))
      state.subject.uid = uid
      state.subject.effectiveCapabilities = capabilities
      table.take(state)
      Clock.sleep(nanoseconds: 60_000_000)
      let record = try call(of: child.pid)
      record.subject.uid = uid
      return table.state(of: record)?.certainty
    }
    #expect(try verdict(uid: 0, Self.some) == .certain, "only root has its ids")
    #expect(try verdict(uid: 4711, Self.none) == .certain, "there is nothing to gain")
    #expect(try verdict(uid: 4711, Self.some) == nil)
  }

  // MARK: Where it lived

  @Test func whereACallerLivedIsToldOnlyIfCertain() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let record = try call(of: child.pid)
    #expect(!processes.livedInInitialMountNamespace(record), "nothing is known")
    processes.note(child.pid, how: .held)
    child.reap()
    #expect(processes.livedInInitialMountNamespace(record))
    processes.take(try earlier(getpid()))
    let inherited = try orphan()
    #expect(processes.state(of: inherited) != nil && !processes.livedInInitialMountNamespace(inherited))
    processes.namespacesChanged(pid: child.pid)
    #expect(!processes.livedInInitialMountNamespace(record), "it was in others, nobody knows which")
  }

  @Test(arguments: [false, true]) func whoLivedElsewhereDidNotLiveThere(_ isUserNamespace: Bool) throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    processes.take(
      try earlier(child.pid) {
        if isUserNamespace { $0.userNamespaceInitial = false } else { $0.mountNamespaceInitial = false }
      })
    #expect(!processes.livedInInitialMountNamespace(try call(of: child.pid)))
  }
}

@Suite struct ExecutablePathTests {
  @Test(arguments: [false, true]) func aRunningProgramIsConfirmedWithOrWithoutWaiting(_ cachedOnly: Bool) throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let status = try FileStatus.of(path: "/proc/\(child.pid)/exe")
    var path: [UInt8] = []
    let paths = ExecutablePath(cachedOnly: cachedOnly)
    #expect(try paths.read(child.pid, status, into: &path) && text(path).hasSuffix("/sleep"))
    let other = try FileStatus.of(path: "/usr/bin/env")
    #expect(try !paths.read(child.pid, other, into: &path), "another file")
  }

  @Test(arguments: [false, true]) func aProgramThatWasMovedAwayIsNotConfirmed(_ cachedOnly: Bool) throws {
    let folder = Folder()
    let program = "\(folder.path)/sleep"
    try folder.write("sleep", "").withCString { _ = unlink($0) }
    try Descriptor.open(program, O_WRONLY | O_CREAT, mode: 0o755)
      .writeAll(Descriptor.open("/usr/bin/sleep", O_RDONLY).readAll(limit: 1 << 24))
    let child = try Child([program, "60"])
    let status = try FileStatus.of(path: "/proc/\(child.pid)/exe")
    var path: [UInt8] = []
    let paths = ExecutablePath(cachedOnly: cachedOnly)
    #expect(try paths.read(child.pid, status, into: &path))
    unlink(program)
    #expect(try !paths.read(child.pid, status, into: &path))
    symlink("/usr/bin/sleep", program)
    #expect(try !paths.read(child.pid, status, into: &path), "a link is no program")
  }

  /// A plain look would tell that it does not exist, for which the file system has to be asked.
  @Test func whatIsNotInMemoryIsNotAskedFor() throws {
    let folder = Folder()
    var failed: Errno?
    do throws(Errno) { _ = try Descriptor.nameCached("\(folder.path)/nobody-asked-for-it").rawValue } catch {
      failed = error
    }
    #expect([.again, .invalid, .noSystemCall].contains(failed))
  }
}
