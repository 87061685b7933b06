// Owns a daemon that gives way to another on a real kernel: no moment without an answer, no call unseen, and failures that
// change nothing.

import Foundation
import Testing

extension Host {
  var takeoverSocket: String { "\(folder)/control.sock" }

  /// Starts a liliumd as a service would, from a file of the host's own, on the host's mount or beside it. Its records go
  /// to `log.json`.
  func startService(exec: String = "enforce", calls: String = "", program: String = "liliumd", more: String = "") throws
  {
    try write("rules/50-test.rules", usualRules)
    try writeService(exec: exec, calls: calls, more: more)
    try check(
      run(
        """
        [ -e \(program) ] || cp \(Self.products)/liliumd \(program)
        \(folder)/\(program) --config \(folder)/lilium.toml --rules \(folder)/rules --state \(folder)/state \\
          > daemon.err 2>&1 &
        echo $! > daemon.pid
        for i in $(seq 200); do
          grep -q '"kind":"started"' log.json 2>/dev/null && exit 0
          kill -0 $! || { cat daemon.err; exit 1; }
          sleep 0.05
        done
        exit 1
        """))
  }

  func writeService(exec: String, calls: String = "", more: String = "") throws {
    try write(
      "lilium.toml",
      Self.configuration(
        [mount], socket: takeoverSocket, exec: exec, open: "off", calls: calls, more: more
      ).replacingOccurrences(of: "allows = true", with: "allows = false\nsinks = [\"file:\(folder)/log.json\"]"))
  }

  /// Has the next one take over and returns once the one before has ended.
  func takeOver() throws -> Outcome {
    try run(
      """
      old=$(cat daemon.pid)
      \(Self.products)/liliumctl takeover --socket control.sock || exit $?
      \(Self.products)/liliumctl status --json --socket control.sock | sed -n 's/.*"pid" : \\([0-9]*\\).*/\\1/p' > daemon.pid
      for i in $(seq 200); do kill -0 $old 2>/dev/null || exit 0; sleep 0.05; done
      echo "the old one, $old, has not ended"; exit 1
      """)
  }

  func logged(_ kind: String) throws -> [[String: Any]] {
    try read("log.json").split(separator: "\n").compactMap { line in
      let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return record?["kind"] as? String == kind ? record : nil
    }
  }

  var daemonPID: Int { Int(read("daemon.pid").trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 }
}

@Suite(.serialized) struct TakeoverTests {
  private func storming() throws -> Host {
    let host = try Host()
    try host.addPrograms()
    try host.write("storm.c", LifeTests.storm)
    try host.check(host.run("gcc -O2 -o storm storm.c"))
    return host
  }

  @Test func everythingIsAskedAboutThroughout() throws {
    let host = try storming()
    try host.startService()
    let outcome = try host.run(
      """
      for n in 1 2 3; do
        ( while [ ! -e stop ]; do ./storm 200 m/good m/bad > storm.$n || cat storm.$n >> wrong; echo 200 >> rounds; done ) &
      done
      ( while [ ! -e stop ]; do
          \(Host.products)/liliumctl status --socket control.sock > status.out 2>&1 || cat status.out >> unanswered
          sleep 0.02
        done ) &
      for i in 1 2 3 4 5; do
        old=$(cat daemon.pid)
        \(Host.products)/liliumctl takeover --socket control.sock || { touch stop; exit 1; }
        \(Host.products)/liliumctl status --json --socket control.sock | sed -n 's/.*"pid" : \\([0-9]*\\).*/\\1/p' > daemon.pid
        echo "$old -> $(cat daemon.pid)"
        for j in $(seq 200); do kill -0 $old 2>/dev/null || break; sleep 0.05; done
        kill -0 $old 2>/dev/null && echo "$old has not ended"
      done
      touch stop; wait
      cat wrong unanswered 2>/dev/null
      """, seconds: 120)
    #expect(!FileManager.default.fileExists(atPath: "\(host.folder)/wrong"), "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: "\(host.folder)/unanswered"), "\(outcome)")
    let rounds = host.read("rounds").split(separator: "\n").count * 200
    #expect(rounds > 2000, "the load was too weak: \(rounds)")
    let starts = try host.logged("started")
    let pids = starts.compactMap { $0["pid"] as? Int }
    #expect(Set(pids).count == 6, "\(starts)")
    #expect(starts.compactMap { $0["took_over_from"] as? Int } == Array(pids.dropLast()))
    let stops = try host.logged("stopped")
    #expect(stops.count == 5 && stops.allSatisfy { $0["cause"] as? String == "takeover" }, "\(stops)")
    // A denial by either of two is one denial: together they made as many as there were forbidden programs.
    let denials = try host.logged("decision").filter { $0["verdict"] as? String == "deny" }
    #expect(denials.count == rounds / 2, "\(denials.count) of \(rounds / 2)")
    #expect(Set(denials.compactMap { $0["id"] as? String }).count == denials.count, "an id was given twice")
    #expect(stops.allSatisfy { ($0["losses"] as? [Any])?.isEmpty == true }, "\(stops)")
    #expect(try host.stop().status == 0)
    #expect(try host.run("test -e control.sock || test -e state/liliumd.lock").status == 1)
  }

