// Holds what becomes of an event: a request, nobody's business, or something that was gone too soon to be seen.

import AccessModel
import Synchronization
import SystemCalls
import Testing

@testable import AuditNetlink
@testable import AuditResponse

@Suite("Sensing of calls")
struct SensorTests {
  /// Writes down what it is told.
  private final class Chronicle: SubjectChronicle {
    struct Notes: Equatable {
      var capabilities: [[UInt64]] = []
      var changed: [Int32] = []
    }
    private let notes = Mutex(Notes())
    var told: Notes { notes.withLock { $0 } }
    func capabilitiesSet(pid: Int32, effective: CapabilitySet, permitted: CapabilitySet) {
      notes.withLock { $0.capabilities.append([UInt64(pid), effective.bits, permitted.bits]) }
    }
    func namespacesChanged(pid: Int32) { notes.withLock { $0.changed.append(pid) } }
    func livedInInitialMountNamespace(_ facts: Facts) -> Bool { false }
  }

  private enum Found: Equatable {
    case none, unseen
    case request(Mechanism, namespaces: [String]?)
  }

  private static let everything = SensingPlan(Mechanism.allCases.map { ($0, .all) })

  private func sense(_ line: RecordText, plan: SensingPlan = everything) throws -> Found {
    var line = line
    line.time = Clock.realtime()
    var sensor = CallSensor(plan: plan, chronicle: Chronicle(), mounts: try MountLedger())
    let found = try name(sensor.sense(try line.record(), received: 5), line)
    // A child with namespaces of its own is in doubt for a while.
    return found == .none ? try name(sensor.takeDue(5_000_000_000), line) : found
  }

  private func name(_ finding: consuming CallSensor.Finding, _ line: RecordText) throws -> Found {
    switch consume finding {
    case .none: return .none
    case .unseen: return .unseen
    case .request(let request):
      #expect(request.subjectPID == line.pid && request.operation == .call)
      let facts = Facts()
      facts.begin(pid: line.pid, operation: .call)
      request.describe(into: facts)
      let isKnown = facts.present.contains(.callNamespaces)
      return .request(request.mechanism, namespaces: isKnown ? texts(facts.call.namespaces) : nil)
    }
  }

  /// A child that entered the namespace by itself clears its maker; of what else it has it does not.
  @Test func aChildsOwnCallClearsItsMaker() throws {
    let maker = try Helper()
    try maker.run("unshare -Ur sleep 60 & :; sleep 0.2")
    defer { _ = try? maker.run("kill -KILL $!") }
    let child = try maker.child()
    for (flags, isCleared) in [(UInt64(0x1000_0000), true), (0x400_0000, false)] {
      var sensor = CallSensor(plan: Self.everything, chronicle: Chronicle(), mounts: try MountLedger())
      var made = clone3(child, by: maker.pid)
      made.time = Clock.realtime()
      #expect(try name(sensor.sense(try made.record(), received: 5), made) == .none)
      #expect(sensor.nextDue != nil)
      var own = RecordText(call: .unshare, arguments: [flags], pid: child)
      own.time = Clock.realtime()
      _ = try name(sensor.sense(try own.record(), received: 6), own)
      #expect(try name(sensor.takeDue(5), made) == .none, "not yet")
      let verdict = try name(sensor.takeDue(5_000_000_000), made)
      #expect(verdict == (isCleared ? .none : .request(.clone, namespaces: ["user"])), "\(flags)")
    }
  }

  @Test func aDoorIsARequestWhoeverMadeTheRule() throws {
    #expect(try sense(RecordText(call: .ptrace)) == .request(.ptrace, namespaces: nil))
    #expect(try sense(RecordText(call: .ptrace, success: "no", exit: "-1")) == .request(.ptrace, namespaces: nil))
    #expect(try sense(RecordText(call: .capset)) == .none)
    #expect(try sense(RecordText(call: .ptrace), plan: SensingPlan()) == .none)
    #expect(try sense(RecordText(call: .ptrace), plan: SensingPlan([(.mount, .all)])) == .none)
    #expect(try sense(RecordText(call: .unshare, arguments: [0x200])) == .none, "no namespace")
  }

  @Test func theDaemonsOwnCallsAreNone() throws {
    #expect(try sense(RecordText(call: .ptrace, pid: ProcessSetup.processID)) == .none)
  }

