// Owns the dry run over the whole host, as `make run` starts it, while the host works.
// It must only ever audit: the root file system is marked here.

import Foundation
import Testing

@Suite(.serialized) struct WholeHostTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// A package of one script, with a maintainer script, made by dpkg-deb.
  static let package = """
    mkdir -p pkg/DEBIAN pkg/usr/share/lilium-test
    printf 'Package: lilium-test\\nVersion: 1\\nArchitecture: all\\nMaintainer: t <t@example.org>\\nDescription: test\\n' > pkg/DEBIAN/control
    printf '#!/bin/sh\\necho configured\\n' > pkg/DEBIAN/postinst; chmod 755 pkg/DEBIAN/postinst
    echo data > pkg/usr/share/lilium-test/data; dpkg-deb --root-owner-group -b pkg lilium-test.deb > /dev/null
    """

  static func residentKiB(_ pid: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return Int(line.split(separator: " ").dropLast().last ?? "") ?? 0
  }

  @Test func auditsAWorkingHost() throws {
    let host = try Host()
    try host.check(host.run(Self.package))
    // What the host's own packages brought is trusted, as after `make run`'s first step.
    try host.check(
      host.run("\(Host.products)/liliumctl trust sync --quiet --state state --socket control.sock", seconds: 400))
    try host.check(
      host.run(
        """
        nsenter --mount=/proc/\(ProcessInfo.processInfo.processIdentifier)/ns/mnt \
          timeout -s KILL 120 \(Host.products)/liliumd --config \(Self.root)/etc/dry-run.toml \
          --rules \(Self.root)/etc/rules.d --state \(host.folder)/state --socket \(host.folder)/control.sock \
          --foreground --output json > records.json 2> daemon.err &
        for i in $(seq 200); do grep -q Ctrl-C daemon.err && break; sleep 0.05; done
        pgrep -P $! > daemon.pid; cat daemon.err; grep -q Ctrl-C daemon.err
        """))
    let pid = host.read("daemon.pid").trimmingCharacters(in: .whitespacesAndNewlines)
    let start = Date()
    // What `make run` shows: a program, a copied one, a script.
    #expect(
      try host.run(
        "ls / > /dev/null && cp /bin/true copied && ./copied && printf '#!/bin/sh\\n' > s && chmod 755 s && ./s"
      ).status == 0)
    // A file system that a user mounts in namespaces of his own is found within a few seconds.
    let foreign = "setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urm sh -c"
    #expect(
      try host.run("\(foreign) 'mount -t tmpfs t /mnt && cp /bin/true /mnt/hidden && sleep 5 && /mnt/hidden'").status
        == 0)
    let build = "timeout 40 swift build --package-path \(Self.root) --scratch-path scratch --target PolicyDecision"
    let outcome = try host.run(
      """
      ( \(build); echo build $? ) > build.log 2>&1 & B=$!
      for i in 1 2 3; do
        apt-get install -y -qq --no-install-recommends ./lilium-test.deb < /dev/null > apt.log 2>&1 || { cat apt.log; exit 1; }
        dpkg -r lilium-test > /dev/null || exit 1
      done
      wait $B; tail -n 3 build.log
      """, seconds: 90)
    #expect(outcome.status == 0 && outcome.output.contains("build 0"), "\(outcome)")
    let early = Self.residentKiB(pid)
    while Date().timeIntervalSince(start) < 60 {
      #expect(
        try host.run(
          "find /usr/share/doc /usr/lib/python3 -type f -print0 2>/dev/null | head -z -n 2000 | xargs -0 cat > /dev/null"
        ).status == 0)
    }
    let late = Self.residentKiB(pid)
    #expect(early > 0 && late - early < 8192, "resident memory grew from \(early) to \(late) KiB")
    let status = try host.control("status --json")
    let report = try #require(try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any])
    let losses = (report["losses"] as? [String: Any] ?? [:]).keys.filter { $0.hasPrefix("exec-") }
    #expect(losses.isEmpty, "\(status)")
    let failures = ["deadline", "out-of-descriptors", "out-of-threads", "dropped", "object-unreadable"]
    let decisions = try #require(report["decisions"] as? [[String: Any]])
    #expect(!decisions.contains { failures.contains($0["reason"] as? String ?? "") }, "\(decisions)")
    #expect(try host.stop().status == 0)
    let records = try host.records()
    #expect(
      records.contains {
        ($0[path: "object", "path"] as? String)?.hasSuffix("/copied") == true && $0["verdict"] as? String == "deny"
      })
    let hidden = records.first { ($0[path: "object", "path"] as? String)?.hasSuffix("/hidden") == true }
    #expect(hidden?["verdict"] as? String == "deny" && hidden?[path: "subject", "mntns_initial"] as? Bool == false)
    #expect(records.allSatisfy { $0["effect"] as? String == "logged" })
  }
}
