// Owns what the kernel remembers of allows: that it does, for whom it does not, and that it forgets in time.
// It must not take an answer for a question: what was asked is counted by the daemon.

import Foundation
import Testing

extension Host {
  /// How many requests the daemon has answered so far, data included.
  func asked() throws -> Int {
    let outcome = try control("status --json")
    let report = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let decisions = (report["decisions"] as? [[String: Any]] ?? []).compactMap { $0["count"] as? Int }
    return decisions.reduce(report["data_passed"] as? Int ?? 0, +)
  }

  /// Requests that a script causes.
  func asked(by script: String) throws -> Int {
    let before = try asked()
    _ = try run(script)
    return try asked() - before
  }

  /// Waits, for changes that are told after they happened, until the script is asked about again.
  func isAskedAgain(_ script: String) throws -> Bool {
    for _ in 0..<40 {
      if try asked(by: script) > 0 { return true }
      usleep(50_000)
    }
    return false
  }
}

@Suite(.serialized) struct RememberedTests {
  /// A host whose `m/tool` is trusted and was handed to the kernel.
  static func host(_ fileSystem: String = "tmpfs", rules: String = Host.contentRules, more: String = "") throws -> Host
  {
    let host = try Host(fileSystem: fileSystem)
    try host.check(host.run("cp /bin/true m/tool && cp /bin/true m/other && echo text > m/text && sleep 0.2"))
    try host.check(host.trust("add m/tool m/text"))
    try host.start(rules: rules, logsAllows: false, more: more)
    #expect(try host.run("m/tool; m/tool").status == 0)
    return host
  }

  @Test(arguments: ["tmpfs", "ext4", "xfs"]) func aTrustedProgramIsAskedAboutOnce(_ fileSystem: String) throws {
    let host = try Self.host(fileSystem)
    #expect(try host.asked(by: "for i in $(seq 50); do m/tool; done") == 0)
    #expect(try host.asked(by: "cat m/text; cat m/text") > 0)
    #expect(try host.asked(by: "for i in $(seq 50); do cat m/text; done") == 0)
    #expect(try host.control("status").output.contains("allows handed to the kernel"))
    // Whoever runs it, and however.
    #expect(try host.asked(by: "setpriv --reuid 1000 --regid 1000 --clear-groups m/tool; perl m/text; . m/text") == 0)
  }

  @Test func whatIsNotTrustedIsAskedAboutEachTime() throws {
    let host = try Self.host()
    try host.check(host.run("echo unknown > m/data; sleep 0.1"))
    #expect(try host.asked(by: "m/other; m/other; m/other") >= 3)
    // Data today, code to an interpreter tomorrow.
    #expect(try host.asked(by: "cat m/data; cat m/data; cat m/data") == 3)
    #expect(try host.run("sh m/data").status != 0)
  }

  /// In dry run an allow is handed over and a would-be denial is not.
  @Test func aDryRunLosesNoRecord() throws {
    let host = try Host()
    try host.check(host.run("cp /bin/true m/tool && cp /bin/true m/other && sleep 0.2"))
    try host.check(host.trust("add m/tool"))
    try host.start(rules: Host.contentRules, exec: "audit", logsAllows: false)
    _ = try host.run("m/tool; m/tool")
    #expect(try host.asked(by: "m/tool; m/tool") == 0)
    #expect(try host.run("for i in 1 2 3 4 5; do m/other || exit 1; done").status == 0)
    #expect(try host.stop().status == 0)
    let denials = try host.records().filter { ($0[path: "object", "path"] as? String)?.hasSuffix("m/other") == true }
    #expect(denials.count { $0[path: "operation", "kind"] as? String == "execute" } == 5)
  }

  /// Each is to be recorded, so each is asked about.
  @Test func loggedAllowsAreNeverRemembered() throws {
    let host = try Host()
    try host.check(host.run("cp /bin/true m/tool && sleep 0.2"))
    try host.check(host.trust("add m/tool"))
    try host.start(rules: Host.contentRules)
    #expect(try host.asked(by: "m/tool; m/tool; m/tool") >= 3)
  }

