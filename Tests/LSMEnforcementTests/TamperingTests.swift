// Holds what a record says of an attempt on liliumd itself, and that nothing else is taken for one.

import AccessModel
import BPFLSM
import CBPFLSM
import Testing

@testable import LSMEnforcement

@Suite("Attempts on liliumd itself") struct TamperingTests {
  private func reported(_ event: lil_event, _ surroundings: MemorySurroundings = MemorySurroundings()) -> [Tampering] {
    var found: [Tampering] = []
    let reader = TamperingReader(surroundings: surroundings) { found.append($0) }
    #expect(reader.take(event) == !found.isEmpty)
    return found
  }

  private func attempt(at hook: String, name: String = "", _ change: (inout lil_event) -> Void = { _ in }) -> lil_event
  {
    event { event in
      event.mechanism = UInt8(LIL_MECHANISMS.rawValue)
      event.hook = UInt8(GuardHook.all.firstIndex { $0.name == hook }!)
      fill(&event.name, name.utf8)
      change(&event)
    }
  }

  @Test func aSignalIsNamed() throws {
    let event = attempt(at: "task_kill") {
      $0.tell([LIL_REQUEST: 9, LIL_TARGET_PID: 233])
      $0.tell([LIL_PPID: 1, LIL_UID: 0, LIL_EUID: 0, LIL_GID: 0, LIL_EGID: 0, LIL_EFFECTIVE: 0, LIL_PERMITTED: 0])
    }
    let found = try #require(reported(event).first)
    #expect(found.kind == .signal && found.detail == "SIGKILL to liliumd[233]" && found.name.isEmpty)
    #expect(found.subject.pid == 1234 && found.present.contains([.subjectStatus, .subjectCapabilities]))
  }

  @Test(arguments: [
    ("ptrace_access_check", Tampering.Kind.trace, "tracing of liliumd[233]"),
    ("task_setrlimit", .limits, "setrlimit of liliumd[233]"),
    ("inode_unlink", .state, "unlink in a folder of Lilium's"),
    ("file_open", .state, "open to write in a folder of Lilium's"),
    ("sb_mount", .mount, "mount over a folder of Lilium's"),
    ("bpf_map", .map, "bpf to write a map of Lilium's"),
  ])
  func everyKindHasItsWords(_ hook: String, _ kind: Tampering.Kind, _ words: String) throws {
    let found = try #require(reported(attempt(at: hook, name: "data.mdb") { $0.tell([LIL_TARGET_PID: 233]) }).first)
    #expect(found.kind == kind && found.detail == words && found.name == Array("data.mdb".utf8))
  }

  @Test func aDecisionIsNone() {
    #expect(reported(event()).isEmpty)
    var strange = attempt(at: "task_kill")
    strange.hook = 200
    #expect(reported(strange).isEmpty)
  }

  @Test func anAttemptIsNoDecision() {
    let reader = EventReader(
      recorder: RecordingMonitor(), policies: PolicyGenerations(), surroundings: MemorySurroundings())
    #expect(!reader.take(attempt(at: "task_kill")))
  }
}