  // MARK: - clone3

  private func clone3(_ child: Int32, by parent: Int32) -> RecordText {
    RecordText(call: .clone3, arguments: [0x7fff_0000, 88], exit: "\(child)", pid: parent)
  }

  @Test func anOrdinaryChildIsNobodysBusiness() throws {
    let parent = try Helper()
    try parent.run("sleep 60 & :")
    defer { _ = try? parent.run("kill -KILL $!") }
    #expect(try sense(clone3(try parent.child(), by: parent.pid)) == .none)
  }

  @Test func aChildWithNamespacesIsARequest() throws {
    let parent = try Helper()
    try parent.run(
      "unshare -m -u sleep 60 & :; until [ -e /proc/$!/ns ] && [ $(readlink /proc/$!/ns/uts) != $(readlink /proc/$$/ns/uts) ]; do sleep 0.01; done"
    )
    defer { _ = try? parent.run("kill -KILL $!") }
    #expect(try sense(clone3(try parent.child(), by: parent.pid)) == .request(.clone, namespaces: ["mount", "uts"]))
  }

  @Test func aChildThatIsGoneWasNotSeen() throws {
    let parent = try Helper()
    let gone = try ChildProcess.start("/bin/true", ["true"])
    ChildProcess.end(gone)
    #expect(try sense(clone3(gone, by: parent.pid)) == .unseen)
    #expect(try sense(clone3(parent.pid, by: gone)) == .unseen)
    #expect(try sense(clone3(0, by: parent.pid)) == .unseen)
    var failed = clone3(-38, by: parent.pid)
    failed.success = "no"
    #expect(try sense(failed) == .none, "what it would have made nobody knows")
  }

  // MARK: - setns

  @Test(arguments: [
    ("net", "net"), ("mnt", "mount"), ("pid", "pid"), ("pid_for_children", "pid"), ("user", "user"), ("uts", "uts"),
    ("ipc", "ipc"), ("cgroup", "cgroup"), ("time", "time"),
  ])
  func theDescriptorTellsWhatWasEntered(_ link: String, _ kind: String) throws {
    let child = try Helper()
    try child.run("exec 9</proc/self/ns/\(link)")
    let line = RecordText(call: .setns, arguments: [9, 0], pid: child.pid)
    #expect(try sense(line) == .request(.clone, namespaces: [kind]))
  }

  @Test(arguments: [9, 8, 0xffff_ffff, 0x1_0000_0009] as [UInt64])
  func aDescriptorOfSomethingElseTellsNothing(_ descriptor: UInt64) throws {
    let child = try Helper()
    try child.run("exec 9</etc/passwd")
    let line = RecordText(call: .setns, arguments: [descriptor, 0], pid: child.pid)
    #expect(try sense(line) == .request(.clone, namespaces: nil))
  }

  // MARK: - What is remembered

  @Test func whatACallChangedIsRemembered() throws {
    let chronicle = Chronicle()
    let sensor = CallSensor(plan: SensingPlan(), chronicle: chronicle, mounts: try MountLedger())
    func remember(_ call: KnownCall, _ others: [(UInt16, String)] = [], success: String = "yes") throws {
      var line = RecordText(call: call, success: success)
      line.others = others.map { ($0.0, $0.1) }
      sensor.remember(try line.record())
    }
    let sets = "pid=4242 cap_pi=0 cap_pp=000001ffffffffff cap_pe=0000000000080000 cap_pa=0"
    try remember(.capset, [(AuditType.capset, sets)])
    #expect(chronicle.told.capabilities == [[4242, 0x8_0000, 0x1ff_ffff_ffff]] && chronicle.told.changed.isEmpty)
    try remember(.capset, [(AuditType.capset, "pid=4242 cap_pi=0 cap_pp=0")])
    try remember(.capset)
    #expect(chronicle.told.changed == [4242, 4242], "what was set is not known, so nothing is")
    try remember(.unshare)
    try remember(.setns)
    #expect(chronicle.told.changed.count == 4)
    try remember(.unshare, success: "no")
    try remember(.capset, [(AuditType.capset, sets)], success: "no")
    try remember(.ptrace)
    #expect(chronicle.told.changed.count == 4 && chronicle.told.capabilities.count == 1)
  }
}
