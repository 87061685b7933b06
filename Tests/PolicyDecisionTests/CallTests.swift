// Rules about system calls: what their attributes say, and what an uncertain subject comes to.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct CallTests {
  @Test(arguments: [
    ("ptrace", "target.pid == 812"), ("ptrace", "target.uid == subject.uid"), ("ptrace", "target.comm == \"sshd\""),
    ("ptrace", "target.exe == \"/usr/sbin/sshd\""), ("ptrace", "target.exe.startsWith(\"/usr/\")"),
    ("ptrace", "operation.request == \"PTRACE_ATTACH\""), ("ptrace", "operation.request_number == 0x10"),
    ("ptrace", "operation.request in [\"PTRACE_SEIZE\", \"PTRACE_ATTACH\"]"),
    ("ptrace", "operation.request_number in [1, 16]"), ("ptrace", "operation.syscall == \"ptrace\""),
    ("ptrace", "operation.architecture == \"x86_64\""), ("ptrace", "operation.kind == \"call\""),
    ("mount", "\"MS_BIND\" in operation.flags"), ("mount", "operation.flags.size() == 2"),
    ("mount", "operation.source == \"/dev/sdb1\" && object.path == \"/usr/bin/ls\" && object.fstype == \"ext4\""),
    ("mprotect", "\"PROT_EXEC\" in operation.protection && size(operation.protection) == 2"),
    ("clone", "\"user\" in operation.namespaces && operation.namespaces.size() < 3"),
    ("module", "operation.module == \"nf_tables\" && object.owner == 0"),
    ("module", "operation.module.contains(\"_\")"),
    ("kexec", "operation.flags.size() == 2"), ("ioctl", "object.dev == \"8:1\""),
  ])
  func anAttributeSaysWhatTheRecordSaid(_ mechanism: String, _ condition: String) throws {
    let door = try #require(Mechanism(name: mechanism))
    let facts = sheet { $0.begin(pid: 42, operation: .call) }
    facts.markPresent(everything)
    #expect(decided(policy("allow \(mechanism) when \(condition)"), door, facts) == "allow rule")
    let negated = policy("deny \(mechanism) when !(\(condition))") { $0[door].defaultVerdict = .allow }
    #expect(decided(negated, door, facts) == "allow default")
  }

  @Test(arguments: [
    ("mount", "\"MS_BIN\" in operation.flags"), ("mount", "\"\" in operation.flags"),
    ("mprotect", "\"PROT_READ\" in operation.protection"), ("clone", "\"net\" in operation.namespaces"),
    ("clone", "operation.syscall in operation.namespaces"), ("ptrace", "operation.request == \"PTRACE_SEIZE\""),
    ("ptrace", "operation.kind == \"execute\""),
  ])
  func andNothingElse(_ mechanism: String, _ condition: String) throws {
    let door = try #require(Mechanism(name: mechanism))
    let facts = sheet { $0.begin(pid: 42, operation: .call) }
    facts.markPresent(everything)
    #expect(decided(policy("allow \(mechanism) when \(condition)"), door, facts) == "deny default")
  }

  @Test func theLargestRequestNumberIsExact() {
    let facts = sheet { $0.call.requestNumber = .max }
    #expect(decided(policy("allow ptrace when operation.request_number == -1"), .ptrace, facts) == "deny default")
    #expect(
      decided(policy("allow ptrace when operation.request_number > 9223372036854775807"), .ptrace, facts)
        == "allow rule")
  }

  /// Held or not, a capability that may be another process's opens nothing, and the record says why.
  @Test func anUncertainCapabilityIsNotHeld() {
    let facts = blankSheet {
      $0.subject.effectiveCapabilities = CapabilitySet(bits: .max)
      $0.subject.userNamespaceInitial = true
    }
    facts.markFailed(.subjectCapabilities, because: .subjectUncertain)
    #expect(decided(policy("allow ptrace when target.uid == 0\ndeny ptrace"), .ptrace, facts) == "needs 16777216")
    facts.markPresent(.targetStatus)
    #expect(decided(policy("allow ptrace when target.uid == 0"), .ptrace, facts) == "deny default")
    facts.markFailed(.targetExecutable, because: .targetUnreadable)
    #expect(facts.failure == .subjectUncertain)
    // Known not to be held, it is not asked in which namespace.
    let without = blankSheet { $0.subject.effectiveCapabilities = CapabilitySet() }
    without.markPresent(.subjectCapabilities)
    without.markFailed(.subjectNamespaces, because: .subjectUncertain)
    #expect(decided(policy("allow ptrace"), .ptrace, without) == "allow rule")
  }
}

