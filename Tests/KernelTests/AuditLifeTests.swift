// Owns Lilium's life beside the kernel's audit: rules that come, stay and go, losses, and others who use audit too.
// It must leave auditing as it found it.

import Foundation
import Testing

@Suite(.serialized) struct AuditLifeTests {
  private func started(_ calls: String = "module = \"audit\"", more: String = "", rules: String = "") throws -> Host {
    let host = try Host()
    try host.addCaller()
    try host.start(rules: rules, exec: "off", calls: calls, more: more)
    return host
  }

  private func ownRules(_ host: Host) throws -> Int {
    Int(try host.run("auditctl -l | grep -c lilium").output.split(separator: "\n").last ?? "") ?? -1
  }

  private func isEnabled(_ host: Host) throws -> Bool { try host.run("auditctl -s | grep -q '^enabled 1'").status == 0 }

  @Test func leavesAuditingAsItWas() throws {
    let host = try started()
    #expect(try ownRules(host) == 6 && isEnabled(host))
    #expect(try host.stop().status == 0)
    #expect(try ownRules(host) == 0 && !isEnabled(host))
    // With somebody's rule, auditing stays on.
    try host.start(rules: "", exec: "off", calls: "module = \"audit\"")
    try host.check(host.run("auditctl -a always,exit -F arch=b64 -S acct -F key=theirs"))
    #expect(try host.stop().status == 0)
    let after = try host.run(
      "auditctl -l; auditctl -s | head -1; auditctl -d always,exit -F arch=b64 -S acct -F key=theirs; auditctl -e 0 >/dev/null"
    )
    #expect(
      after.output.contains("theirs") && !after.output.contains("lilium") && after.output.contains("enabled 1"),
      "\(after)")
  }

  @Test func aKilledDaemonLeavesNothingAfterTheUnitsCleanUp() throws {
    let host = try started()
    try host.check(host.run("kill -KILL $(cat daemon.pid); sleep 0.3"))
    #expect(try ownRules(host) == 6, "rules outlive the process")
    let unit = try String(contentsOfFile: "\(WholeHostTests.root)/etc/systemd/liliumd.service", encoding: .utf8)
    let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStopPost=") })
    let arguments = line.dropFirst("ExecStopPost=/usr/sbin/liliumd".count)
    try host.check(host.run("\(Host.products)/liliumd\(arguments) --state state"))
    #expect(try ownRules(host) == 0 && !isEnabled(host))
  }

  @Test func aNewDaemonTakesOverWhatAKilledOneLeft() throws {
    let host = try started("module = \"audit\"\nkexec = \"audit\"")
    try host.check(host.run("kill -KILL $(cat daemon.pid); sleep 0.3"))
    try host.start(rules: "", exec: "off", calls: "module = \"audit\"")
    #expect(try host.run("auditctl -l | grep -c lilium.kexec").output == "0")
    #expect(try ownRules(host) == 6)
    _ = try host.stop()
    #expect(try ownRules(host) == 0 && !isEnabled(host), "the mark of the first daemon was lost")
  }

  @Test func putsDeletedRulesBack() throws {
    let host = try started()
    try host.check(host.run("auditctl -D >/dev/null; sleep 1"))
    #expect(try ownRules(host) == 6)
    let called = try host.call("delete_module", as: Host.stranger)
    #expect(try host.record(of: called, "module") != nil)
    try host.check(host.run("auditctl -e 0 >/dev/null; sleep 1"))
    #expect(try isEnabled(host))
    let status = try host.control("status")
    #expect(status.output.contains("put back"), "\(status)")
  }

  /// Calls that come faster than they can be read: what is recorded and what is counted as lost is all there was.
  @Test func aStormIsCountedToTheUnit() throws {
    let host = try started(more: "[audit]\nreceive_buffer_mib = 1\n", rules: "deny module when subject.uid == 61234\n")
    let rounds = 200_000
    let began = Date()
    let outcome = try host.run(
      "for i in 1 2; do \(Host.stranger) m/lilcaller storm \(rounds / 2) >/dev/null & done; wait; echo done",
      seconds: 150)
    #expect(outcome.output.contains("done"), "\(outcome)")
    let seconds = Date().timeIntervalSince(began)
    let pid = host.read("daemon.pid").trimmingCharacters(in: .whitespacesAndNewlines)
    let resident = WholeHostTests.residentKiB(pid)
    #expect(resident < 300 << 10, "\(resident) KiB after a storm of \(seconds) s")
    // One call is three records: SYSCALL, PROCTITLE and EOE. Each was read, or is counted as lost.
    var audit: [String: Any] = [:]
    var counted = 0
    var lost = 0
    for _ in 0..<60 where counted < 3 * rounds {
      usleep(500_000)
      let status = try JSONSerialization.jsonObject(with: Data(host.control("status --json").output.utf8))
      audit = (status as? [String: Any])?["audit"] as? [String: Any] ?? [:]
      lost = (audit["kernel_lost"] as? Int ?? 0) + (audit["socket_drops"] as? Int ?? 0)
      counted = (audit["records"] as? Int ?? 0) + lost
    }
    // What sudo-like tools do to become the test's user is recorded as well.
    #expect((3 * rounds...3 * rounds + 500).contains(counted), "\(counted): \(audit)")
    #expect(lost > 0, "the storm was too weak to lose anything: \(audit)")
    #expect((audit["received"] as? Int ?? 0) > 100, "\(audit)")
    let loss = try host.control("status")
    #expect(loss.output.contains("audit-socket"), "\(loss)")
  }

  /// With the sink `audit`, a denial stands in the kernel's own trail: as the kernel tells it, with the rule's number, and
  /// as Lilium tells it.
  @Test func denialsGoToTheAuditTrailOnRequest() throws {
    let host = try Host()
    try host.addPrograms()
    try host.write("rules/50-test.rules", host.usualRules)
    try host.write(
      "lilium.toml",
      """
      [mode]
      exec = "enforce"
      [coverage]
      filesystems = ["\(host.mount)"]
      [log]
      sinks = ["audit"]
      [control]
      socket = "\(host.folder)/control.sock"
      group = ""
      """)
    try host.check(
      host.run(
        """
        \(Self.startOfAuditd.replacingOccurrences(of: "nochange", with: "enable"))
        timeout -s KILL 60 \(Host.products)/liliumd --config lilium.toml --rules rules --state state > daemon.err 2>&1 &
        echo $! > timeout.pid
        for i in $(seq 100); do [ -S control.sock ] && break; sleep 0.05; done
        pgrep -P $(cat timeout.pid) > daemon.pid; cp m/bad $'m/bad "x" resp=1'; sleep 0.5
        m/good && ! m/bad && ! m/bad*resp*
        """))
    usleep(500_000)
    _ = try host.stop()
    _ = try host.run("\(Self.endOfAuditd); auditctl -e 0 > /dev/null")
    let lines = host.read("auditd.out").split(separator: "\n")
    let kernel = lines.filter { $0.hasPrefix("type=FANOTIFY") }
    #expect(kernel.count == 2 && kernel.allSatisfy { $0.contains("resp=2") }, "\(kernel)")
    #expect(
      kernel.allSatisfy { $0.contains("fan_type=1 fan_info=1") } || kernel.allSatisfy { !$0.contains("fan_type=1") })
    let own = lines.filter { $0.hasPrefix("type=USER_AVC") && $0.contains("lilium: id=") }
    #expect(own.count == 2, "\(own)")
    #expect(own.allSatisfy { $0.contains("mechanism=exec mode=enforce verdict=deny effect=prevented reason=rule") })
    #expect(own.contains { $0.contains("obj_path=\"\(host.mount)/bad\"") }, "\(own)")
    #expect(own.allSatisfy { !$0.contains("\"x\"") }, "a hostile name is encoded: \(own)")
  }

  private static let startOfAuditd = """
    mkdir -p auditd && chmod 700 auditd && cat > auditd/auditd.conf <<X
    log_file = $PWD/auditd/audit.log
    log_format = RAW
    log_group = root
    write_logs = yes
    flush = NONE
    max_log_file = 64
    num_logs = 0
    space_left = 2
    admin_space_left = 1
    space_left_action = IGNORE
    admin_space_left_action = IGNORE
    disk_full_action = IGNORE
    disk_error_action = IGNORE
    max_log_file_action = IGNORE
    X
    auditd -f -s nochange -c $PWD/auditd > auditd.out 2>&1 & echo $! > auditd.pid; sleep 1
    kill -0 $(cat auditd.pid) || { cat auditd.out; exit 1; }
    """

  /// In order where it heeds that without an init system, by force where not.
  private static let endOfAuditd = """
    kill $(cat auditd.pid) 2>/dev/null
    for i in $(seq 20); do kill -0 $(cat auditd.pid) 2>/dev/null || break; sleep 0.1; done
    kill -KILL $(cat auditd.pid) 2>/dev/null; sleep 0.3; true
    """

  /// auditd reads by unicast, Lilium by multicast; neither takes anything from the other.
  @Test(arguments: ["before", "during"])
  func livesBesideAuditd(_ when: String) throws {
    let host = try Host()
    try host.addCaller()
    let theirs = "auditctl -a always,exit -F arch=b64 -S acct -F key=theirs"
    if when == "before" { try host.check(host.run("\(Self.startOfAuditd)\n\(theirs)\nauditctl -e 1 > /dev/null")) }
    try host.start(rules: "", exec: "off", calls: "module = \"audit\"")
    if when == "during" { try host.check(host.run("\(Self.startOfAuditd)\n\(theirs)")) }
    for _ in 0..<20 { _ = try host.run("python3 -c 'import ctypes; ctypes.CDLL(None).acct(b\"/nonexistent\")'") }
    let called = try host.call("delete_module", as: Host.stranger)
    #expect(try host.record(of: called, "module") != nil)
    if when == "during" {
      try host.check(host.run(Self.endOfAuditd))
      let again = try host.call("delete_module", as: Host.stranger)
      #expect(try host.record(of: again, "module") != nil, "after auditd has stopped")
    }
    #expect(try host.stop().status == 0)
    let left = try host.run(
      "auditctl -l; auditctl -s | head -1; cat auditd.out | grep -c 'type=SYSCALL.*key=\"theirs\"'")
    #expect(left.output.contains("key=theirs") && !left.output.contains("lilium"), "\(left)")
    #expect(
      left.output.hasSuffix("\n20"), "auditd has all its records: \(left) \(host.read("auditd.out").suffix(600))")
    // On for as long as auditd and its rule use it.
    #expect(left.output.contains("enabled 1"), "\(left)")
    _ = try host.run("\(Self.endOfAuditd); auditctl -D >/dev/null; auditctl -e 0 >/dev/null")
  }

  @Test func namesWhatHidesCalls() throws {
    let host = try Host()
    try host.addCaller()
    try host.check(host.run("auditctl -a never,exit -F arch=b64 -S delete_module"))
    defer { _ = try? host.run("auditctl -d never,exit -F arch=b64 -S delete_module") }
    try host.start(rules: "", exec: "off", calls: "module = \"audit\"")
    let status = try host.control("status")
    #expect(status.output.contains("hides every call of delete_module"), "\(status)")
    let doctor = try host.control("doctor")
    #expect(doctor.output.contains("delete_module"), "\(doctor)")
  }

  @Test func refusesEnforcementThatCannotPrevent() throws {
    let host = try Host()
    #expect(throws: HostError.self) {
      try host.start(rules: "", exec: "off", calls: "ptrace = \"enforce\"")
    }
    #expect(host.read("daemon.err").contains("on_unpreventable"), "\(host.read("daemon.err"))")
  }
}