  /// The daemon is held while programs ask, with a takeover under way; nobody gets in unasked.
  @Test func whatWaitsIsAnswered() throws {
    let host = try storming()
    try host.startService()
    let outcome = try host.run(
      """
      P=$(cat daemon.pid)
      \(Host.products)/liliumctl takeover --socket control.sock > taken 2>&1 &
      T=$!; sleep 0.1; kill -STOP $P
      for i in $(seq 64); do ( m/bad; echo $? >> codes ) 2>/dev/null & done
      sleep 0.5; kill -CONT $P
      wait $T; echo "takeover $?"; wait
      sort codes | uniq -c | tr -s ' '
      """, seconds: 60)
    #expect(outcome.output == "takeover 0\n 64 126", "\(outcome)")
    #expect(host.read("taken").contains("took over as process"))
  }

  @Test func whatWasSetAtRunTimeStays() throws {
    let host = try storming()
    try host.startService(calls: "ioctl = \"off\"")
    try host.check(host.control("mode ioctl audit"))
    try host.check(host.control("mode exec audit --for 8s"))
    try host.check(host.takeOver())
    let status = try host.control("status --json")
    let report = try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any]
    let modes = try #require(report?["mechanisms"] as? [[String: Any]])
    let exec = try #require(modes.first { $0["mechanism"] as? String == "exec" })
    #expect(exec["mode"] as? String == "audit" && exec["configured_mode"] as? String == "enforce", "\(exec)")
    #expect(exec["overridden_until"] is Int, "\(exec)")
    #expect(modes.first { $0["mechanism"] as? String == "ioctl" }?["mode"] as? String == "audit")
    #expect(try host.run("m/bad").status == 0)
    #expect(try host.run("sleep 9; m/bad").status == 126, "the mode comes back in the new daemon, too")
    #expect(try host.stop().status == 0)
  }

  /// Whatever is wrong with the new one, the old one goes on, and says why.
  @Test func aNewOneThatDoesNotStartChangesNothing() throws {
    let host = try storming()
    try host.startService(calls: "module = \"audit\"")
    let rules = try host.run("auditctl -l | grep lilium | sort").output
    func refused(_ why: String) throws {
      let outcome = try host.takeOver()
      #expect(outcome.status == 1 && outcome.output.contains(why), "\(outcome)")
      #expect(outcome.output.contains("the running liliumd goes on"), "\(outcome)")
      #expect(try host.control("status --json").output.contains("\"pid\" : \(host.daemonPID)"))
      #expect(try host.run("m/good").status == 0)
      #expect(try host.run("m/bad").status == 126)
      // Its guard is a process of the same command line and another name.
      let names = "for p in $(pgrep -f '^\(host.folder)/liliumd'); do cat /proc/$p/comm; done | sort"
      #expect(try host.run(names).output == "liliumd\nliliumd-guard")
      #expect(try host.run("auditctl -l | grep lilium | sort").output == rules)
      #expect(try host.run("test -S control.sock && test -e state/liliumd.lock").status == 0)
    }
    let good = host.read("lilium.toml")
    try host.write("lilium.toml", "[mod]\n")
    try refused("lilium.toml:1:")
    try host.write("lilium.toml", good + "[on_unpreventable]\nmodule = \"contain\"\n")
    try host.write("rules/60-broken.rules", "deny exec when\n")
    try refused("60-broken.rules:1:")
    try host.check(host.run("rm rules/60-broken.rules"))
    // Other rules are in force already when this one fails: they are taken away again.
    try host.write(
      "lilium.toml",
      good.replacingOccurrences(of: "module = \"audit\"", with: "kexec = \"audit\"\nmount = \"enforce\""))
    try refused("mount")
    try host.write(
      "lilium.toml", good.replacingOccurrences(of: "\"\(host.mount)\"", with: "\"/nowhere/at/all\""))
    try refused("/nowhere/at/all")
    try host.write("lilium.toml", good)
    // Not a program, one that ends, one that is killed.
    try host.check(host.run("mv liliumd liliumd.good; echo nothing > liliumd; chmod 755 liliumd"))
    try refused("cannot be executed")
    try host.check(host.run("rm liliumd"))
    try refused("cannot be executed: No such file")
    try host.check(host.run("cp /bin/false liliumd"))
    try refused("ended before it was ready")
    try host.check(host.run("mv liliumd.good liliumd"))
    try host.check(host.takeOver())
    #expect(try host.run("m/bad").status == 126)
    #expect(try host.stop().status == 0)
    #expect(try host.run("auditctl -l").output == "No rules")
  }

