// Makes events as the kernel's programs write them, and takes what becomes of them.

import AccessModel
import CBPFLSM

@testable import LSMEnforcement

/// A decision as the trail gets it.
struct Recorded {
  let decision: Decision
  let effect: Effect
  let time: Int64
  let facts: TrailEntry
}

/// Keeps what it gets; for one thread.
final class RecordingMonitor: DecisionRecorder, @unchecked Sendable {
  private(set) var recorded: [Recorded] = []

  func record(
    _ decision: Decision, effect: Effect, time: Int64, of pid: Int32, on facts: Facts, describe: (Facts) -> Void
  ) {
    facts.begin(pid: pid, operation: .call)
    describe(facts)
    let entry = TrailEntry(decision: decision, effect: effect, time: time, answerNanoseconds: nil, facts: facts)
    recorded.append(Recorded(decision: decision, effect: effect, time: time, facts: entry))
  }
}

/// Knows one program, one open file and one control group, each by all of its numbers.
struct MemorySurroundings: EventSurroundings {
  var programs: [String: SeenPath] = [:]
  var files: [String: SeenPath] = [:]
  var groups: [UInt64: [UInt8]] = [:]

  static func key(_ pid: Int32, _ start: UInt64, _ file: FileIdentity, _ descriptor: Int32 = -1) -> String {
    "\(pid) \(start) \(file.device.major):\(file.device.minor) \(file.inode) \(descriptor)"
  }

  func program(of pid: Int32, startedAt start: UInt64, _ file: FileIdentity) -> SeenPath? {
    programs[Self.key(pid, start, file)]
  }

  func openFile(_ descriptor: Int32, of pid: Int32, startedAt start: UInt64, _ file: FileIdentity) -> SeenPath? {
    files[Self.key(pid, start, file, descriptor)]
  }

  func controlGroup(_ id: UInt64) -> [UInt8]? { groups[id] }
}

let rules = (1...3).map { line in
  RuleReference(file: "50-site.rules", path: "/etc/lilium/rules.d/50-site.rules", line: line, text: "", index: line - 1)
}

/// A denial of ptrace(PTRACE_ATTACH, 99) by process 1234, as x86-64 makes it, by the second rule of generation 7.
func event(_ mechanism: Mechanism = .ptrace, _ change: (inout lil_event) -> Void = { _ in }) -> lil_event {
  var event = lil_event()
  event.generation = 7
  event.mechanism = mechanism.rawValue
  event.call = 101
  event.arch = 0xc000_003e
  event.arguments = (16, 99, 0, 0, 0, 0)
  event.outcome = lil_outcome(
    rule: 2, verdict: UInt8(LIL_DENY.rawValue), reason: UInt8(LIL_BY_RULE.rawValue),
    mode: UInt8(LIL_ENFORCE.rawValue), spare: 0)
  event.tell([LIL_PID: 1234])
  change(&event)
  return event
}

extension lil_event {
  mutating func tell(_ values: KeyValuePairs<lil_field, UInt64>) {
    for (field, number) in values {
      facts.known |= 1 << UInt64(field.rawValue)
      withUnsafeMutableBytes(of: &facts.value) {
        $0.storeBytes(of: number, toByteOffset: Int(field.rawValue) * 8, as: UInt64.self)
      }
    }
  }

  mutating func call(_ number: UInt32, _ arguments: [UInt64] = [], on architecture: UInt32 = 0xc000_003e) {
    (call, arch) = (number, architecture)
    let all = arguments + Array(repeating: 0, count: 6 - arguments.count)
    self.arguments = (all[0], all[1], all[2], all[3], all[4], all[5])
  }
}

/// Bytes of a text into a C array of characters.
func fill<Characters>(_ characters: inout Characters, _ text: some Sequence<UInt8>) {
  withUnsafeMutableBytes(of: &characters) { bytes in
    for (index, byte) in text.prefix(bytes.count).enumerated() { bytes[index] = byte }
  }
}

/// What becomes of an event; nil where it is malformed.
func taken(_ raw: lil_event, _ surroundings: MemorySurroundings = MemorySurroundings()) -> Recorded? {
  let monitor = RecordingMonitor()
  let policies = PolicyGenerations()
  policies.keep(rules, as: 7)
  let reader = EventReader(recorder: monitor, policies: policies, surroundings: surroundings)
  return reader.take(raw) ? monitor.recorded.first : nil
}
