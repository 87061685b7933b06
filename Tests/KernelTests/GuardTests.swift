// Owns the guard on a real kernel: a liliumd that stands still is ended, and one that goes on is not.
// It must not measure how long an answer takes; every wait has a generous end.

import Foundation
import Testing

@Suite(.serialized) struct GuardTests {
  private static let waitForEnd = """
    for i in $(seq 150); do kill -0 $P 2>/dev/null || break; sleep 0.1; done
    if kill -0 $P 2>/dev/null; then echo still there; kill -CONT $P; exit 1; fi
    """

  private func running(more: String = "") throws -> Host {
    let host = try Host()
    try host.addPrograms()
    try host.start(rules: host.usualRules, more: more)
    return host
  }

  @Test func aStoppedDaemonIsKilledAndTheHostGoesOn() throws {
    let host = try running()
    let outcome = try host.run(
      """
      P=$(cat daemon.pid); kill -STOP $P
      m/good; echo "good $?"
      \(Self.waitForEnd)
      m/bad; echo "unguarded $?"
      """, seconds: 40)
    #expect(outcome.status == 0 && outcome.output == "good 0\nunguarded 0", "\(outcome)")
  }

  @Test func withoutAGuardItStandsStill() throws {
    let host = try running(more: "[failure]\nguard = false\nanswer_deadline_ms = 50\n")
    let outcome = try host.run(
      """
      P=$(cat daemon.pid); kill -STOP $P
      m/good & A=$!
      sleep 5; kill -0 $A && kill -0 $P || exit 1
      kill -CONT $P; wait $A
      """, seconds: 40)
    #expect(outcome.status == 0, "\(outcome)")
  }

  @Test func aReloadSwitchesItOnAndOff() throws {
    let host = try running(more: "[failure]\nguard = false\nanswer_deadline_ms = 50\n")
    let text = host.read("lilium.toml").replacingOccurrences(of: "guard = false", with: "guard = true")
    try host.write("lilium.toml", text)
    try host.check(host.control("reload"))
    let outcome = try host.run("P=$(cat daemon.pid); sleep 2; kill -STOP $P; \(Self.waitForEnd)", seconds: 40)
    #expect(outcome.status == 0, "\(outcome)")
  }

  @Test func aKilledGuardIsReplaced() throws {
    let host = try running()
    let outcome = try host.run(
      """
      P=$(cat daemon.pid); G=$(pgrep -P $P); [ "$(cat /proc/$G/comm)" = liliumd-guard ] || exit 2
      grep -q 'CapEff:.*0000000000000000' /proc/$G/status || { grep Cap /proc/$G/status; exit 3; }
      [ "$(ls /proc/$G/fd | tr '\\n' ' ')" = '3 4 ' ] || { ls -l /proc/$G/fd; exit 4; }
      kill -KILL $G
      for i in $(seq 100); do N=$(pgrep -P $P) && [ "$N" != $G ] && break; sleep 0.1; done
      [ "$N" != $G ] && kill -STOP $P
      \(Self.waitForEnd)
      """, seconds: 60)
    #expect(outcome.status == 0, "\(outcome)")
  }

  /// Many more requests than the guard's patience has seconds, none of which is slow.
  @Test func aBusyDaemonIsLeftAlone() throws {
    let host = try running(more: "[failure]\nanswer_deadline_ms = 50\n")
    let outcome = try host.run(
      "P=$(cat daemon.pid); end=$((SECONDS + 6)); while [ $SECONDS -lt $end ]; do m/good || exit 1; done; kill -0 $P",
      seconds: 40)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(try host.stop().status == 0)
  }
}

@Suite(.serialized) struct LastGoodPolicyTests {
  private static let broken = "deny exec when object.pth == 1\n"

  /// Starts once with a good policy and ends in order.
  private func usedBefore(more: String = "") throws -> Host {
    let host = try Host()
    try host.addPrograms()
    try host.start(rules: host.usualRules, more: more)
    #expect(try host.stop().status == 0)
    return host
  }

  @Test func aBrokenPolicyLeavesTheLastGoodOneInForce() throws {
    let host = try usedBefore()
    try host.start(rules: Self.broken)
    #expect(try host.run("m/good && ! m/bad").status == 0)
    #expect(host.read("daemon.err").contains("unknown attribute"))
    let status = try host.control("status")
    #expect(status.output.contains("the policy that was last in force; the present one was refused"), "\(status)")
    // Mended, the present one is taken.
    try host.write("rules/50-test.rules", "allow exec\n")
    try host.check(host.control("reload"))
    #expect(try host.run("m/bad").status == 0)
    #expect(try host.control("status").output.contains("last in force") == false)
  }

  @Test func aBrokenConfigurationToo() throws {
    let host = try usedBefore()
    let good = host.read("lilium.toml")
    try host.write("lilium.toml", good + "\nbroken = = 1\n")
    try host.restart()
    #expect(try host.run("m/good && ! m/bad").status == 0)
  }

  @Test func refusalIsAskedOfTheConfigurationAndOfItsCopy() throws {
    let host = try usedBefore(more: "[failure]\non_bad_policy = \"refuse\"\n")
    #expect(throws: HostError.self) {
      try host.start(rules: Self.broken, more: "[failure]\non_bad_policy = \"refuse\"\n")
    }
    try host.write("lilium.toml", "nonsense")
    #expect(throws: HostError.self) { try host.restart() }
    #expect(try host.run("m/bad").status == 0)
  }

  @Test func aCopyThatOthersCanWriteIsNotObeyed() throws {
    let host = try usedBefore()
    try host.check(host.run("chmod 666 state/policy/rules.d/50-test.rules"))
    #expect(throws: HostError.self) { try host.start(rules: Self.broken) }
  }
}
