// Owns the records that are mapped: every kind, every door, every field that a record can have.
// It must not write a record's JSON by hand: what is mapped is what the program writes.

import AccessModel
import DecisionRecord

/// 2026-01-31T12:00:00.123456789Z.
private let noon: Int64 = 1_769_860_800_123_456_789

private let siteRule = RuleReference(
  file: "50-site.rules", path: "/etc/lilium/rules.d/50-site.rules", line: 12, text: "deny exec", index: 0)

/// A record under the name of its golden files.
struct Sample: Sendable {
  let name: String
  let record: AuditRecord

  init(_ name: String, _ event: TrailEvent) {
    self.name = name
    record = AuditRecord(id: RecordID(prefix: "7f3a9c", number: 42), time: noon, event: event)
  }
}

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

private func addSubject(_ facts: Facts) {
  facts.subject.identity = .certain
  facts.subject.pid = 1234
  facts.subject.parent = 1
  facts.subject.uid = 1000
  facts.subject.euid = 0
  facts.subject.gid = 100
  facts.subject.comm = bytes("bash")
  facts.subject.effectiveCapabilities = CapabilitySet(bits: 1 << 19 | 1)
  facts.subject.startTime = 123
  facts.subject.auditUID = 1000
  facts.subject.auditSession = 3
  facts.subject.userNamespaceInitial = true
  facts.subject.mountNamespaceInitial = false
  facts.subject.executable = bytes("/usr/bin/bash")
  facts.subject.controlGroup = bytes("/system.slice/x.service")
  facts.subject.unit = bytes("x.service")
}

private func addObject(_ facts: Facts) {
  facts.object.path = bytes("/tmp/x")
  facts.object.pathVerified = true
  facts.object.identity = FileIdentity(device: DeviceNumber(major: 8, minor: 1), inode: 12)
  facts.object.size = 34
  facts.object.owner = 1000
  facts.object.group = 100
  facts.object.mode = 0o755
  facts.object.links = 1
  facts.object.kind = .elfExecutable
  facts.object.fileSystemType = bytes("ext4")
}

private func file(
  _ mechanism: Mechanism, _ verdict: Verdict, _ reason: Reason = .rule(siteRule), mode: Mode = .enforce,
  operation: Operation = .execute, present: FactSet = .record, failure: Failure? = nil,
  fill: (Facts) -> Void = { _ in }
) -> TrailEvent {
  let facts = Facts()
  facts.begin(pid: 1234, operation: operation)
  facts.markPresent(present)
  if let failure { facts.markFailed(FactSet.record.subtracting(present), because: failure) }
  addSubject(facts)
  addObject(facts)
  fill(facts)
  let decision = Decision(mechanism: mechanism, mode: mode, verdict: verdict, reason: reason)
  return .decision(
    TrailEntry(
      decision: decision, effect: decision.answer == .deny ? .prevented : .logged, time: noon,
      answerNanoseconds: 14_999, facts: facts))
}

private func tampering(_ kind: Tampering.Kind, _ detail: String, name: String = "") -> TrailEvent {
  let facts = Facts()
  facts.begin(pid: 1234, operation: .call)
  facts.markPresent(.subject)
  addSubject(facts)
  return .tamperingDenied(
    Tampering(
      kind: kind, detail: detail, name: bytes(name), subject: facts.subject, present: facts.present, time: noon))
}

private let ofCall = FactSet.recordOfCall.subtracting(.targetExecutable).union(.call)

