// What the property tests of this folder draw at random, the same in every run: policies, objects and subjects.
// It must not expect anything.

import AccessModel
import PolicyDecision
import Testing

/// A small generator with a fixed seed (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

extension RandomNumberGenerator {
  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

enum RandomPolicy {
  private static let ofObject = [
    "object.owner == 0", "object.owner == 1000", "object.trusted", "object.path_verified", "object.setuid",
    "object.path.startsWith(\"/usr/\")", "object.path == \"/tmp/x\"", "object.kind == \"script\"", "object.links == 0",
    "object.fstype == \"tmpfs\"", "\"noexec\" in object.mount_flags", "object.sha256.startsWith(\"e3\")",
    "object.directory_world_writable", "true", "false",
  ]
  private static let ofSubject = [
    "subject.uid == 0", "subject.uid == object.owner", "subject.exe == \"/usr/bin/bash\"", "subject.userns_initial",
    "\"CAP_SYS_ADMIN\" in subject.capabilities", "subject.groups.size() > 1", "subject.unit == \"\"",
    "operation.kind == \"execute\"", "subject.pid == 42", "object.path == subject.exe", "27 in subject.groups",
    "object.setuid == subject.userns_initial", "subject.parent_exe != \"/x\"", "subject.exe_inode == object.inode",
  ]

  static func make(_ random: inout SplitMix) -> Policy {
    let count = Int.random(in: 1...5, using: &random)
    let rules = (0..<count).map { _ in
      let verdict = random.chance(50) ? "allow" : "deny"
      return random.chance(10) ? "\(verdict) exec" : "\(verdict) exec when \(condition(&random, depth: 3))"
    }
    let (byDefault, onFailure) = (verdict(&random), verdict(&random))
    return policy(rules.joined(separator: "\n")) {
      $0[.exec].defaultVerdict = byDefault
      $0[.exec].onFailure = onFailure
    }
  }

  private static func verdict(_ random: inout SplitMix) -> Verdict { random.chance(50) ? .allow : .deny }

  private static func condition(_ random: inout SplitMix, depth: Int) -> String {
    if depth == 0 || random.chance(30) {
      return (random.chance(70) ? ofObject : ofSubject).randomElement(using: &random) ?? "true"
    }
    let (a, b) = (condition(&random, depth: depth - 1), condition(&random, depth: depth - 1))
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1: return "!(\(a))"
    case 2: return "(\(a)) == (\(b))"
    case 3: return "(\(a)) != (\(b))"
    case 4, 5, 6: return "(\(a) && \(b))"
    default: return "(\(a) || \(b))"
    }
  }
}

struct RandomObject {
  var facts = ObjectFacts()
  var failing: FactSet = []
  var isUnclear: Bool { failing.contains(.objectContent) }
}

struct RandomSubject {
  var facts = SubjectFacts()
  var operation = Operation.execute
  var failing: FactSet = []
  var isUnclear: Bool { !failing.isDisjoint(with: [.subjectProgram, .subjectScript]) }
}

/// Sheets from few values, so that conditions are true and false about as often.
enum RandomSheet {
  static func object(_ random: inout SplitMix) -> RandomObject {
    var object = RandomObject()
    object.facts.identity.inode = UInt64.random(in: 1...2, using: &random)
    object.facts.owner = random.chance(60) ? 0 : 1000
    object.facts.mode = random.chance(20) ? 0o4755 : 0o755
    object.facts.links = random.chance(10) ? 0 : 1
    object.facts.path = bytes(["/usr/bin/bash", "/usr/bin/ls", "/tmp/x"].randomElement(using: &random) ?? "/")
    object.facts.pathVerified = random.chance(80)
    object.facts.kind = ContentKind.allCases.randomElement(using: &random) ?? .other
    object.facts.isLoadableLibrary = random.chance(20)
    object.facts.fileSystemType = bytes(random.chance(50) ? "tmpfs" : "ext4")
    object.facts.mountFlags = random.chance(30) ? .noExec : []
    object.facts.directoryWorldWritable = random.chance(30)
    object.facts.trust = TrustState.allCases.randomElement(using: &random) ?? .unknown
    if random.chance(50), let digest = ContentHash(hexadecimal: bytes(sampleDigest)) { object.facts.digest = digest }
    object.failing = groups(of: .object, 5, &random)
    return object
  }

  static func subject(_ random: inout SplitMix) -> RandomSubject {
    var subject = RandomSubject()
    subject.operation = random.chance(50) ? .execute : .open
    subject.facts.pid = random.chance(30) ? 42 : 43
    subject.facts.uid = random.chance(40) ? 0 : 1000
    subject.facts.groups = random.chance(50) ? [27, 100] : [100]
    subject.facts.executable = bytes(random.chance(50) ? "/usr/bin/bash" : "/usr/bin/ls")
    subject.facts.executableVerified = random.chance(85)
    subject.facts.executableIdentity.inode = UInt64.random(in: 0...2, using: &random)
    subject.facts.parentExecutable = bytes(random.chance(50) ? "/x" : "/y")
    subject.facts.parentExecutableVerified = random.chance(85)
    subject.facts.userNamespaceInitial = random.chance(50)
    subject.facts.effectiveCapabilities = CapabilitySet(bits: random.chance(50) ? .max : 0)
    subject.facts.unit = bytes(random.chance(50) ? "" : "x.service")
    subject.facts.programClass = [.ordinary, .loader, .interpreter].randomElement(using: &random) ?? .ordinary
    subject.facts.objectNamedByArguments = random.chance(50)
    subject.facts.objectHasModuleSuffix = random.chance(30)
    subject.failing = groups(of: .subject, 10, &random).subtracting(.request)
    return subject
  }

  private static func groups(of all: FactSet, _ percent: Int, _ random: inout SplitMix) -> FactSet {
    var chosen: FactSet = []
    for bit in 0..<32 where all.rawValue & 1 << bit != 0 && random.chance(percent) {
      chosen.insert(FactSet(rawValue: 1 << bit))
    }
    return chosen
  }

  /// Nothing is fetched yet.
  static func make(_ object: RandomObject, subject: RandomSubject) -> Facts {
    let facts = Facts()
    facts.object = object.facts
    facts.subject = subject.facts
    facts.begin(pid: subject.facts.pid, operation: subject.operation)
    return facts
  }

  /// What the policy says to this subject, with what it asks for fetched or failed.
  static func decide(_ policy: Policy, _ object: RandomObject, _ subject: RandomSubject) -> Outcome {
    let (facts, failing) = (make(object, subject: subject), object.failing.union(subject.failing))
    while true {
      let outcome = policy.decide(.exec, facts)
      guard case .needs(let groups) = outcome else { return outcome }
      facts.markPresent(groups.subtracting(failing))
      let failed = groups.intersection(failing)
      if !failed.isEmpty { facts.markFailed(failed, because: .objectUnreadable) }
    }
  }
}
