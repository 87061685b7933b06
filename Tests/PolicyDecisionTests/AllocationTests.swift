// A warm decision allocates nothing.

import AccessModel
import CAllocationCounter
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct AllocationTests {
  private static let rules = """
    deny exec when object.links == 0 || !object.path_verified
    deny exec when object.path.startsWith("/tmp/") || object.directory in ["/var/tmp", "/dev/shm"]
    deny exec when object.dev == "8:77" || subject.exe_dev.startsWith("9:") || object.mount_flags.size() == 4
    deny exec when object.path.matches(r"^/opt/(a|b)+/[0-9]{3,}x$") || object.path.size() > 4000
    deny exec when "CAP_SYS_ADMIN" in subject.capabilities || subject.comm in subject.permitted_capabilities
    deny exec when subject.uid in [3, 4, 5] || 12345 in subject.groups || size(subject.groups) > 100
    deny exec when subject.unit == "x.service" && object.kind == "script" && operation.kind == "open"
    deny exec when (object.setuid == object.setgid) == subject.mntns_initial && object.owner > subject.uid
    deny exec when !object.trusted || object.sha256.startsWith("00") || object.sha256 in ["\(sampleDigest.dropLast())0"]
    allow exec when object.path.contains("/bin/") && !object.path.endsWith(".so") && subject.parent_exe != ""
    """

  private func allocations(_ count: Int, of body: () -> Void) -> UInt64 {
    for _ in 0..<100 { body() }
    let before = lilium_allocations()
    for _ in 0..<count { body() }
    return lilium_allocations() - before
  }

  @Test func theCounterCounts() {
    var sink: [[UInt8]] = []
    #expect(allocations(10) { sink.append([UInt8](repeating: 1, count: 100)) } >= 10)
    #expect(sink.count == 110)
  }

  @Test(arguments: [Operation.execute, .open])
  func aWarmDecisionAllocatesNothing(_ operation: Operation) {
    let policy = policy(Self.rules)
    let facts = sheet {
      $0.operation = operation
      $0.object.kind = .elfLibrary
    }
    #expect(decided(policy, .exec, facts) == "allow rule")
    #expect(allocations(1000) { _ = policy.decide(.exec, facts) } == 0)
  }

  @Test func whatHoldsForEverybodyIsFoundWithoutAllocating() {
    let policy = policy(
      "deny exec when object.owner != 0 || object.sha256.startsWith(\"00\")\nallow exec when object.trusted")
    let (known, unknown) = (sheet(), blankSheet())
    #expect(allocations(1000) { _ = policy.decideForEverySubject(.exec, known) } == 0)
    #expect(allocations(1000) { _ = policy.decideForEverySubject(.exec, unknown) } == 0)
  }

  /// The failing way is as warm as the other: a host without a database goes it for every request.
  @Test func aMissingDatabaseAllocatesNothing() {
    let policy = policy("deny exec when object.owner != 0\nallow exec when object.trusted && object.size > 3")
    let facts = sheet { $0.markFailed(.objectTrust, because: .trustUnavailable) }
    #expect(decided(policy, .exec, facts) == "allow failure")
    #expect(allocations(1000) { _ = policy.decide(.exec, facts) } == 0)
  }

  private static let callRules = """

    deny mount when "MS_BIND" in operation.flags && operation.source == "/x" || operation.flags.size() > 9
    deny mount when operation.syscall == "umount2" || operation.architecture.contains("86_65")
    deny mount when operation.syscall in operation.flags || object.path == "/x"
    deny ptrace when target.uid != subject.uid || target.exe == "/x" || target.comm.size() > 15 || target.pid == 1
    deny ptrace when operation.request in ["PTRACE_SEIZE"] || operation.request_number == 4
    allow mount
    allow ptrace
    """

  @Test(arguments: [Mechanism.mount, .ptrace])
  func aWarmDecisionAboutACallAllocatesNothing(_ mechanism: Mechanism) {
    let policy = policy(Self.callRules)
    let facts = sheet()
    #expect(decided(policy, mechanism, facts) == "allow rule")
    #expect(allocations(1000) { _ = policy.decide(mechanism, facts) } == 0)
  }

  @Test func needsUndecidedAndAnchorsAllocateNothing() {
    let policy = policy(Self.rules + "\ndeny open when object.path in [\"/etc/shadow\", \"/etc/gshadow\"]")
    let (blank, undecided, path) = (blankSheet(), sheet { $0.object.pathVerified = false }, bytes("/usr/bin/ls"))
    #expect(allocations(1000) { _ = policy.decide(.exec, blank) } == 0)
    #expect(allocations(1000) { _ = policy.decide(.exec, undecided) } == 0)
    #expect(allocations(1000) { _ = policy.decide(.ptrace, undecided) } == 0)
    #expect(allocations(1000) { _ = policy.matchesAnchor(path) } == 0)
  }
}