private func call(
  _ mechanism: Mechanism, _ name: String, _ effect: Effect, mode: Mode = .enforce, verdict: Verdict = .deny,
  reason: Reason = .default, failure: ContainmentFailure? = nil, result: Int64 = 0, more: FactSet = [],
  fill: (Facts) -> Void = { _ in }
) -> TrailEvent {
  let facts = Facts()
  facts.begin(pid: 1234, operation: .call)
  facts.markPresent(ofCall.union(more))
  addSubject(facts)
  facts.subject.effectiveCapabilities = CapabilitySet()
  facts.call.name = bytes(name)
  facts.call.architecture = bytes("x86_64")
  facts.call.result = result
  facts.call.serial = 815
  fill(facts)
  return .decision(
    TrailEntry(
      decision: Decision(mechanism: mechanism, mode: mode, verdict: verdict, reason: reason), effect: effect,
      time: noon, answerNanoseconds: 14_999, facts: facts, containmentFailure: failure))
}

private let target: FactSet = [.targetStatus, .targetExecutable]

private func addTarget(_ facts: Facts) {
  facts.target.pid = 812
  facts.target.uid = 0
  facts.target.comm = bytes("sshd")
  facts.target.executable = bytes("/usr/sbin/sshd")
}

private let files: [Sample] = [
  Sample(
    "exec-deny",
    file(.exec, .deny, present: .record.union([.objectDigest, .objectTrust])) {
      $0.object.trust = .changed
      $0.object.digest = ContentHash(UInt8(0)..<32)!
    }),
  Sample("exec-would-deny", file(.exec, .deny, .default, mode: .audit)),
  Sample("exec-allow", file(.exec, .allow, present: .record.union(.objectTrust)) { $0.object.trust = .trusted }),
  Sample(
    "exec-library",
    file(.exec, .allow, operation: .open) {
      $0.object.kind = .elfLibrary
      $0.object.path = bytes("/usr/lib/libx.so")
    }),
  Sample(
    "exec-failure",
    file(
      .exec, .deny, .failure(.trustUnavailable), operation: .open, present: .subjectStatus,
      failure: .objectUnreadable)),
  Sample(
    "open-deny",
    file(.open, .deny, .undecided(siteRule), operation: .open) {
      $0.object.path = bytes("/etc/ü\n\u{1b}[2J") + [0xff]
      $0.object.pathVerified = false
      $0.subject.auditUID = .max
      $0.subject.auditSession = .max
    }),
]

private let calls: [Sample] = [
  Sample(
    "ptrace-contained",
    call(.ptrace, "ptrace", .contained, more: target) {
      addTarget($0)
      $0.call.request = bytes("PTRACE_ATTACH")
    }),
  Sample(
    "ptrace-would-deny",
    call(.ptrace, "ptrace", .logged, mode: .audit, more: target) {
      addTarget($0)
      $0.call.request = bytes("PTRACE_POKETEXT")
    }),
  Sample(
    "ptrace-not-contained",
    call(.ptrace, "ptrace", .logged, failure: .identityUncertain) {
      $0.call.request = bytes("PTRACE_SEIZE")
      $0.subject.identity = .uncertain
    }),
  Sample(
    "ptrace-capability",
    call(.ptrace, "process_vm_writev", .logged, verdict: .allow, reason: .capability(.sysPtrace), more: target) {
      addTarget($0)
    }),
  Sample(
    "mprotect-contained",
    call(.mprotect, "mprotect", .contained) { $0.call.protection = [bytes("PROT_WRITE"), bytes("PROT_EXEC")] }),
  Sample(
    "mmap-would-deny",
    call(.mprotect, "mmap", .logged, mode: .audit) {
      $0.call.protection = [bytes("PROT_EXEC")]
      $0.call.flags = [bytes("MAP_ANONYMOUS")]
    }),
  Sample(
    "module-contained",
    call(.module, "finit_module", .contained, more: [.callModule, .objectPath]) {
      $0.call.module = bytes("nf_tables")
      $0.object.path = bytes("/lib/modules/6.1/nf_tables.ko")
      $0.object.pathVerified = true
    }),
  Sample(
    "module-unload",
    call(.module, "delete_module", .logged, mode: .audit, more: .callModule) { $0.call.module = bytes("nf_tables") }),
  Sample("module-image", call(.module, "init_module", .logged, result: -1) { $0.call.size = 4096 }),
  Sample(
    "kexec-attempted", call(.kexec, "kexec_load", .logged, result: -1) { $0.call.flags = [bytes("KEXEC_ON_CRASH")] }),
  Sample(
    "mount-contained",
    call(.mount, "mount", .contained, reason: .rule(siteRule), more: [.callSource, .objectPath, .objectFileSystem]) {
      $0.call.source = bytes("none")
      $0.call.flags = [bytes("MS_NOSUID")]
      $0.object.path = bytes("/mnt")
      $0.object.pathVerified = true
      $0.object.fileSystemType = bytes("tmpfs")
    }),
  Sample(
    "umount-would-deny",
    call(.mount, "umount2", .logged, mode: .audit, more: .objectPath) { $0.object.path = bytes("/mnt") }),
  Sample(
    "clone-contained",
    call(.clone, "unshare", .contained, more: .callNamespaces) {
      $0.call.flags = [bytes("CLONE_NEWUSER")]
      $0.call.namespaces = [bytes("user")]
    }),
  Sample(
    "ioctl-would-deny",
    call(.ioctl, "ioctl", .logged, mode: .audit, reason: .rule(siteRule), more: .objectPath) {
      $0.call.request = bytes("TIOCSTI")
      $0.object.path = bytes("/dev/pts/3")
      $0.object.pathVerified = true
    }),
]

