// Holds that what is contained ends, and that nobody else does; on children, in mount namespaces of their own.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import AuditNetlink
@testable import AuditResponse
@testable import ProcFS

@Suite("Containment")
struct ContainmentTests {
  private func record(_ pid: Int32, _ call: KnownCall = .ptrace) throws -> CallRecord {
    try RecordText(call: call, arguments: [1, 2, 3, 0], pid: pid, time: Clock.realtime()).record()
  }

  private func answer(
    _ record: CallRecord, _ mount: MountFinding? = nil, in namespace: Int32 = -1, by caller: borrowing Caller?
  ) -> Answered { Containment.answer(record, mount, in: namespace, caller) }

  private func finding(_ entry: MountEntry, isInitial: Bool = false, isNew: Bool = true) throws -> MountFinding {
    let record = try RecordText(call: .mount).naming(["\"\(text(entry.mountPoint))\""]).record()
    var found = try #require(
      MountFinding(
        record,
        MountLedger.Difference(
          namespace: 1, isInitial: isInitial, added: [entry], removed: [], table: [entry], firstSeen: [:],
          isFirstLook: false)))
    found.isNew = isNew
    return found
  }

  // MARK: - Processes

  @Test func theCallerEnds() throws {
    let child = try Helper()
    let record = try record(child.pid)
    let done = answer(record, by: Caller(pid: child.pid, at: record.event.time))
    #expect(done == .done(.contained))
    #expect(child.endingSignal() == SIGKILL)
  }

  /// The whole way of a request: allowed it does nothing, denied it ends the caller, unless the call had failed.
  @Test func onlyADenialOfWhatHappenedEndsAnybody() throws {
    let child = try Helper()
    let facts = Facts()
    func answer(_ verdict: Verdict, _ success: String) throws -> Answered {
      let record = try RecordText(
        call: .ptrace, arguments: [16], success: success, pid: child.pid, time: Clock.realtime()
      ).record()
      let request = CallRequest(
        record, mechanism: .ptrace, received: 0, caller: Caller(pid: child.pid, at: record.event.time), mount: nil,
        namespaces: nil)
      request.describe(into: facts)
      return request.answer(verdict, facts) { false }
    }
    #expect(try answer(.allow, "yes") == .done(.logged) && child.run("echo still here") == "still here")
    #expect(try answer(.allow, "no") == .done(.logged) && answer(.deny, "no") == .done(.logged))
    #expect(facts.present.contains(.subjectStat) && facts.subject.startTime > 0)
    #expect(try child.run("echo still here") == "still here")
    #expect(try answer(.deny, "yes") == .done(.contained))
    #expect(child.endingSignal() == SIGKILL)
  }

  /// Without a caller nothing can be killed, whatever a defect would do with the number.
  @Test func thoseWithoutAnEqualAreProtected() throws {
    #expect(answer(try record(1), by: nil) == .notContained(.protectedProcess))
    #expect(answer(try record(ProcessSetup.processID), by: nil) == .notContained(.protectedProcess))
  }

  /// Kernel threads cannot be ended anyway; they are never tried.
  @Test func kernelThreadsAreProtected() throws {
    let record = try record(2)
    let isOneFound =
      switch Caller(pid: 2, at: record.event.time) {
      case nil: false
      case .some(let caller): caller.isKernelThread
      }
    try #require(isOneFound, "process 2 is the parent of the kernel's threads")
    #expect(answer(record, by: Caller(pid: 2, at: record.event.time)) == .notContained(.protectedProcess))
  }

  @Test func whoIsNotProvenIsNotEnded() throws {
    let child = try Helper()
    #expect(answer(try record(child.pid), by: nil) == .notContained(.identityUncertain))
    #expect(try child.run("echo still here") == "still here")
    let gone = try ChildProcess.start("/bin/true", ["true"])
    ChildProcess.end(gone)
    #expect(answer(try record(gone), by: nil) == .notContained(.processGone))
  }

  @Test func whoEndedMeanwhileIsGone() throws {
    let pid = try ChildProcess.start("/bin/sleep", ["sleep", "60"])
    let record = try record(pid)
    let caller = Caller(pid: pid, at: record.event.time)
    ChildProcess.end(pid)
    #expect(answer(record, by: caller) == .notContained(.processGone))
  }

  // MARK: - Mounts

  /// A shell in a namespace of its own, with a tmpfs that it has mounted.
  private func mounted() throws -> (child: Helper, entry: MountEntry) {
    let child = try Helper(unshare: ["-m", "--propagation", "private"])
    try child.run(
      "cd $(mktemp -d /tmp/lilium-contain-XXXXXX) && mount -t tmpfs own . && cd . && mkdir m && mount -t tmpfs new m")
    return (child, try #require(Self.entry("new", child.pid)))
  }

  private func namespace(of child: Helper) throws -> Descriptor { try Descriptor.open("/proc/\(child.pid)/ns/mnt", 0) }

  private static func entry(_ source: String, _ pid: Int32) -> MountEntry? {
    (try? MountInfo.read(pid: pid))?.last { text($0.source) == source }
  }

  private func cleanUp(_ child: Helper) throws { try child.run(#"d=$PWD; cd /; umount -l "$d"; rmdir "$d""#) }

  /// The one who mounted may be gone: his mount is still taken away.
  @Test func aNewMountIsTakenAway() throws {
    let (child, entry) = try mounted()
    let namespace = try namespace(of: child)
    defer { try? cleanUp(child) }
    let gone = try ChildProcess.start("/bin/true", ["true"])
    ChildProcess.end(gone)
    let mount = try finding(entry)
    #expect(answer(try record(gone, .mount), mount, in: namespace.rawValue, by: nil) == .done(.contained))
    #expect(Self.entry("new", child.pid) == nil && Self.entry("own", child.pid) != nil)
    #expect(answer(try record(gone, .mount), mount, in: namespace.rawValue, by: nil) == .notContained(.mountChanged))
  }

  @Test func callerAndMountBothGo() throws {
    let (child, entry) = try mounted()
    let namespace = try namespace(of: child)
    let folder = PathBytes(entry.mountPoint).folder
    defer { _ = folder.withPointer { rmdir($0) } }
    let record = try record(child.pid, .mount)
    let done = answer(
      record, try finding(entry), in: namespace.rawValue, by: Caller(pid: child.pid, at: record.event.time))
    #expect(done == .done(.contained) && child.endingSignal() == SIGKILL)
    // Its namespace lives on in the descriptor alone.
    let refused = #expect(throws: UnmountFailure.self) {
      try MountControl.detach(
        PathBytes(entry.mountPoint), id: entry.id, mountNamespace: namespace.rawValue)
    }
    #expect(refused == .changed)
  }

  /// Pid 1 mounts for everybody: nothing of its is touched.
  @Test func mountsOfProtectedProcessesStay() throws {
    let (child, entry) = try mounted()
    let namespace = try namespace(of: child)
    defer { try? cleanUp(child) }
    for pid in [1, ProcessSetup.processID] {
      let done = answer(try record(pid, .mount), try finding(entry), in: namespace.rawValue, by: nil)
      #expect(done == .notContained(.protectedProcess))
      #expect(Self.entry("new", child.pid) != nil)
    }
  }

  @Test func anotherMountAtThePlaceStays() throws {
    let (child, entry) = try mounted()
    let namespace = try namespace(of: child)
    defer { try? cleanUp(child) }
    try child.run("mount -t tmpfs upon m")
    let gone = try ChildProcess.start("/bin/true", ["true"])
    ChildProcess.end(gone)
    let done = answer(try record(gone, .mount), try finding(entry), in: namespace.rawValue, by: nil)
    #expect(done == .notContained(.mountChanged))
    #expect(Self.entry("upon", child.pid) != nil && Self.entry("new", child.pid) != nil)
  }

  /// Without its namespace a path would name another mount, in this one.
  @Test func aMountOfAnUnknownNamespaceStays() throws {
    let (child, entry) = try mounted()
    defer { try? cleanUp(child) }
    #expect(answer(try record(child.pid, .mount), try finding(entry), by: nil) == .notContained(.mountChanged))
    #expect(Self.entry("new", child.pid) != nil)
  }

  @Test func aChangeOfAMountUndoesNothing() throws {
    let (child, entry) = try mounted()
    let namespace = try namespace(of: child)
    defer { try? cleanUp(child) }
    let done = answer(
      try record(child.pid, .mount), try finding(entry, isNew: false), in: namespace.rawValue, by: nil)
    #expect(done == .notContained(.identityUncertain) && Self.entry("new", child.pid) != nil)
  }
}
