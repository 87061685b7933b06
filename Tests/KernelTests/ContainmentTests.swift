// Owns containment on a real kernel: whoever did what the policy denies is ended, a mount is undone, nobody else is touched.
// It must only ever contain the test's own user and program: every rule here names them.

import Foundation
import Testing

@Suite(.serialized) struct ContainmentTests {
  static let mechanisms = ["ptrace", "mprotect", "module", "kexec", "mount", "clone"]

  /// Everything is allowed but to the user of the tests, and to the test's program when it is called `lilbad`.
  private func started() throws -> Host {
    let modes = Self.mechanisms.map { "\($0) = \"enforce\"" }.joined(separator: "\n")
    let contain = Self.mechanisms.map { "\($0) = \"contain\"" }.joined(separator: "\n")
    let evaluate = Self.mechanisms.map { "\($0) = \"evaluate\"" }.joined(separator: "\n")
    let rules = Self.mechanisms.map {
      """
      allow \($0) when "CAP_SYS_ADMIN" in subject.capabilities && subject.userns_initial && subject.comm != "lilbad"
      deny \($0) when subject.uid == 61234 || subject.comm == "lilbad"
      allow \($0)
      """
    }
    let host = try Host()
    try host.addCaller()
    try host.check(host.run("cp m/lilcaller m/lilbad"))
    try host.start(
      rules: rules.joined(separator: "\n"), exec: "off", calls: modes,
      more: "[on_unpreventable]\n\(contain)\n[holders]\n\(evaluate)\n")
    return host
  }

  /// What is done as an unprivileged user and succeeds.
  static let succeeding: [(words: String, mechanism: String)] = [
    ("attach", "ptrace"), ("seize", "ptrace"), ("writev", "ptrace"), ("mmap-wx", "mprotect"),
    ("mprotect-x", "mprotect"), ("unshare 0x10000000", "clone"), ("clone3 0x10000000", "clone"),
  ]

  @Test func endsWhoeverDidIt() throws {
    let host = try started()
    for (words, mechanism) in Self.succeeding {
      let called = try host.call(words, as: Host.stranger, linger: 3000)
      #expect(called.result >= 0, "\(words): \(called)")
      #expect(called.status == 137, "\(words) was not ended: \(called)")
      let record = try #require(try host.record(of: called, mechanism), "\(words)")
      #expect(
        record["effect"] as? String == "contained" && record["verdict"] as? String == "deny", "\(words): \(record)")
      #expect(record["mode"] as? String == "enforce" && record[path: "subject", "identity"] as? String == "certain")
    }
  }

  /// A call that failed has done nothing that could be contained.
  @Test func anAttemptIsRecordedAndNotContained() throws {
    let host = try started()
    for (words, mechanism) in [("delete_module", "module"), ("kexec_load", "kexec"), ("mount \(host.mount)", "mount")] {
      let called = try host.call(words, as: Host.stranger, linger: 500)
      #expect(called.result < 0 && called.status == 0, "\(words): \(called)")
      let record = try #require(try host.record(of: called, mechanism), "\(words)")
      #expect(record["effect"] as? String == "logged" && record["verdict"] as? String == "deny", "\(words): \(record)")
      #expect(record[path: "operation", "result"] as? Int == -called.error, "\(record)")
    }
  }

  /// With the capability, without it, and with it in a user namespace of one's own.
  @Test func theCapabilityDecidesWhoIsContained() throws {
    let host = try started()
    let root = try host.call("mmap-wx", linger: 500)
    #expect(root.status == 0, "\(root)")
    #expect(try host.record(of: root, "mprotect")?["verdict"] as? String == "allow")
    let elsewhere = try host.call(
      "mmap-wx", as: "\(Host.stranger) setpriv --reuid 61234 true; unshare -Ur", linger: 500)
    #expect(elsewhere.status == 0, "root in a child namespace is not the test's user: \(elsewhere)")
    let stranger = try host.call("mmap-wx", as: "\(Host.stranger) unshare -r", linger: 3000)
    #expect(stranger.status == 137, "\(stranger)")
  }

  @Test(arguments: ["mount", "new-mount"])
  func undoesAMount(_ words: String) throws {
    let host = try started()
    try host.check(host.run("mkdir m/place"))
    let outcome = try host.run("LINGER=3000 m/lilbad \(words) \(host.mount)/place; echo status $?")
    #expect(outcome.output.contains("status 137"), "\(outcome)")
    let record = try #require(
      try host.record { $0["effect"] as? String == "contained" && $0["mechanism"] as? String == "mount" }, "\(outcome)")
    #expect(record[path: "object", "path"] as? String == "\(host.mount)/place" || words == "new-mount", "\(record)")
    usleep(200_000)
    let records = try host.records()
    #expect(try host.run("mountpoint -q m/place").status != 0, "the mount is still there: \(records)")
  }

  @Test func undoesAMountInAnotherMountNamespace() throws {
    let host = try started()
    let outcome = try host.run(
      """
      mkdir m/place
      unshare -m sh -c 'sleep 8 & echo $! > inner.pid; LINGER=3000 m/lilbad mount \(host.mount)/place; echo status $?'
      sleep 0.3
      nsenter -m -t $(cat inner.pid) mountpoint -q \(host.mount)/place; echo mounted $?
      kill $(cat inner.pid)
      """)
    #expect(outcome.output.contains("status 137"), "\(outcome)")
    let records = try host.records()
    #expect(!outcome.output.contains("mounted 0"), "\(outcome) \(records)")
  }

  /// Other processes' calls, the daemon's own and those that the rules allow go on.
  @Test func nobodyElseIsTouched() throws {
    let host = try started()
    let outcome = try host.run(
      """
      for i in $(seq 20); do
        mount -t tmpfs none m && umount m || exit 1
        unshare -m true && timeout 5 strace -o /dev/null true && python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)' || exit 2
      done
      """)
    #expect(outcome.status == 0, "\(outcome)")
    let records = try host.records()
    #expect(
      records.allSatisfy { $0["effect"] as? String == "logged" },
      "\(records.filter { $0["effect"] as? String != "logged" })")
    #expect(try host.stop().status == 0)
  }
}