  @Test func aNewOneThatSaysNothingIsEnded() throws {
    let host = try storming()
    try host.startService()
    try host.check(
      host.run("mv liliumd liliumd.good; printf '#!/bin/sh\\nexec sleep 600\\n' > liliumd; chmod 755 liliumd"))
    let outcome = try host.run("\(Host.products)/liliumctl takeover --socket control.sock", seconds: 60)
    #expect(outcome.status == 1 && outcome.output.contains("not ready within 30 s"), "\(outcome)")
    #expect(try host.run("pgrep -x -f 'sleep 600'").status == 1)
    #expect(try host.run("m/bad").status == 126)
    // One that is told to end meanwhile does not wait for it.
    let ended = try host.run(
      """
      \(Host.products)/liliumctl takeover --socket control.sock & sleep 0.5; kill -TERM $(cat daemon.pid); wait $!
      for i in $(seq 100); do kill -0 $(cat daemon.pid) 2>/dev/null || break; sleep 0.05; done
      kill -0 $(cat daemon.pid) 2>/dev/null; pgrep -x -f 'sleep 600'; test -e control.sock
      """, seconds: 20)
    #expect(ended.status == 1 && ended.output.contains("told to end"), "\(ended)")
  }

  /// The old one is asked about the new one as about any other program.
  @Test func aNewOneThatIsNotAllowedIsNotStarted() throws {
    let host = try storming()
    try host.startService(program: "m/liliumd")
    try host.check(host.run("cp \(Host.products)/liliumd m/bad-new && mv m/bad-new m/liliumd"))
    try host.check(host.takeOver())
    try host.write("rules/50-test.rules", "deny exec when object.path == \"\(host.mount)/liliumd\"\n\(host.usualRules)")
    try host.check(host.control("reload"))
    let outcome = try host.takeOver()
    #expect(outcome.status == 1 && outcome.output.contains("cannot be executed: Operation not permitted"), "\(outcome)")
    #expect(outcome.output.contains("trust explain"), "\(outcome)")
    #expect(try host.run("m/bad").status == 126)
    #expect(try host.stop().status == 0)
  }

  @Test func aDaemonInTheForegroundStays() throws {
    let host = try storming()
    try host.start(rules: host.usualRules)
    let outcome = try host.control("takeover")
    #expect(outcome.status == 1 && outcome.output.contains("belongs to its terminal"), "\(outcome)")
    #expect(try host.stop().status == 0)
  }

  /// A numbered series of calls over three takeovers: each is recorded at least once, and the rules are never away.
  @Test func noCallIsLost() throws {
    let host = try storming()
    try host.write("series.c", Self.series)
    try host.check(host.run("gcc -O2 -o series series.c"))
    try host.startService(exec: "off", calls: "mprotect = \"audit\"")
    try host.check(host.run("\(Host.stranger) ./series > series.out & sleep 0.5"))
    for _ in 1...3 { try host.check(host.takeOver()) }
    try host.check(host.run("sleep 0.3; touch over; sleep 1"))
    #expect(try host.stop().status == 0)
    let made = try #require(Int(host.read("series.out").trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(made > 500, "\(made)")
    let records = try host.logged("decision").filter {
      ($0[path: "subject", "exe"] as? String)?.hasSuffix("/series") == true
    }
    let serials = records.compactMap { $0[path: "operation", "audit_serial"] as? Int }
    #expect(serials.count == records.count)
    // The loader's own calls come before the series.
    #expect(Set(serials).count >= made && Set(serials).count <= made + 16, "\(Set(serials).count) of \(made)")
    #expect(serials.count < 2 * made, "two record only while both are there")
    let stops = try host.logged("stopped")
    let losses = stops.flatMap { $0["losses"] as? [[String: Any]] ?? [] }
    #expect(losses.allSatisfy { $0["what"] as? String == "audit-torn" }, "\(losses)")
    #expect(try host.run("auditctl -l").output == "No rules")
    #expect(try host.run("auditctl -s | grep -q '^enabled 0'").status == 0, "it was Lilium that switched it on")
  }