  /// A rule that asks who the subject is keeps the kernel from speaking for everybody.
  @Test func aRuleAboutTheSubjectIsAskedEachTime() throws {
    let host = try Self.host(
      rules: "deny exec when subject.uid == 1000 && object.path.endsWith(\"/tool\")\n" + Host.contentRules)
    #expect(try host.asked(by: "m/tool; m/tool; m/tool") >= 3)
    let other = try host.run("setpriv --reuid 1000 --regid 1000 --clear-groups m/tool")
    #expect(other.status != 0, "\(other)")
    _ = try host.run("cat m/text; cat m/text")
    // This file is not what the rule speaks of.
    #expect(try host.asked(by: "cat m/text; cat m/text") == 0)
  }

  /// Files that somebody else than root can write are never handed over: a store through a mapping is not told.
  @Test(arguments: ["chown 1000 m/tool", "chmod 775 m/tool", "chmod 757 m/tool"])
  func whatOthersCanWriteIsAskedEachTime(_ change: String) throws {
    let host = try Self.host()
    try host.check(host.run(change + "; sleep 0.2"))
    #expect(try host.isAskedAgain("m/tool"))
    #expect(try host.asked(by: "m/tool; m/tool; m/tool") >= 3)
  }

  /// Changes that the kernel itself notices: the very next run is asked about, and denied.
  @Test(
    arguments: TrustTests.changes.filter { !$0.0.contains("mapping") }, ["tmpfs", "ext4", "xfs"])
  func aChangeIsAskedAboutAtOnce(_ change: (name: String, script: String), _ fileSystem: String) throws {
    let host = try Self.host(fileSystem)
    #expect(try host.asked(by: "m/tool; m/tool") == 0)
    let outcome = try host.run(change.script + "\nm/tool")
    #expect(outcome.status == 126, "\(change.name): \(outcome)")
  }

  /// Changes that are told after they happened.
  static let told: [(name: String, script: String, runs: Bool)] = [
    ("mapping", TrustTests.changes.first { $0.0.contains("mapping") }?.1 ?? "false", false),
    ("mode", "chmod 700 m/tool", true),
    ("owner", "chown 0:1 m/tool", true),
    ("link", "ln m/tool m/another", true),
    ("times", "touch m/tool", true),
    ("closed after writing", "exec 7<>m/tool; exec 7>&-", true),
  ]

  @Test(arguments: told, ["tmpfs", "ext4", "xfs"])
  func aToldChangeIsAskedAboutAgain(_ change: (name: String, script: String, runs: Bool), _ fileSystem: String) throws {
    let host = try Self.host(fileSystem)
    try host.check(host.run(change.script))
    #expect(try host.isAskedAgain("m/tool"), "\(change.name)")
    #expect(try host.run("m/tool").status == (change.runs ? 0 : 126), "\(change.name)")
  }

  @Test(arguments: ["tmpfs", "ext4", "xfs"]) func aMovedFileIsAskedAboutAgain(_ fileSystem: String) throws {
    let host = try Self.host(fileSystem)
    try host.check(host.run("mv m/tool m/moved"))
    #expect(try host.isAskedAgain("m/moved"))
    #expect(try host.run("m/moved").status == 126)
    try host.check(host.run("mv m/moved m/tool"))
    #expect(try host.run("m/tool").status == 0)
  }

  @Test func aRemountedFileSystemIsAskedAboutAgain() throws {
    // Named by a folder that is nowhere but on it: without it, its mount point is the host's own file system.
    let host = try Host(fileSystem: "ext4")
    try host.check(host.run("mkdir m/inside && cp /bin/true m/tool && sleep 0.2"))
    try host.check(host.trust("add m/tool"))
    try host.start(rules: Host.contentRules, coverage: "\(host.mount)/inside", logsAllows: false)
    #expect(try host.run("m/tool; m/tool").status == 0)
    #expect(try host.asked(by: "m/tool") == 0)
    try host.check(host.run("umount m && mount -o loop image m"))
    #expect(try host.isAskedAgain("m/tool"))
    try host.check(host.run("umount m && mount -o loop image m && printf x >> m/tool"))
    for _ in 0..<60 where try host.run("m/tool").status == 0 { usleep(50_000) }
    #expect(try host.run("m/tool").status == 126)
  }

