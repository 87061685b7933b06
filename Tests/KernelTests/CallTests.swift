// Owns the system-call doors on a real kernel: sensed, decided and recorded in audit mode, by who calls and how.
// It must not judge containment: ContainmentTests does.

import Foundation
import Testing

@Suite(.serialized) struct CallTests {
  /// Every system-call mechanism in dry run, with one named device request.
  static let all = """
    ptrace = "audit"
    mprotect = "audit"
    module = "audit"
    kexec = "audit"
    mount = "audit"
    clone = "audit"
    ioctl = "audit"
    """
  static let rules = "deny ioctl when operation.request == \"TIOCSTI\"\n"

  private func started(_ calls: String = all, rules: String = rules, more: String = "") throws -> Host {
    let host = try Host()
    try host.addCaller()
    try host.start(rules: rules, exec: "off", calls: calls, more: more)
    return host
  }

  struct Case: CustomTestStringConvertible, Sendable {
    var words: String
    var mechanism: String
    var syscall: String
    /// What the record's `operation` must hold.
    var expected: [String: String] = [:]
    var testDescription: String { words }
  }

  static let cases: [Case] = [
    Case(words: "attach", mechanism: "ptrace", syscall: "ptrace", expected: ["request": "PTRACE_ATTACH"]),
    Case(words: "seize", mechanism: "ptrace", syscall: "ptrace", expected: ["request": "PTRACE_SEIZE"]),
    Case(words: "traceme", mechanism: "ptrace", syscall: "ptrace", expected: ["request": "PTRACE_TRACEME"]),
    Case(words: "writev", mechanism: "ptrace", syscall: "process_vm_writev"),
    Case(
      words: "mmap-wx", mechanism: "mprotect", syscall: "mmap",
      expected: ["protection": "PROT_READ,PROT_WRITE,PROT_EXEC", "flags": "MAP_PRIVATE,MAP_ANONYMOUS"]),
    Case(
      words: "mprotect-x", mechanism: "mprotect", syscall: "mprotect", expected: ["protection": "PROT_READ,PROT_EXEC"]),
    Case(words: "init_module", mechanism: "module", syscall: "init_module"),
    Case(words: "finit_module", mechanism: "module", syscall: "finit_module"),
    Case(words: "delete_module", mechanism: "module", syscall: "delete_module", expected: ["flags": "O_NONBLOCK"]),
    Case(words: "kexec_load", mechanism: "kexec", syscall: "kexec_load", expected: ["flags": "KEXEC_ON_CRASH"]),
    Case(words: "kexec_file_load", mechanism: "kexec", syscall: "kexec_file_load"),
    Case(
      words: "mount m", mechanism: "mount", syscall: "mount",
      expected: ["flags": "MS_NOSUID,MS_NODEV", "source": "none"]),
    Case(words: "new-mount m", mechanism: "mount", syscall: "move_mount", expected: ["source": "none"]),
    Case(words: "umount /nonexistent", mechanism: "mount", syscall: "umount2", expected: ["flags": "MNT_DETACH"]),
    Case(
      words: "unshare 0x4000000", mechanism: "clone", syscall: "unshare",
      expected: ["namespaces": "uts", "flags": "CLONE_NEWUTS"]),
    Case(words: "clone 0x4000000", mechanism: "clone", syscall: "clone", expected: ["namespaces": "uts"]),
    Case(words: "clone3 0xc000000", mechanism: "clone", syscall: "clone3", expected: ["namespaces": "ipc,uts"]),
    Case(words: "setns /proc/self/ns/uts", mechanism: "clone", syscall: "setns", expected: ["namespaces": "uts"]),
    Case(words: "ioctl 0x5412", mechanism: "ioctl", syscall: "ioctl", expected: ["request": "TIOCSTI"]),
  ]

  /// Who calls.
  enum Who: String, CaseIterable {
    /// Holds every capability that opens a door.
    case root
    /// Holds none.
    case stranger
    /// Holds all of them, in a user namespace of its own.
    case rootOfItsOwn

    var prefix: String {
      switch self {
      case .root: ""
      case .stranger: Host.stranger
      case .rootOfItsOwn: "\(Host.stranger) unshare -Urm"
      }
    }
  }

  /// One daemon for all: each call by each of them.
  @Test func sensesEachCallWithAndWithoutTheCapability() throws {
    let host = try started()
    try host.check(host.run("mkdir -p m/sub"))
    for test in Self.cases {
      let words = test.words.replacingOccurrences(of: " m", with: " \(host.mount)/sub")
      for who in Who.allCases {
        // Without the capability no descriptor of a new mount is to be had.
        if who == .stranger, test.syscall == "move_mount" { continue }
        try check(test, try host.call(words, as: who.prefix, linger: 200), host, who)
        _ = try host.run("umount m/sub 2>/dev/null")
      }
    }
  }

