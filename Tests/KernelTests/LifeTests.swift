// Owns the life of the daemon on a real kernel: load, reload, signals, death, and starts that must not succeed.

import Foundation
import Testing

@Suite(.serialized) struct LifeTests {
  /// Runs good and bad programs in turn; says how many outcomes were wrong.
  static let storm = """
    #define _GNU_SOURCE
    #include <errno.h>
    #include <spawn.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/wait.h>
    int main(int argc, char **argv) {
        int rounds = atoi(argv[1]), wrong = 0, must = argc > 4;
        for (int i = 0; i < rounds; i++) {
            char *name = argv[2 + i % 2], *args[] = {name, NULL}, *none[] = {NULL};
            pid_t pid; int status = 0;
            int error = posix_spawn(&pid, name, NULL, NULL, args, none);
            if (!error) waitpid(pid, &status, 0);
            int denied = error == EPERM || (!error && WIFEXITED(status) && WEXITSTATUS(status) == 127);
            if (!denied && (error || status)) { fprintf(stderr, "%s: %s %x\\n", name, strerror(error), status); wrong++; }
            else if (denied != (i % 2 == 1) && !must) wrong++;
        }
        printf("%d wrong\\n", wrong);
        return wrong ? 1 : 0;
    }
    """

  func storming() throws -> Host {
    let host = try Host()
    try host.addPrograms()
    try host.write("storm.c", Self.storm)
    try host.check(host.run("gcc -O2 -o storm storm.c"))
    return host
  }

