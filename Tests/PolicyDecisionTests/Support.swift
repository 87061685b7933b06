// What the tests of this folder share: a policy from text, a sheet of facts, and a decision that fetches as it goes.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func ruleSet(_ text: String, _ location: SourceLocation = #_sourceLocation) -> RuleSet {
  let source = RuleSource(path: "/etc/lilium/rules.d/50-site.rules", file: "50-site.rules", bytes: bytes(text))
  let (rules, diagnostics) = RuleSet.parse([source])
  let errors = diagnostics.filter { $0.severity == .error }
  #expect(errors.isEmpty, "\(errors.map(\.rendered).joined())", sourceLocation: location)
  return rules
}

/// Every mechanism in `enforce`, unless `change` says otherwise.
func policy(
  _ text: String, _ location: SourceLocation = #_sourceLocation, _ change: (inout PolicySettings) -> Void = { _ in }
) -> Policy {
  var settings = PolicySettings()
  for mechanism in Mechanism.allCases { settings[mechanism].mode = .enforce }
  change(&settings)
  return Policy(rules: ruleSet(text, location), settings: settings)
}

let everything: FactSet = FactSet.object.union(.subject).union(.ofCall).union(.targetExecutable)

/// SHA-256 of nothing.
let sampleDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/// An ordinary file that an ordinary program executes, all facts present.
func sheet(_ change: (Facts) -> Void = { _ in }) -> Facts {
  let facts = Facts()
  facts.begin(pid: 42, operation: .execute)
  facts.object.identity = FileIdentity(device: DeviceNumber(major: 8, minor: 1), inode: 4711)
  facts.object.size = 1000
  facts.object.mode = 0o755
  facts.object.links = 1
  facts.object.path = bytes("/usr/bin/ls")
  facts.object.pathVerified = true
  facts.object.kind = .elfExecutable
  facts.object.fileSystemType = bytes("ext4")
  facts.object.mountFlags = [.noSetuid, .noDevices]
  facts.object.digest = ContentHash(hexadecimal: bytes(sampleDigest)) ?? ContentHash()
  facts.object.trust = .trusted
  facts.subject.parent = 41
  facts.subject.uid = 1000
  facts.subject.euid = 1001
  facts.subject.gid = 100
  facts.subject.egid = 101
  facts.subject.groups = [27, 100]
  facts.subject.comm = bytes("bash")
  facts.subject.terminal = bytes("pts/3")
  facts.subject.auditUID = 1000
  facts.subject.auditSession = 3
  facts.subject.userNamespaceInitial = true
  facts.subject.mountNamespaceInitial = true
  facts.subject.executable = bytes("/usr/bin/bash")
  facts.subject.executableVerified = true
  facts.subject.executableIdentity = FileIdentity(device: DeviceNumber(major: 259, minor: 4_294_967_295), inode: 12)
  facts.subject.parentExecutable = bytes("/usr/sbin/sshd")
  facts.subject.parentExecutableVerified = true
  facts.subject.controlGroup = bytes("/user.slice")
  facts.subject.effectiveCapabilities = CapabilitySet(bits: 1 << UInt64(Capability.netRaw.rawValue))
  facts.subject.permittedCapabilities = CapabilitySet(
    bits: 1 << UInt64(Capability.netRaw.rawValue) | 1 << UInt64(Capability.sysPtrace.rawValue))
  facts.call.name = bytes("ptrace")
  facts.call.architecture = bytes("x86_64")
  facts.call.request = bytes("PTRACE_ATTACH")
  facts.call.requestNumber = 16
  facts.call.flags = [bytes("MS_BIND"), bytes("MS_REC")]
  facts.call.protection = [bytes("PROT_WRITE"), bytes("PROT_EXEC")]
  facts.call.namespaces = [bytes("user"), bytes("mount")]
  facts.call.source = bytes("/dev/sdb1")
  facts.call.module = bytes("nf_tables")
  facts.target.pid = 812
  facts.target.uid = 1000
  facts.target.comm = bytes("sshd")
  facts.target.executable = bytes("/usr/sbin/sshd")
  facts.target.executableVerified = true
  facts.markPresent(everything)
  change(facts)
  return facts
}

/// A sheet on which nothing is known yet but the values are there to be fetched.
func blankSheet(_ change: (Facts) -> Void = { _ in }) -> Facts {
  let facts = sheet(change)
  let operation = facts.operation
  facts.begin(pid: 42, operation: operation)
  return facts
}

/// The verdict and the reason's name on complete facts.
func decided(_ policy: Policy, _ mechanism: Mechanism, _ facts: Facts) -> String {
  switch policy.decide(mechanism, facts) {
  case .final(let decision): "\(decision.verdict.name) \(decision.reason.name)"
  case .needs(let groups): "needs \(groups.rawValue)"
  case .data: "data"
  }
}

/// Decides as the monitor does: fetches what is asked for, and gives the groups in the order in which they were wanted.
func mediate(
  _ policy: Policy, _ mechanism: Mechanism, _ facts: Facts, failing: FactSet = []
) -> (outcome: Outcome, asked: [FactSet]) {
  var asked: [FactSet] = []
  for _ in 0..<40 {
    let outcome = policy.decide(mechanism, facts)
    guard case .needs(let groups) = outcome else { return (outcome, asked) }
    #expect(!groups.isEmpty)
    #expect(facts.missing(of: groups) == groups, "asks only for what is missing")
    asked.append(groups)
    facts.markPresent(groups.subtracting(failing))
    let failed = groups.intersection(failing)
    if !failed.isEmpty { facts.markFailed(failed, because: .subjectVanished) }
  }
  Issue.record("makes no progress")
  return (.data, asked)
}
