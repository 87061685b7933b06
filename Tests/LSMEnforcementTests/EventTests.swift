// Holds what an event of the kernel's programs says in the record: every field, and that what was not told is not said.

import AccessModel
import CBPFLSM
import SystemCalls
import Testing

@testable import LSMEnforcement

private func texts(_ list: [[UInt8]]) -> [String] { list.map { String(decoding: $0, as: UTF8.self) } }
private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite("Events of the kernel's programs") struct EventTests {
  // MARK: The decision

  @Test func aDenialThatIsEnforcedWasPrevented() throws {
    let found = try #require(taken(event()))
    #expect(
      found.decision == Decision(mechanism: .ptrace, mode: .enforce, verdict: .deny, reason: .rule(rules[1])))
    #expect(found.effect == .prevented)
  }

  static let effects: [(lil_mode, lil_verdict, Effect)] = [
    (LIL_AUDIT, LIL_DENY, .logged), (LIL_AUDIT, LIL_ALLOW, .logged), (LIL_ENFORCE, LIL_ALLOW, .logged),
    (LIL_ENFORCE, LIL_DENY, .prevented),
  ]

  @Test(arguments: effects.indices) func effectsFollowModeAndVerdict(_ index: Int) throws {
    let (mode, verdict, effect) = Self.effects[index]
    let found = taken(
      event {
        $0.outcome.mode = UInt8(mode.rawValue)
        $0.outcome.verdict = UInt8(verdict.rawValue)
      })
    #expect(try #require(found).effect == effect)
  }

  @Test func everyReasonIsNamed() {
    func reason(_ reason: lil_reason, rule: UInt32, _ mechanism: Mechanism = .ptrace) -> Reason? {
      taken(
        event(mechanism) {
          $0.outcome.reason = UInt8(reason.rawValue)
          $0.outcome.rule = rule
        })?.decision.reason
    }
    #expect(reason(LIL_BY_CAPABILITY, rule: 0) == .capability(.sysPtrace))
    #expect(reason(LIL_BY_CAPABILITY, rule: 0, .kexec) == .capability(.sysBoot))
    #expect(reason(LIL_BY_RULE, rule: 1) == .rule(rules[0]))
    #expect(reason(LIL_BY_UNDECIDED, rule: 3) == .undecided(rules[2]))
    #expect(reason(LIL_BY_DEFAULT, rule: 0) == .default)
    // A rule that decided has a number, and exec has no capability.
    #expect(reason(LIL_BY_RULE, rule: 0) == nil && reason(LIL_BY_CAPABILITY, rule: 0, .exec) == nil)
  }

  @Test func theRuleIsThatOfThePolicyOfTheTime() throws {
    let policies = PolicyGenerations()
    for generation in UInt64(1)...40 {
      policies.keep(
        [RuleReference(file: "\(generation).rules", path: "", line: 9, text: "", index: 0)], as: generation)
    }
    #expect(policies.rule(1, of: 40).name == "40.rules:9" && policies.rule(1, of: 25).name == "25.rules:9")
    // Too old, and of a daemon before this one: the number remains.
    #expect(policies.rule(3, of: 24).name == "(earlier policy):3" && policies.rule(2, of: 99).line == 2)
    #expect(policies.rule(2, of: 40).name == "(earlier policy):2", "a number beyond the policy's rules")
    policies.keep(rules, as: 40)
    #expect(policies.rule(1, of: 40) == rules[0])
  }

  static let malformed: [@Sendable (inout lil_event) -> Void] = [
    { $0.mechanism = 9 }, { $0.mechanism = UInt8(LIL_OPEN.rawValue) }, { $0.outcome.mode = 0 },
    { $0.outcome.mode = 3 }, { $0.outcome.verdict = 2 }, { $0.outcome.reason = 4 }, { $0.facts.known = 0 },
    { $0.tell([LIL_PID: 0]) }, { $0.tell([LIL_PID: 1 << 31]) }, { $0 = lil_event() },
  ]

  @Test(arguments: malformed.indices) func whatNoProgramWritesIsRefused(_ index: Int) {
    #expect(taken(event(.ptrace, Self.malformed[index])) == nil)
  }

  @Test func timeIsTheTimeOfTheCall() throws {
    let ago: Int64 = 5_000_000_000
    let found = try #require(taken(event { $0.time = UInt64(Clock.sinceBoot() - ago) }))
    #expect(abs(Clock.realtime() - ago - found.time) < 1_000_000_000)
    #expect(abs(found.facts.call.time - found.time) < 1_000_000_000)
    #expect(taken(event { $0.time = .max }) != nil, "whatever the number is")
  }

  // MARK: The subject

  @Test func everythingOfTheSubject() throws {
    let file = FileIdentity(device: DeviceNumber(major: 8, minor: 1), inode: 42)
    var surroundings = MemorySurroundings()
    surroundings.programs[MemorySurroundings.key(1234, 4567, file)] = SeenPath(
      path: Array("/usr/bin/gdb".utf8), isVerified: true)
    surroundings.groups[77] = Array("/system.slice/x.service/sub".utf8)
    let raw = event {
      $0.start = 45_679_999_999
      fill(&$0.comm, "gdb".utf8)
      $0.tell([
        LIL_PPID: 1, LIL_UID: 1000, LIL_EUID: 1001, LIL_GID: 1002, LIL_EGID: 1003, LIL_AUID: 0xffff_ffff,
        LIL_SESSION: 3, LIL_EXE_DEV: 8 << 20 | 1, LIL_EXE_INO: 42, LIL_EFFECTIVE: 1 << 19, LIL_PERMITTED: 3 << 19,
        LIL_USERNS_INITIAL: 1, LIL_MNTNS_INITIAL: 0, LIL_CGROUP: 77,
      ])
    }
    let found = try #require(taken(raw, surroundings)).facts
    let subject = found.subject
    #expect(
      found.present.isSuperset(of: [
        .subjectStatus, .subjectStat, .subjectLogin, .subjectNamespaces, .subjectExecutable, .subjectControlGroup,
        .subjectCapabilities, .request,
      ]))
    #expect(subject.pid == 1234 && subject.identity == .certain && subject.parent == 1)
    #expect((subject.uid, subject.euid, subject.gid, subject.egid) == (1000, 1001, 1002, 1003))
    #expect(text(subject.comm) == "gdb" && subject.auditUID == .max && subject.auditSession == 3)
    #expect(subject.startTime == 45_679_999_999 / (1_000_000_000 / UInt64(Clock.ticksPerSecond)))
    #expect(subject.effectiveCapabilities.members == [.sysPtrace] && subject.permittedCapabilities.bits == 3 << 19)
    #expect(subject.userNamespaceInitial && !subject.mountNamespaceInitial)
    #expect(text(subject.executable) == "/usr/bin/gdb" && subject.executableVerified)
    #expect(subject.executableIdentity == file)
    #expect(text(subject.controlGroup) == "/system.slice/x.service/sub" && text(subject.unit) == "x.service")
    #expect(found.failure == nil && found.answerNanoseconds == nil && found.operation == .call)
  }

  /// One value that is not told takes its whole group with it, and no other.
  @Test func whatIsNotToldIsNotSaid() throws {
    let bare = try #require(taken(event())).facts
    #expect(bare.present == [.request, .call])
    let halves: [(KeyValuePairs<lil_field, UInt64>, FactSet)] = [
      ([LIL_UID: 0, LIL_EUID: 0, LIL_GID: 0, LIL_EGID: 0], .subjectStatus), ([LIL_AUID: 0], .subjectLogin),
      ([LIL_EFFECTIVE: 0], .subjectCapabilities), ([LIL_USERNS_INITIAL: 1], .subjectNamespaces),
      ([LIL_EXE_DEV: 1, LIL_EXE_INO: 1], .subjectExecutable), ([LIL_CGROUP: 5], .subjectControlGroup),
      ([LIL_TARGET_UID: 5], .targetStatus), ([LIL_OBJECT_DEV: 1], .objectIdentity),
      ([LIL_OBJECT_OWNER: 1], .objectPermissions), ([LIL_FSTYPE_LOW: 0x3474_7865], .objectFileSystem),
    ]
    for (told, group) in halves {
      let found = try #require(taken(event { $0.tell(told) })).facts
      #expect(found.present.isDisjoint(with: group), "\(told)")
    }
  }

  @Test func aProgramIsNamedOnlyWhereItIsTheOneOfTheEvent() throws {
    let file = FileIdentity(device: DeviceNumber(major: 8, minor: 1), inode: 42)
    var surroundings = MemorySurroundings()
    let tick = 1_000_000_000 / UInt64(Clock.ticksPerSecond)
    surroundings.programs[MemorySurroundings.key(1234, 10, file)] = SeenPath(path: [0x2f], isVerified: true)
    func isNamed(start: UInt64, inode: UInt64, user: UInt64 = 1) -> (Bool, verified: Bool)? {
      let raw = event {
        $0.start = start
        $0.tell([LIL_EXE_DEV: 8 << 20 | 1, LIL_EXE_INO: inode, LIL_USERNS_INITIAL: user, LIL_MNTNS_INITIAL: 1])
      }
      return taken(raw, surroundings).map {
        ($0.facts.present.contains(.subjectExecutable), $0.facts.subject.executableVerified)
      }
    }
    #expect(try #require(isNamed(start: 10 * tick, inode: 42)) == (true, true))
    #expect(try #require(isNamed(start: 10 * tick + tick - 1, inode: 42)) == (true, true), "the same tick")
    #expect(try #require(isNamed(start: 11 * tick, inode: 42)).0 == false)
    #expect(try #require(isNamed(start: 10 * tick, inode: 43)).0 == false)
    #expect(try #require(isNamed(start: 0, inode: 42)).0 == false, "no start time was told")
    // Who has a user namespace of his own may name any program as the one that he runs.
    #expect(try #require(isNamed(start: 10 * tick, inode: 42, user: 0)) == (true, false))
  }
}