  /// Makes memory executable a thousand times a second, and says how often once a file `over` is there.
  static let series = """
    #include <stdio.h>
    #include <sys/mman.h>
    #include <unistd.h>
    int main(void) {
        long made = 0;
        void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (long i = 0; i < 60000 && access("over", F_OK) != 0; i++) {
            if (mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0) made++;
            usleep(1000);
        }
        printf("%ld\\n", made);
        return 0;
    }
    """

  /// The new configuration senses less: what only the old one sensed is taken away once it is gone.
  @Test func rulesFollowTheNewConfiguration() throws {
    let host = try storming()
    try host.startService(exec: "off", calls: "module = \"audit\"\nkexec = \"audit\"")
    try host.writeService(exec: "off", calls: "kexec = \"audit\"")
    try host.check(host.takeOver())
    let after = try host.run("sleep 1.5; auditctl -l")
    #expect(after.output.contains("lilium.kexec") && !after.output.contains("lilium.module"), "\(after)")
    try host.writeService(exec: "off")
    try host.check(host.takeOver())
    #expect(try host.run("sleep 1.5; auditctl -l").output == "No rules")
    #expect(try host.run("auditctl -s | grep -q '^enabled 0'").status == 0)
    // The lock on audit is free again.
    try host.writeService(exec: "off", calls: "kexec = \"audit\"")
    try host.check(host.control("reload"))
    #expect(try host.stop().status == 0)
    #expect(try host.run("auditctl -l").output == "No rules")
  }

  /// Another socket in the new configuration: the old one's goes with it.
  @Test func theSocketFollowsTheNewConfiguration() throws {
    let host = try storming()
    try host.startService()
    let text = host.read("lilium.toml").replacingOccurrences(of: "control.sock", with: "other.sock")
    try host.write("lilium.toml", text)
    let taken = try host.run("\(Host.products)/liliumctl takeover --socket control.sock")
    #expect(taken.status == 0, "\(taken)")
    let status = try host.run("sleep 1; \(Host.products)/liliumctl status --json --socket other.sock")
    #expect(status.status == 0 && !status.output.contains("\"pid\" : \(host.daemonPID)"), "\(status)")
    #expect(try host.run("test -e control.sock").status == 1)
    try host.check(
      host.run(
        "\(Host.products)/liliumctl status --json --socket other.sock | sed -n 's/.*\"pid\" : \\([0-9]*\\).*/\\1/p' > daemon.pid"
      ))
    #expect(try host.stop().status == 0)
  }

  /// A reload that is asked for meanwhile is not forgotten, whoever is there to do it.
  @Test func aReloadThatComesMeanwhileIsDone() throws {
    let host = try storming()
    try host.startService()
    let outcome = try host.run(
      """
      mv liliumd liliumd.good
      printf '#!/bin/sh\\nsleep 2; exec \(host.folder)/liliumd.good "$@"\\n' > liliumd; chmod 755 liliumd
      P=$(cat daemon.pid)
      \(Host.products)/liliumctl takeover --socket control.sock & T=$!
      sleep 1; kill -HUP $P || exit 3; wait $T || exit 1
      for i in $(seq 60); do grep -q '"kind":"policy-loaded"' log.json && exit 0; sleep 0.05; done
      grep -v '"kind":"decision"' log.json | cut -c1-200; cat daemon.err; exit 2
      """)
    #expect(outcome.status == 0, "\(outcome)")
    try host.check(
      host.run(
        "\(Host.products)/liliumctl status --json --socket control.sock | sed -n 's/.*\"pid\" : \\([0-9]*\\).*/\\1/p' > daemon.pid"
      ))
    #expect(try host.stop().status == 0)
  }
}