  @Test func removedTrustCountsForTheVeryNextRun() throws {
    let host = try Self.host()
    for _ in 0..<5 {
      #expect(try host.run("m/tool; m/tool").status == 0)
      try host.check(host.trust("remove m/tool"))
      #expect(try host.run("m/tool").status == 126)
      try host.check(host.trust("add m/tool"))
    }
  }

  @Test func aNewPolicyCountsForTheVeryNextRun() throws {
    let host = try Self.host()
    for _ in 0..<5 {
      #expect(try host.run("m/tool; m/tool").status == 0)
      try host.write("rules/50-test.rules", "deny exec when object.path.endsWith(\"/tool\")\n" + Host.contentRules)
      try host.check(host.control("reload"))
      #expect(try host.run("m/tool").status == 126)
      try host.write("rules/50-test.rules", Host.contentRules)
      try host.check(host.control("reload"))
    }
  }

  /// What is handed over while the policy changes must not outlive the change.
  @Test func nothingSlipsInWhileThePolicyChanges() throws {
    let host = try Self.host()
    try host.check(
      host.run("mkdir m/many; for i in $(seq 500); do cp /bin/true m/many/$i; done; sleep 0.2"))
    try host.check(host.trust("add m/many"))
    for _ in 0..<5 {
      try host.write("rules/50-test.rules", Host.contentRules)
      try host.check(host.control("reload"))
      try host.write("rules/50-test.rules", "deny exec\n")
      let outcome = try host.run(
        """
        ( for i in $(seq 500); do m/many/$i; done ) 2>/dev/null &
        sleep 0.2
        \(Host.products)/liliumctl reload --socket control.sock > /dev/null || echo refused
        for i in $(seq 500); do m/many/$i 2>/dev/null && echo $i ran; done
        wait
        """)
      #expect(outcome.output == "", "\(outcome)")
    }
  }

  /// A watcher is shown allows, so from then on they are asked about.
  @Test func aWatcherSeesEveryAllow() throws {
    let host = try Self.host()
    #expect(try host.asked(by: "m/tool; m/tool") == 0)
    let outcome = try host.run(
      """
      \(Host.products)/liliumctl watch --json --socket control.sock > watched.json & watcher=$!
      sleep 1; m/tool; m/tool; sleep 0.5; kill $watcher; grep -c '"operation":{"kind":"execute"' watched.json
      """)
    #expect(outcome.output.split(separator: "\n").last == "2", "\(outcome)")
  }

  /// Switched off, nothing is handed over.
  @Test func theAdministratorMayForbidIt() throws {
    let host = try Self.host(more: "[trust]\nremember = false")
    #expect(try host.asked(by: "m/tool; m/tool; m/tool") >= 3)
  }

  /// An access list can grant writing only within the mask, which the mode shows as the group's bits.
  @Test func anAccessListIsHeeded() throws {
    let host = try Self.host("ext4")
    try host.check(
      host.run(
        "python3 -c 'import os, struct; os.setxattr(\"m/tool\", \"system.posix_acl_access\", struct.pack(\"<I\", 2) + b\"\".join(struct.pack(\"<HHI\", t, p, i) for t, p, i in [(1, 7, 0xffffffff), (2, 7, 1000), (4, 5, 0xffffffff), (16, 7, 0xffffffff), (32, 5, 0xffffffff)]))'; sleep 0.2"
      ))
    #expect(try host.isAskedAgain("m/tool"))
    #expect(try host.asked(by: "m/tool; m/tool; m/tool") >= 3)
  }
}