@Suite struct RequestFilterTests {
  private static let base: [UInt64] = [0, 16, 0x4206]

  @Test(
    arguments: [
      ("", base), ("deny ptrace", base), ("allow ptrace when target.uid == 0", base),
      ("deny ptrace when operation.request == \"PTRACE_POKEDATA\"", [0, 5, 16, 0x4206]),
      ("allow ptrace when operation.request != \"PTRACE_POKETEXT\"", [0, 4, 16, 0x4206]),
      ("deny ptrace when !(operation.request in [\"PTRACE_ATTACH\", \"PTRACE_CONT\"])", [0, 7, 16, 0x4206]),
      ("deny ptrace when target.uid == 0 && (7 == operation.request_number || subject.uid == 1)", [0, 7, 16, 0x4206]),
      ("deny ptrace when (operation.request_number in [3, -3]) == subject.userns_initial", [0, 3, 16, 0x4206]),
      ("deny ioctl when operation.request == \"TIOCSTI\"", base),
    ] as [(String, [UInt64])])
  func ptraceSensesTheHoldAndWhatIsNamed(_ rules: String, _ expected: [UInt64]) {
    #expect(policy(rules).requestFilter(.ptrace) == .numbers(expected))
  }

  @Test(
    arguments: [
      ("", []), ("allow ioctl", []), ("allow ioctl when operation.request == \"TIOCSTI\"", []),
      ("deny ioctl when operation.request == \"TIOCSTI\"", [0x5412]),
      ("deny ioctl when \"TIOCLINUX\" == operation.request && subject.uid != 0", [0x541c]),
      ("deny ioctl when operation.request in [\"TIOCSTI\", \"FIBMAP\", \"TIOCSTI\"]", [1, 0x5412]),
      ("deny ioctl when operation.request_number in [5, 3, -1]", [3, 5]),
      ("deny ioctl when operation.request == \"FS_IOC_SETFLAGS\"", [0x4004_6602, 0x4008_6602]),
      ("deny ioctl when operation.request == \"TIOCSTI\" || operation.request_number == 9", [9, 0x5412]),
      ("deny ioctl when operation.request_number in [1, 2, 3] && operation.request_number in [2, 3, 4]", [2, 3]),
      (
        "deny ioctl when subject.uid == 1 && (operation.request == \"FIBMAP\" || operation.request_number == 2)",
        [1, 2]
      ),
      ("deny ioctl when operation.request == \"FIBMAP\"\ndeny ioctl when operation.request_number == 7", [1, 7]),
      ("deny ioctl when false", []), ("deny ptrace", []),
    ] as [(String, [UInt64])])
  func ioctlSensesWhatDenyRulesName(_ rules: String, _ expected: [UInt64]) {
    let policy = policy(rules)
    #expect(policy.requestFilter(.ioctl) == .numbers(expected))
    var settings = policy.settings
    settings[.ioctl].defaultVerdict = .deny
    #expect(policy.withSettings(settings).requestFilter(.ioctl) == .all)
  }

  @Test(arguments: [
    "deny ioctl", "deny ioctl when subject.uid == 0", "deny ioctl when operation.request != \"TIOCSTI\"",
    "deny ioctl when !(operation.request in [\"TIOCSTI\"])", "deny ioctl when operation.request_number >= 1",
    "deny ioctl when operation.request.startsWith(\"TIOC\")",
    "deny ioctl when operation.request == \"TIOCSTI\" || object.path == \"/dev/mem\"",
    "deny ioctl when operation.request == \"TIOCSTI\"\ndeny ioctl when subject.uid == 7",
  ])
  func aDenyRuleThatNamesNoRequestSensesAll(_ rules: String) {
    #expect(policy(rules).requestFilter(.ioctl) == .all)
  }

  @Test func otherDoorsAreNotFilteredByRequest() {
    let none = policy("")
    for mechanism in Mechanism.allCases where mechanism != .ptrace && mechanism != .ioctl {
      #expect(none.requestFilter(mechanism) == .all)
    }
  }
}