private func settings() -> PolicySettings {
  var settings = PolicySettings()
  settings[.exec].mode = .audit
  settings[.open].mode = .enforce
  return settings
}

private let events: [Sample] = [
  Sample(
    "started",
    .started(
      DaemonStart(
        version: "0.1.0", pid: 7, settings: settings(), policy: "ab12", commandLineMode: .audit, predecessor: 6))),
  Sample(
    "stopped",
    .stopped(
      DaemonStop(
        cause: "SIGTERM", uptimeSeconds: 60,
        decisions: [
          .init(mechanism: .exec, verdict: .allow, reason: "rule", count: 9),
          .init(mechanism: .exec, verdict: .deny, reason: "default", count: 1),
        ], losses: [.init(what: "queue-overflow", count: 2)], answerMedian: 14, answer99thPercentile: 90))),
  Sample("policy-loaded", .policyLoaded(identity: "ab12", rules: 3, warnings: ["50-a.rules:1: never matches"])),
  Sample("policy-refused", .policyRefused(diagnostics: ["50-a.rules:1:2: no", "second"], running: "ab12")),
  Sample(
    "mode-changed", .modeChanged(mechanism: .exec, from: .enforce, to: .off, until: noon, uid: 1000)),
  Sample("loss", .loss(what: "trail-queue", count: 7)),
  Sample(
    "suppressed",
    .suppressed(
      Suppression(
        sample: Decision(mechanism: .exec, mode: .audit, verdict: .deny, reason: .rule(siteRule)), count: 5,
        seconds: 10))),
  Sample(
    "coverage-changed",
    .coverageChanged(
      CoverageChange(
        state: .failed, device: DeviceNumber(major: 0, minor: 45), fileSystemType: bytes("fuse"),
        mountPoint: bytes("/mnt/a"), why: "fanotify_mark: not supported"))),
  Sample(
    "sensing-changed",
    .sensingChanged(SensingChange(what: "audit-rules-restored", detail: "3 rules were deleted", isProblem: false))),
  Sample("trust-loaded", .trustLoaded(TrustLoad(generation: 3, paths: 10, contents: 2))),
  Sample("tampering-signal", tampering(.signal, "SIGKILL to liliumd[233]")),
  Sample("tampering-state", tampering(.state, "unlink in a folder of Lilium's", name: "current")),
  Sample("trust-missing", .trustLoaded(TrustLoad(generation: nil, paths: 0, contents: 0, problem: "no such file"))),
]

let samples = files + calls + events
