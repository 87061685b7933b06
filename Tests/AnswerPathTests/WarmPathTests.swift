// Owns the promise that the whole way of a warm request, from sheet to answer, allocates nothing: the real information
// points, the real monitor, the shipped rules; only the kernel's question is the test's own.

import AccessModel
import CAllocationCounter
import Glibc
import ObjectInformation
import PolicyDecision
import PolicyLanguage
import ProcFS
import ReferenceMonitor
import SubjectInformation
import Synchronization
import SystemCalls
import Testing

/// How often the kernel could have been given the answer.
final class Remembered {
  var count = 0
}

/// The test process opens a file of its own choice.
struct OwnRequest: AccessRequest, ~Copyable {
  let objectHandle: Int32
  let operation: AccessModel.Operation
  let memory: Remembered
  var mechanism: Mechanism { .exec }
  var subjectPID: Int32 { ProcessSetup.processID }
  var received: UInt64 { Clock.monotonic() }
  func describe(into facts: Facts) {}
  func settleIdentity(in facts: Facts) { facts.subject.identity = .certain }
  /// Asked as a door that hands allows over to the kernel asks.
  consuming func answer(_ verdict: Verdict, _ facts: Facts, remembers: () -> Bool) -> Answered {
    if remembers() { memory.count += 1 }
    return .done(.logged)
  }
}

struct SilentTrail: DecisionTrail {
  func wants(_ decision: Decision) -> Bool { false }
  func keeps(_ decision: Decision) -> Bool { false }
  func append(_ entry: TrailEntry) {}
}

struct OpenRoom: WaitingRoom {
  func enter() -> Bool { true }
  func leave() {}
}

final class BothPoints: InformationPoint {
  let object: ObjectInformation
  let subject: SubjectInformation

  init(_ room: any WaitingRoom) throws {
    let mounts = MountTable()
    object = ObjectInformation(mounts: mounts, room: room)
    subject = SubjectInformation(
      interpreters: InterpreterTable([]), namespaces: try InitialNamespaces(), room: room)
  }

  func fetch(_ wanted: FactSet, into facts: Facts) {
    object.fetch(wanted, into: facts)
    subject.fetch(wanted, into: facts)
  }
}

@Suite struct WarmPathTests {
  /// What a request may allocate. Optimised code allocates nothing; without optimisation the compiler puts some closures
  /// and generic values on the heap, and the bound only tells that their number does not grow.
  #if DEBUG
    static let allowed: UInt64 = 60
  #else
    static let allowed: UInt64 = 0
  #endif

  static let rules = """
    deny exec when object.links == 0 || !object.path_verified || object.world_writable
    deny exec when object.path.startsWith("/tmp/") || object.directory_world_writable
    deny exec when subject.uid == 4242 || subject.exe == "/nowhere" || !subject.userns_initial
    allow exec when object.owner == 0 && object.path.startsWith("/usr/")
    """

  /// What the shipped rules ask of the object alone, so that the kernel may be left with the answer.
  static let objectRules = """
    deny exec when object.owner != 0
    deny exec when object.world_writable || object.group_writable && object.group != 0
    allow exec when object.path.startsWith("/usr/") && object.kind != "script"
    """

  /// A library, which is code whoever opens it.
  static let libc: String = {
    let maps = (try? Descriptor.open("/proc/self/maps", O_RDONLY).readAll(limit: 1 << 24)) ?? []
    let lines = String(decoding: maps, as: UTF8.self).split(separator: "\n")
    return lines.compactMap { $0.split(separator: " ").last }.map(String.init).first { $0.contains("/libc.so") } ?? ""
  }()

  private func monitor(_ rules: String) throws -> ReferenceMonitor<SilentTrail> {
    let source = RuleSource(path: "/t/50-t.rules", file: "50-t.rules", bytes: Array(rules.utf8))
    let (rules, diagnostics) = RuleSet.parse([source])
    try #require(diagnostics.isEmpty)
    var settings = PolicySettings()
    settings[.exec].mode = .enforce
    let points = try BothPoints(OpenRoom())
    nonisolated(unsafe) let shared = points
    return ReferenceMonitor(
      policy: Policy(rules: rules, settings: settings), trail: SilentTrail(), monotonic: { Clock.monotonic() },
      realtime: { Clock.realtime() }, makeInformation: { _, _ in shared })
  }

  @Test(
    arguments: [
      ("/etc/passwd", AccessModel.Operation.open), ("/usr/bin/env", .open), ("/usr/bin/env", .execute), (libc, .open),
    ], [rules, objectRules])
  func allocatesNothing(_ file: (path: String, operation: AccessModel.Operation), rules: String) throws {
    let (path, operation) = file
    let file = try Descriptor.open(path, O_RDONLY)
    let monitor = try monitor(rules)
    let desk = monitor.makeDesk(for: .exec, room: OpenRoom())
    let memory = Remembered()
    func once() {
      monitor.mediate(OwnRequest(objectHandle: file.rawValue, operation: operation, memory: memory), at: desk)
    }
    for _ in 0..<100 { once() }
    let before = lilium_allocations()
    for _ in 0..<1000 { once() }
    #expect(lilium_allocations() - before <= 1000 * Self.allowed)
    #expect(monitor.tally.dataPassed(.exec) + monitor.tally.decisions.reduce(0) { $0 + $1.count } == 1100)
    #expect(!monitor.tally.decisions.contains { $0.verdict == .deny })
    // Data is looked at when it comes again.
    let asked = path == "/usr/bin/env" && operation == .open ? 1099 : 1100
    #expect(memory.count == (rules == Self.objectRules && path.hasPrefix("/usr/") ? asked : 0))
  }
}
