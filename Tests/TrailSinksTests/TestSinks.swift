// Owns sinks that these tests can look into, hold up, or break.
// It must not test anything.

import AccessModel
import DecisionRecord
import Glibc
import Synchronization
import SystemCalls
import Testing
import TrailSinks

/// Keeps what it is given.
final class MemorySink: TrailSink {
  let name: String
  private let lines = Mutex<[(kind: RecordKind, json: String)]>([])

  init(_ name: String = "memory") { self.name = name }

  func write(_ record: AuditRecord, json: [UInt8]) -> SinkOutcome {
    lines.withLock { $0.append((record.kind, String(decoding: json, as: UTF8.self))) }
    return .written
  }

  func json(_ kind: RecordKind) -> [String] { lines.withLock { $0.filter { $0.kind == kind }.map(\.json) } }
  var kinds: [RecordKind] { lines.withLock { $0.map(\.kind) } }
}

/// Blocks in its first write until it is let go.
final class GatedSink: TrailSink {
  let name = "gated"
  private let entered = Atomic(false)
  private let open = Atomic(false)
  private let count = Atomic(0)

  func write(_ record: AuditRecord, json: [UInt8]) -> SinkOutcome {
    entered.store(true, ordering: .releasing)
    while !open.load(ordering: .acquiring) { Clock.sleep(nanoseconds: 200_000) }
    count.add(1, ordering: .relaxed)
    return .written
  }

  func letGo() { open.store(true, ordering: .releasing) }
  func waitUntilEntered() { while !entered.load(ordering: .acquiring) { Clock.sleep(nanoseconds: 200_000) } }
  var written: Int { count.load(ordering: .relaxed) }
}

/// Drops everything.
final class BrokenSink: TrailSink {
  let name = "broken"
  private let seen = Mutex<[RecordKind]>([])

  func write(_ record: AuditRecord, json: [UInt8]) -> SinkOutcome {
    seen.withLock { $0.append(record.kind) }
    return .dropped
  }

  var kinds: [RecordKind] { seen.withLock { $0 } }
}

func rule(_ index: Int) -> RuleReference {
  RuleReference(
    file: "50-site.rules", path: "/etc/lilium/rules.d/50-site.rules", line: index + 1, text: "deny exec", index: index)
}

func decision(
  _ verdict: Verdict = .deny, _ reason: Reason = .default, mode: Mode = .enforce, mechanism: Mechanism = .exec
) -> Decision {
  Decision(mechanism: mechanism, mode: mode, verdict: verdict, reason: reason)
}

func entry(_ decision: Decision = decision(), pid: Int32 = 1, path: [UInt8] = Array("/tmp/x".utf8)) -> TrailEntry {
  let facts = Facts()
  facts.begin(pid: pid, operation: .execute)
  facts.markPresent([.objectPath, .subjectStatus])
  facts.object.path = path
  return TrailEntry(decision: decision, effect: .logged, time: 0, answerNanoseconds: 1000, facts: facts)
}

/// Waits for what another thread brings about; at most two seconds.
func eventually(_ condition: () -> Bool) -> Bool {
  for _ in 0..<2000 {
    if condition() { return true }
    Clock.sleep(nanoseconds: 1_000_000)
  }
  return condition()
}

/// A pipe with both its ends.
struct Pipe: ~Copyable {
  let read: Descriptor
  let write: Descriptor

  init() throws {
    // A write to a pipe whose reader is gone must not end the test.
    try Signals.makeInterrupting()
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    read = Descriptor(owning: ends[0])
    write = Descriptor(owning: ends[1])
  }

  /// Another descriptor of the write end, to give away.
  func writer() -> Descriptor { Descriptor(owning: dup(write.rawValue)) }
}

/// What can be read without waiting.
func available(_ descriptor: borrowing Descriptor) -> [UInt8] {
  var all: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65536)
  var ready = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
  while poll(&ready, 1, 0) == 1 {
    let count = read(descriptor.rawValue, &chunk, chunk.count)
    if count <= 0 { break }
    all += chunk[..<count]
  }
  return all
}