  @Test func decidesTwentyThousandExecsFromEightProcesses() throws {
    let host = try storming()
    try host.start(rules: host.usualRules)
    let outcome = try host.run(
      "for i in 1 2 3 4 5 6 7 8; do ./storm 2500 m/good m/bad & done; s=0; for j in $(jobs -p); do wait $j || s=1; done; exit $s",
      seconds: 140)
    #expect(outcome.status == 0, "\(outcome)")
    let status = try host.control("status --json")
    let report = try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any]
    #expect((report?["losses"] as? [String: Any])?.isEmpty == true, "\(status)")
    let decisions = try #require(report?["decisions"] as? [[String: Any]])
    let denials = decisions.filter { $0["verdict"] as? String == "deny" }.compactMap { $0["count"] as? Int }.reduce(
      0, +)
    #expect(denials == 10_000, "\(decisions)")
  }

  @Test func reloadsUnderLoad() throws {
    let host = try storming()
    try host.start(rules: host.usualRules)
    let outcome = try host.run(
      """
      ./storm 1500 m/good m/bad & A=$!; ./storm 1500 m/good m/bad & B=$!
      for i in $(seq 20); do
        kill -HUP $(cat daemon.pid); sleep 0.05
        [ $((i % 5)) = 0 ] && echo 'deny exec when' > rules/60-broken.rules || rm -f rules/60-broken.rules
      done
      wait $A && wait $B
      """, seconds: 120)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(host.read("daemon.err").contains("60-broken.rules:1:"), "a refused reload says why")
    #expect(try host.stop().status == 0)
  }

  /// The daemon is held while 64 programs ask; then it is told to end, and all are decided before it goes.
  @Test func answersEverythingThatWaitsBeforeItEnds() throws {
    let host = try Host()
    try host.addPrograms()
    try host.start(rules: host.usualRules)
    let outcome = try host.run(
      """
      P=$(cat daemon.pid); kill -STOP $P
      for i in $(seq 64); do ( m/bad; echo $? >> codes ) 2>/dev/null & done
      sleep 0.5; kill -TERM $P; kill -CONT $P
      wait; sort codes | uniq -c
      """)
    #expect(
      outcome.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } == ["64 126"], "\(outcome)")
    #expect(try host.run("m/bad").status == 0, "the marks are gone")
  }

  /// The kernel lets everybody go when the listener dies.
  @Test func theHostGoesOnWhenTheDaemonIsKilled() throws {
    let host = try Host()
    try host.addPrograms()
    try host.start(rules: host.usualRules)
    let outcome = try host.run(
      """
      P=$(cat daemon.pid); kill -STOP $P
      for i in $(seq 64); do ( m/good; echo $? >> codes ) & done
      sleep 0.5; kill -KILL $P
      wait; sort codes | uniq -c; m/bad
      """, seconds: 20)
    #expect(outcome.status == 0 && outcome.output.trimmingCharacters(in: .whitespaces).hasPrefix("64 0"), "\(outcome)")
  }

  /// The kernel opens a file for each event, and would wait there for whoever holds a write lease on it.
  @Test func aWriteLeaseHoldsNobodyUp() throws {
    let host = try Host()
    try host.addPrograms()
    try host.write(
      "lease.py",
      """
      import fcntl, os, signal, time
      signal.signal(signal.SIGIO, signal.SIG_IGN)
      held = []
      for i in range(20):
          f = os.open(f"\(host.mount)/leased{i}", os.O_WRONLY | os.O_CREAT, 0o644)
          fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)
          held.append(f)
      print("held", flush=True)
      time.sleep(30)
      """)
    // Before the daemon starts: a lease needs the file open nowhere else, and each event opens it for a moment.
    try host.check(
      host.run(
        """
        /usr/bin/python3 lease.py > lease.out & echo $! > lease.pid
        for i in $(seq 100); do grep -q held lease.out && exit 0; sleep 0.05; done; exit 1
        """))
    try host.start(rules: host.usualRules)
    let outcome = try host.run(
      """
      for i in $(seq 0 19); do timeout 20 cat m/leased$i > /dev/null 2>&1 & done
      sleep 0.3
      for i in $(seq 20); do timeout 2 m/good || exit 1; timeout 2 m/bad; [ $? = 126 ] || exit 2; done 2> /dev/null
      kill -9 $(cat lease.pid)
      """, seconds: 60)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(try host.control("status --json").output.contains("exec-leased"))
    #expect(try host.stop().status == 0)
  }

  @Test func killedProcessesHurtNobody() throws {
    let host = try storming()
    try host.start(rules: host.usualRules)
    let outcome = try host.run(
      """
      for i in $(seq 100); do timeout -s KILL 0.00$((i % 10 + 1)) ./storm 1000 m/good m/bad any > /dev/null 2>&1; done
      ./storm 200 m/good m/bad
      """, seconds: 100)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(try host.stop().status == 0)
  }

  @Test(arguments: [
    ("[mode]\nexec = \"on\"\n", "lilium.toml:2:", 2),
    ("mode.ptrace = \"enforce\"\nsense.ptrace = \"audit\"\n", "when it was made", 2),
    ("[coverage]\nfilesystems = [\"/nowhere/at/all\"]\n[mode]\nexec = \"enforce\"\n", "/nowhere/at/all", 1),
    ("[mod]\n", "mode", 2),
  ]) func aFailedStartLeavesNothingBehind(configuration: String, says: String, status: Int32) throws {
    let host = try Host()
    try host.write("lilium.toml", configuration)
    let outcome = try host.run(
      "timeout -s KILL 20 \(Host.products)/liliumd --config lilium.toml --rules rules --state state --socket control.sock --foreground"
    )
    #expect(outcome.status == status && outcome.output.contains(says), "\(outcome)")
    #expect(try host.run("ls state").output == "")
    #expect(try host.run("test -e control.sock").status == 1)
  }

  @Test func controlsTheRunningDaemon() throws {
    let host = try Host()
    try host.addPrograms()
    try host.start(rules: host.usualRules)
    #expect(try host.control("mode exec audit --for 2s").status == 0)
    #expect(try host.run("m/bad").status == 0)
    for _ in 0..<60 where try host.run("m/bad").status == 0 { usleep(100_000) }
    #expect(try host.run("m/bad").status == 126, "the configured mode comes back")
    #expect(try host.control("mode exec off").status == 0)
    #expect(try host.run("m/bad").status == 0)
    #expect(try host.control("mode exec enforce").status == 0)
    #expect(try host.run("m/bad").status == 126)
    try host.write("rules/50-test.rules", "deny exec when objet.path == \"/x\"\n")
    let refused = try host.control("reload")
    #expect(refused.status != 0 && refused.output.contains("object.path"), "\(refused)")
    #expect(try host.run("m/bad").status == 126, "the running policy goes on")
    // Good rules with a coverage that cannot be had are refused as a whole, and the marks are kept up as before.
    try host.write("rules/50-test.rules", "allow exec\n")
    try host.check(
      host.run("cp lilium.toml good.toml && sed -i 's|^filesystems.*|filesystems = [\"/nowhere\"]|' lilium.toml"))
    #expect(try host.control("reload").output.contains("/nowhere"))
    #expect(try host.run("m/bad").status == 126)
    try host.check(host.run("mount -t tmpfs -o mode=755 tmpfs m && cp /bin/true m/bad && sleep 0.5"))
    #expect(try host.run("m/bad").status == 126, "a new mount is guarded still")
    try host.check(host.run("umount m && cp good.toml lilium.toml"))
    #expect(try host.control("reload").status == 0)
    #expect(try host.run("m/bad").status == 0)
    let status = try host.control("status")
    #expect(status.status == 0 && status.output.contains("prevent"), "\(status)")
    #expect(
      try host.run(
        "\(Host.products)/liliumctl watch --socket control.sock > watched & W=$!; sleep 0.5; m/good; sleep 0.5; kill $W; grep -q /good watched"
      ).status == 0)
    #expect(try host.stop().status == 0)
    #expect(try host.run("test -e control.sock").status == 1)
  }
}
