// The caller of a call: living, gone, changed since, or in other namespaces than before.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import SubjectInformation

@Suite struct CallSubjectTests {
  private let processes: ProcessTable
  private let information: CallSubjectInformation
  private static let wanted = FactSet.recordOfCall

  init() throws {
    processes = try makeTable()
    information = CallSubjectInformation(processes: processes)
  }

  private func fetch(_ facts: Facts, _ wanted: FactSet = wanted) {
    information.fetch(wanted, into: facts)
    #expect(facts.missing(of: wanted) == [] && facts.present.isDisjoint(with: facts.failed))
  }

  private let all: FactSet = [.subjectCapabilities, .subjectNamespaces, .subjectExecutable, .subjectControlGroup]

  @Test func aLivingCallerIsReadAndRemembered() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let record = try call(of: child.pid, isLiving: true)
    fetch(record)
    #expect(record.subject.identity == .certain && record.present.isSuperset(of: all.union(.subjectStat)))
    #expect(record.subject.userNamespaceInitial && record.subject.executableVerified)
    let own = try facts(.subjectCapabilities, of: getpid()).subject
    #expect(record.subject.effectiveCapabilities == own.effectiveCapabilities && record.subject.groups == own.groups)
    #expect(record.failure == .targetUnreadable, "no other process is traced")
    let late = try call(of: child.pid)
    child.reap()
    fetch(late)
    #expect(late.subject.identity == .certain && late.present.isSuperset(of: all))
    #expect(late.failed.contains(.subjectStat), "nobody proved when it began")
  }

  @Test func oneFetchSettlesAll() throws {
    let record = try call(of: getpid(), isLiving: true)
    fetch(record, .subjectNamespaces)
    #expect(record.present.isSuperset(of: all))
    let before = record.present
    record.subject.uid = 4711
    fetch(record, .subjectCapabilities)
    #expect(record.present == before && record.subject.identity == .certain)
  }

  @Test func aCallerOfWhomNothingIsKnownIsUncertain() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let record = try call(of: child.pid)
    child.reap()
    fetch(record)
    #expect(record.subject.identity == .uncertain && record.failure == .subjectUncertain)
    #expect(record.failed.isSuperset(of: [.subjectCapabilities, .subjectNamespaces, .subjectControlGroup]))
    #expect(record.present.contains(.subjectExecutable) && !record.subject.executableVerified)
    #expect(text(record.subject.executable).hasSuffix("/sleep") && record.subject.executableIdentity.inode == 0)
  }

  @Test func withoutEvenAPathTheProgramIsVanished() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let record = try call(of: child.pid)
    child.reap()
    record.subject.executable = []
    fetch(record)
    #expect(record.failed.isSuperset(of: all) && record.subject.identity == .uncertain)
  }

  @Test func aLivingCallerThatChangedIsNotBelieved() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    for change in [{ $0.euid = 4711 }, { $0.executable = Array("/usr/bin/su".utf8) }] as [(inout SubjectFacts) -> Void]
    {
      let record = try call(of: child.pid, isLiving: true)
      change(&record.subject)
      fetch(record)
      #expect(record.subject.identity == .uncertain && record.failed.contains(.subjectCapabilities))
    }
    let other = try call(of: child.pid, isLiving: true)
    other.subject.startTime += 1
    fetch(other)
    #expect(other.subject.identity == .uncertain, "its number is another's by now")
    #expect(processes.count == 0)
  }

  /// What the table knew before still counts when the process has gone on to something else.
  @Test func aLivingCallerThatChangedIsKnownFromBefore() throws {
    let child = try Child(["/bin/sh", "-c", "kill -STOP $$; exec sleep 60"])
    wait { (try? facts(.subjectStat, of: child.pid)) != nil && isStopped(child.pid) }
    processes.note(child.pid, how: .held)
    Clock.sleep(nanoseconds: 30_000_000)
    let record = try call(of: child.pid, isLiving: true)
    Clock.sleep(nanoseconds: 30_000_000)
    kill(child.pid, SIGCONT)
    wait { (try? readLink("/proc/\(child.pid)/exe")).map { text($0).hasSuffix("/sleep") } ?? false }
    processes.note(child.pid, how: .held)
    fetch(record)
    #expect(record.subject.identity == .certain && record.present.isSuperset(of: all))
    #expect(record.subject.executableVerified && !text(record.subject.executable).hasSuffix("/sleep"))
  }

  private func isStopped(_ pid: Int32) -> Bool {
    let text = try? Descriptor.open("/proc/\(pid)/status", O_RDONLY).readAll(limit: 4096)
    return text.map { String(decoding: $0, as: UTF8.self).contains("State:\tT") } ?? false
  }

  // MARK: Entering namespaces

  /// A process in a user namespace of its own that runs sleep(1).
  private func unshared() throws -> Child {
    let child = try Child(["/usr/bin/unshare", "-Ur", "/usr/bin/sleep", "60"])
    wait { (try? readLink("/proc/\(child.pid)/exe")).map { text($0).hasSuffix("/sleep") } ?? false }
    return child
  }

  @Test(arguments: ["unshare", "setns"])
  func whatWasBeforeCannotBeSeenAfterward(_ name: String) throws {
    let child = try unshared()
    let record = try call(of: child.pid, name, isLiving: true)
    fetch(record)
    #expect(record.subject.identity == .uncertain && record.failure == .subjectUncertain)
    #expect(record.failed.isSuperset(of: [.subjectCapabilities, .subjectNamespaces]))
    #expect(record.present.isSuperset(of: [.subjectExecutable, .subjectControlGroup]))
    #expect(processes.count == 0)
  }

  @Test func whatWasNotedBeforeTellsWhatWasBefore() throws {
    let child = try unshared()
    var before = try #require(processes.makeReader().readState(child.pid, .held))
    before.subject.userNamespaceInitial = true
    before.subject.effectiveCapabilities = CapabilitySet()
    processes.take(before)
    let record = try call(of: child.pid, "unshare", isLiving: true)
    fetch(record)
    #expect(record.subject.identity == .certain && record.subject.userNamespaceInitial)
    #expect(record.subject.effectiveCapabilities.bits == 0)
  }

  @Test func afterwardInTheInitialUserNamespaceCapabilitiesAreStillIts() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let mount = try call(of: child.pid, "unshare", isLiving: true)
    mount.call.namespaces = [Array("mount".utf8)]
    mount.markPresent(.callNamespaces)
    fetch(mount)
    #expect(mount.present.contains(.subjectCapabilities) && mount.failed.contains(.subjectNamespaces))
    #expect(mount.subject.identity == .uncertain)
    let network = try call(of: child.pid, "unshare", isLiving: true)
    network.call.namespaces = [Array("net".utf8)]
    network.markPresent(.callNamespaces)
    fetch(network)
    #expect(network.present.isSuperset(of: all) && network.subject.identity == .certain)
    let refused = try call(of: child.pid, "unshare", isLiving: true)
    refused.call.succeeded = false
    fetch(refused)
    #expect(refused.present.isSuperset(of: all) && refused.subject.identity == .certain, "nothing has changed")
  }

  @Test func aLivingCallerInANamespaceOfItsOwnHoldsNothing() throws {
    let child = try unshared()
    let record = try call(of: child.pid, "mount", isLiving: true)
    fetch(record)
    #expect(record.subject.identity == .certain && !record.subject.userNamespaceInitial)
    #expect(!record.subject.executableVerified)
  }

  @Test func aForkThatIsGoneInheritsAllButTheControlGroup() throws {
    processes.note(getpid(), how: .held)
    let record = try call(of: getpid())
    record.subject.pid = 4_100_000
    record.subject.parent = getpid()
    fetch(record)
    #expect(record.subject.identity == .inherited)
    #expect(record.present.isSuperset(of: all.subtracting(.subjectControlGroup)))
    #expect(record.failed.contains(.subjectControlGroup))
  }

  // MARK: Other processes

  @Test func theParentIsReadIfItWasThere() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let record = try call(of: child.pid)
    fetch(record, .subjectParent)
    #expect(
      try record.present.contains(.subjectParent) && record.subject.parentExecutable == readLink("/proc/self/exe"))
    #expect(record.subject.parentExecutableVerified)
    let younger = try call(of: getpid(), at: Clock.realtime() - 3_600_000_000_000)
    younger.subject.parent = child.pid
    fetch(younger, .subjectParent)
    #expect(younger.failed.contains(.subjectParent), "who has the number began after the call")
  }

  @Test func theTargetsProgramIsRead() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let record = try call(of: getpid(), isLiving: true)
    record.target.pid = child.pid
    record.markPresent(.targetStatus)
    fetch(record)
    #expect(record.present.contains(.targetExecutable) && record.target.executableVerified)
    #expect(text(record.target.executable).hasSuffix("/sleep"))
    let gone = try call(of: getpid(), isLiving: true)
    gone.target.pid = child.pid
    gone.markPresent(.targetStatus)
    child.reap()
    fetch(gone)
    #expect(gone.failed.contains(.targetExecutable) && gone.failure == .targetUnreadable)
    #expect(gone.subject.identity == .certain)
  }

  @Test func whatIsNotTheSubjectsIsSomebodyElses() throws {
    let record = try call(of: getpid(), isLiving: true)
    information.fetch([.object, .ofCall], into: record)
    #expect(record.failed == [] && record.failure == nil)
  }

  @Test func aCallHasNoInterpreter() throws {
    let record = try call(of: getpid(), isLiving: true)
    fetch(record, [.subjectProgram, .subjectScript])
    #expect(record.failed == [.subjectProgram, .subjectScript] && record.failure == nil)
  }
}
