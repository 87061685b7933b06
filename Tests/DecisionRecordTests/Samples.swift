// Owns the decisions that these tests record.
// It must not hold expectations: each test states its own.

import AccessModel
import DecisionRecord

/// 2026-01-31T12:00:00.123456789Z.
let noon: Int64 = 1_769_860_800_123_456_789

let siteRule = RuleReference(
  file: "50-site.rules", path: "/etc/lilium/rules.d/50-site.rules", line: 12,
  text: "deny exec when object.owner == 1000", index: 0)

func decision(
  _ verdict: Verdict = .deny, _ reason: Reason = .rule(siteRule), mode: Mode = .enforce, mechanism: Mechanism = .exec
) -> Decision {
  Decision(mechanism: mechanism, mode: mode, verdict: verdict, reason: reason)
}

func subjectSample() -> SubjectFacts {
  var subject = SubjectFacts()
  subject.identity = .certain
  subject.pid = 1234
  subject.parent = 1
  subject.uid = 1000
  subject.euid = 0
  subject.gid = 100
  subject.comm = bytes("bash")
  subject.effectiveCapabilities = CapabilitySet(bits: 1 << 19 | 1 << 0)
  subject.startTime = 123
  subject.auditUID = 1000
  subject.auditSession = 3
  subject.userNamespaceInitial = true
  subject.executable = bytes("/usr/bin/bash")
  subject.controlGroup = bytes("/system.slice/x.service")
  subject.unit = bytes("x.service")
  return subject
}

func objectSample() -> ObjectFacts {
  var object = ObjectFacts()
  object.path = bytes("/tmp/x")
  object.pathVerified = true
  object.identity = FileIdentity(device: DeviceNumber(major: 8, minor: 1), inode: 12)
  object.size = 34
  object.owner = 1000
  object.group = 1000
  object.mode = 0o755
  object.links = 1
  object.kind = .elfExecutable
  object.fileSystemType = bytes("ext4")
  return object
}

func entry(
  _ decision: Decision = decision(), present: FactSet = .record, failure: Failure? = nil,
  subject: SubjectFacts = subjectSample(), object: ObjectFacts = objectSample(), operation: Operation = .execute
) -> TrailEntry {
  let facts = Facts()
  facts.begin(pid: subject.pid, operation: operation)
  facts.markPresent(present)
  if let failure { facts.markFailed(FactSet.record.subtracting(present), because: failure) }
  facts.subject = subject
  facts.object = object
  let effect: Effect = decision.answer == .deny ? .prevented : .logged
  return TrailEntry(decision: decision, effect: effect, time: noon, answerNanoseconds: 14_999, facts: facts)
}

/// A call that was decided by the default, and what came of it.
func called(
  _ mechanism: Mechanism, _ verdict: Verdict = .deny, mode: Mode = .enforce, effect: Effect = .contained,
  failure: ContainmentFailure? = nil, present: FactSet = .recordOfCall.union(.ofCall), fill: (Facts) -> Void = { _ in }
) -> TrailEntry {
  let facts = Facts()
  facts.begin(pid: 1234, operation: .call)
  facts.markPresent(present)
  facts.subject = subjectSample()
  facts.object = objectSample()
  facts.call.name = bytes(mechanism.name)
  facts.call.architecture = bytes("x86_64")
  fill(facts)
  return TrailEntry(
    decision: decision(verdict, .default, mode: mode, mechanism: mechanism), effect: effect, time: noon,
    answerNanoseconds: 14_999, facts: facts, containmentFailure: failure)
}

func record(_ event: TrailEvent) -> AuditRecord {
  AuditRecord(id: RecordID(prefix: "7f3a9c", number: 42), time: noon, event: event)
}

func record(_ entry: TrailEntry) -> AuditRecord { record(.decision(entry)) }

/// A record of an object with this name, by a subject with this name.
func record(named name: [UInt8]) -> AuditRecord {
  var subject = subjectSample()
  subject.executable = name
  subject.comm = name
  var object = objectSample()
  object.path = name
  return record(entry(subject: subject, object: object))
}

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// Names that would drive, deceive or break a reader.
let hostileNames: [[UInt8]] = [
  bytes("/tmp/a\nLILIUM_VERDICT=allow\n"),
  bytes("/tmp/a\r\n\"},{\"verdict\":\"allow"),
  bytes("/tmp/\u{1b}[2J\u{1b}]0;title\u{07}"),
  bytes("/tmp/\u{9b}31m\u{7f}\u{85}"),
  bytes("/tmp/\u{202e}gpj.exe\u{2066}\u{200f}\u{feff}"),
  bytes("/tmp/\u{2028}\u{2029}"),
  bytes("/tmp/\u{e0041}\u{e007f}tags"),
  [0x2f, 0xff, 0xfe, 0x80, 0x41],
  [0x2f, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80],
  [0x2f, 0xe2, 0x82],
  [0x2f, 0x9b, 0x33, 0x31, 0x6d],
  [UInt8](0...255),
  [UInt8](repeating: 0x1b, count: 4096),
  [UInt8](repeating: 0xff, count: 4096),
  bytes("/" + String(repeating: "ü", count: 2047)),
  bytes("back\\slash \\x1b"),
  [],
]

/// Whether a reader's terminal or line splitter could be driven by these bytes.
func drivesReader(_ output: [UInt8]) -> Bool {
  guard let text = String(validating: output, as: UTF8.self) else { return true }
  let bidirectional: Set<UInt32> = [
    0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x2028, 0x2029,
  ]
  return text.unicodeScalars.contains { scalar in
    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || bidirectional.contains(scalar.value)
  }
}