  private func check(_ test: Case, _ called: Host.Called, _ host: Host, _ who: Who) throws {
    let found = try host.record {
      $0[path: "subject", "pid"] as? Int == called.pid && $0[path: "operation", "syscall"] as? String == test.syscall
        && ($0[path: "subject", "exe"] as? String)?.hasSuffix("/lilcaller") == true
    }
    let record = try #require(found, "\(test.words) by \(who): no record")
    #expect(record["mechanism"] as? String == test.mechanism)
    #expect(record["mode"] as? String == "audit" && record["effect"] as? String == "logged", "\(test.words): \(record)")
    if who == .root {
      #expect(
        record["verdict"] as? String == "allow" && record["reason"] as? String == "capability",
        "\(test.words): \(record)"
      )
    } else {
      #expect(record["verdict"] as? String == "deny", "\(test.words) by \(who): \(record)")
      #expect(
        record["reason"] as? String == (test.mechanism == "ioctl" ? "rule" : "default"), "\(test.words): \(record)")
    }
    #expect(record[path: "subject", "uid"] as? Int == (who == .root ? 0 : 61234))
    #expect(record[path: "subject", "identity"] as? String == "certain", "\(test.words) by \(who): \(record)")
    #expect(record[path: "subject", "userns_initial"] as? Bool == (who != .rootOfItsOwn), "\(test.words): \(record)")
    let result = record[path: "operation", "result"] as? Int
    #expect(called.result < 0 ? result == -called.error : (result ?? -1) >= 0, "\(test.words): \(record)")
    // A call that failed did nothing, so that what it would have done cannot be told by looking.
    if called.result < 0, test.mechanism == "mount" || test.syscall == "clone3" { return }
    for (name, value) in test.expected {
      let field = record[path: "operation", name]
      let text = (field as? [String])?.joined(separator: ",") ?? field as? String
      #expect(text == value, "\(test.words) by \(who), \(name): \(record)")
    }
  }

  /// Debuggers as people use them; the record names whom they look into.
  @Test(arguments: ["strace -o /dev/null -p", "gdb -q -batch -nx -p"])
  func namesTheTracedProcess(_ tracer: String) throws {
    let host = try started("ptrace = \"audit\"", rules: "allow ptrace when target.comm == \"nobody\"\n")
    let outcome = try host.run(
      """
      \(Host.stranger) m/lilcaller traceme >/dev/null
      sleep 6 & V=$!; timeout -s KILL 3 \(tracer) $V > tracer.out 2>&1; echo victim $V; kill $V
      """, seconds: 30)
    let victim = try #require(outcome.output.firstMatch(of: /victim (\d+)/).flatMap { Int($0.1) }, "\(outcome)")
    let record = try #require(
      try host.record { $0[path: "target", "pid"] as? Int == victim }, "\(outcome) \(host.read("tracer.out"))")
    #expect(record[path: "target", "comm"] as? String == "sleep" && record[path: "target", "uid"] as? Int == 0)
    #expect((record[path: "target", "exe"] as? String)?.hasSuffix("/sleep") == true, "\(record)")
  }

  /// `int 0x80` in a 64-bit program is another architecture to audit.
  @Test(arguments: [
    ("b32-ptrace", "ptrace", "ptrace"), ("b32-unshare", "unshare", "clone"),
    ("b32-delete_module", "delete_module", "module"),
  ])
  func sensesTheCompatibilityCalls(_ words: String, _ syscall: String, _ mechanism: String) throws {
    let host = try started()
    let called = try host.call(words, as: Host.stranger, linger: 200)
    let record = try #require(try host.record(of: called, mechanism), "\(called)")
    #expect(record[path: "operation", "architecture"] as? String == "i386")
    #expect(record[path: "operation", "syscall"] as? String == syscall, "\(record)")
  }

  /// A full set of capabilities in a user namespace of one's own opens nothing.
  @Test func aCapabilityCountsInTheInitialUserNamespaceOnly() throws {
    let host = try started()
    let called = try host.call(
      "mount \(host.mount)", as: "\(Host.stranger) unshare -Urm", linger: 300)
    #expect(called.result == 0, "the mount in the user's own namespaces failed: \(called)")
    let record = try #require(
      try host.record {
        $0[path: "subject", "pid"] as? Int == called.pid && $0[path: "subject", "comm"] as? String == "lilcaller"
      })
    #expect(record["verdict"] as? String == "deny" && record["reason"] as? String == "default", "\(record)")
    #expect(record[path: "subject", "userns_initial"] as? Bool == false, "\(record)")
    #expect(record[path: "subject", "mntns_initial"] as? Bool == false, "\(record)")
    #expect((record[path: "subject", "capabilities"] as? [String])?.contains("CAP_SYS_ADMIN") == true, "\(record)")
    #expect(record[path: "object", "fstype"] as? String == "tmpfs", "\(record)")
    #expect(record[path: "object", "path_verified"] as? Bool == false, "\(record)")
  }

  /// mount(8) and umount(8) are gone before their records are read; what the loader's witness saw of them stays.
  @Test func knowsAHolderThatIsGoneAtOnce() throws {
    let host = try started("mount = \"audit\"", rules: "allow mount when subject.exe == \"/nowhere\"\n")
    try host.check(host.run("mkdir m/a; for i in $(seq 20); do mount -t tmpfs none m/a && umount m/a || exit 1; done"))
    _ = try host.record { $0[path: "operation", "syscall"] as? String == "umount2" }
    usleep(500_000)
    let records = try host.records().filter { ($0[path: "subject", "exe"] as? String)?.hasSuffix("mount") == true }
    #expect(records.count >= 40, "\(records.count) records")
    let uncertain = records.filter { $0["reason"] as? String != "capability" }
    #expect(uncertain.isEmpty, "\(uncertain.count) of \(records.count): \(uncertain.first ?? [:])")
    let mounts = records.filter { $0[path: "operation", "syscall"] as? String == "mount" }
    let named = mounts.filter { $0[path: "object", "path"] as? String == "\(host.mount)/a" }
    #expect(named.count == mounts.count, "\(mounts.first ?? [:])")
    // What was mounted shows only while it is: the next call may have taken it away.
    let typed = mounts.filter { $0[path: "object", "fstype"] as? String == "tmpfs" }
    #expect(typed.count * 2 > mounts.count, "\(typed.count) of \(mounts.count): \(mounts.first ?? [:])")
  }

  /// Root that gave its capabilities up is not root's program as it was when it began.
  @Test(arguments: [0, 200]) func capabilitiesThatWereGivenUpAreGone(_ milliseconds: Int) throws {
    let host = try started("module = \"audit\"")
    let kept = try host.call("delete_module")
    #expect(try host.record(of: kept, "module")?["reason"] as? String == "capability")
    for _ in 0..<5 {
      let called = try host.call("drop \(milliseconds)")
      let record = try #require(try host.record(of: called, "module"))
      #expect(record["verdict"] as? String == "deny" && record["reason"] as? String == "default", "\(record)")
      #expect((record[path: "subject", "capabilities"] as? [String])?.isEmpty != false, "\(record)")
    }
  }

  @Test func theTripwireTriesEachArmedDoor() throws {
    let host = try started(more: "[audit]\nrestore_rules = false\n")
    let doctor = try host.run(
      "\(Host.products)/liliumctl doctor --config lilium.toml --rules rules --socket control.sock")
    for mechanism in ["ptrace", "mprotect", "module", "kexec", "mount", "clone", "ioctl"] {
      let line = doctor.output.split(separator: "\n").first { $0.contains("tripwire \(mechanism):") }
      #expect(line?.hasPrefix("[+]") == true && line?.contains("arrived as a record") == true, "\(doctor)")
    }
    // Where rules are gone, it says so.
    try host.check(host.run("auditctl -D > /dev/null"))
    let blind = try host.run(
      "timeout 60 \(Host.products)/liliumctl doctor --config lilium.toml --rules rules --socket control.sock; echo status $?"
    )
    #expect(!blind.output.hasSuffix("status 0"), "\(blind)")
  }

  /// What a call of a mechanism that is off does is nobody's business.
  @Test func aMechanismThatIsOffIsNotSensed() throws {
    let host = try started("module = \"audit\"")
    _ = try host.call("mmap-wx", as: Host.stranger)
    let called = try host.call("delete_module", as: Host.stranger)
    _ = try #require(try host.record(of: called, "module"))
    #expect(try host.records().allSatisfy { $0["mechanism"] as? String == "module" })
    #expect(
      try host.run("auditctl -l | grep -vc lilium.module").output == "4", "only capset, setns and unshare are kept up")
  }

  /// The bytes of a name cannot forge a field or a line.
  @Test func hostileNamesStayNames() throws {
    let host = try started("module = \"audit\"")
    let name = "x\" uid=0 pid=1 key=\"\\n{\"\\e[31m"
    try host.check(host.run("cp m/lilcaller m/$'\(name)'"))
    let outcome = try host.run("\(Host.stranger) m/$'\(name)' delete_module")
    let pid = try #require(outcome.output.split(separator: " ").first.flatMap { Int($0) }, "\(outcome)")
    let record = try #require(
      try host.record { $0["mechanism"] as? String == "module" && $0[path: "subject", "pid"] as? Int == pid })
    #expect(record[path: "subject", "uid"] as? Int == 61234, "\(record)")
    #expect((record[path: "subject", "exe"] as? String)?.contains("uid=0 pid=1 key=") == true, "\(record)")
    #expect(!host.read("records.json").contains("\u{1b}"))
  }
}
