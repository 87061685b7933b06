// Holds what a stranger may not make the audit path do: harm others, pass unseen, borrow what others may, stop the reader.
// It must only ever contain the test's own user and program, and mount only in the test's own namespace.

import Foundation
import Testing

@Suite(.serialized) struct AuditAttackTests {
  private static let source = """
    #define _GNU_SOURCE
    #include <linux/sched.h>
    #include <sched.h>
    #include <signal.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mount.h>
    #include <sys/prctl.h>
    #include <sys/ptrace.h>
    #include <sys/syscall.h>
    #include <sys/wait.h>
    #include <unistd.h>

    static int child(unsigned long flags) {
        struct clone_args how = {.flags = flags, .exit_signal = SIGCHLD};
        return syscall(SYS_clone3, &how, sizeof how);
    }

    static void drop(void) {
        struct { uint32_t version; int pid; } head = {0x20080522, 0};
        struct { uint32_t effective, permitted, inheritable; } sets[2] = {{0}};
        syscall(SYS_capset, &head, sets);
    }

    int main(int count, char **words) {
        const char *name = words[1], *word = count > 2 ? words[2] : "";
        if (!strcmp(name, "ghosts")) { /* mounts of a namespace of their own, by processes that end at once */
            for (int i = 0; i < 4000; i++) {
                int pid = fork();
                if (pid == 0) {
                    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) mount("none", word, "tmpfs", 0, "size=1m");
                    _exit(0);
                }
                waitpid(pid, 0, 0);
            }
        } else if (!strcmp(name, "kids")) { /* plain children that enter a namespace by themselves */
            for (int i = 0; i < 100; i++) {
                if (child(0) == 0) {
                    prctl(PR_SET_NAME, "lilkid");
                    unshare(CLONE_NEWUSER);
                    usleep(100000);
                    _exit(0);
                }
                usleep(2000);
            }
        } else if (!strcmp(name, "leaver")) { /* leaves a child in a user namespace of its own behind */
            if (child(CLONE_NEWUSER) == 0) usleep(500000);
        } else if (!strcmp(name, "mount-drop")) {
            mount("none", word, "tmpfs", 0, "size=1m");
            drop();
            usleep(500000);
        } else if (!strcmp(name, "holder")) { /* its child gives all up and executes the same program anew */
            if (fork() == 0) {
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
                drop();
                execl("/proc/self/exe", "x", "sibling", (char *)0);
            }
            usleep(1000000);
        } else if (!strcmp(name, "sibling")) {
            for (int i = 0; i < 20; i++) {
                if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) {
                    ptrace(PTRACE_TRACEME, 0, 0, 0);
                    _exit(0);
                }
                usleep(20000);
            }
        }
        return 0;
    }
    """

  private func started(rules: String, calls: String, more: String = "") throws -> Host {
    let host = try Host()
    try host.addCaller()
    try host.write("lilbad.c", Self.source)
    try host.check(host.run("gcc -O1 -w -o m/lilbad lilbad.c && chmod 755 m/lilbad && mkdir -m 777 m/p m/adm"))
    try host.start(rules: rules, exec: "off", calls: calls, more: more)
    return host
  }

  private func containing(_ mechanism: String, rules: String) throws -> Host {
    try started(
      rules: rules, calls: "\(mechanism) = \"enforce\"",
      more: "[on_unpreventable]\n\(mechanism) = \"contain\"\n[holders]\n\(mechanism) = \"evaluate\"\n")
  }

  private func decisions(_ host: Host, _ mechanism: String) throws -> [[String: Any]] {
    usleep(700_000)
    return try host.records().filter {
      let isOfTest = $0[path: "subject", "uid"] as? Int == 61234 || $0[path: "subject", "comm"] as? String == "lilbad"
      return isOfTest && $0["mechanism"] as? String == mechanism
    }
  }

  @Test func nobodysMountTakesAwayTheAdministrators() throws {
    let host = try containing("mount", rules: "deny mount when subject.uid == 61234\nallow mount")
    let outcome = try host.run(
      """
      \(Host.stranger) m/lilbad ghosts $PWD/m/p & ghosts=$!
      for i in $(seq 12); do
        mount -t tmpfs admin m/adm; sleep 0.15
        mountpoint -q m/adm && umount m/adm || echo lost
      done
      kill $ghosts
      """)
    #expect(!outcome.output.contains("lost"), "\(outcome)")
  }

  @Test func aParentIsNotEndedForWhatItsChildDid() throws {
    let host = try containing("clone", rules: "deny clone when subject.comm == \"lilbad\"\nallow clone")
    #expect(try host.run("\(Host.stranger) m/lilbad kids").status == 0)
  }

  @Test func aNamespaceThatLivesIsRecordedWhoeverMadeIt() throws {
    let host = try started(rules: "deny clone", calls: "clone = \"audit\"")
    try host.check(host.run("for i in $(seq 10); do \(Host.stranger) m/lilbad leaver; done"))
    #expect(try decisions(host, "clone").count == 10)
  }

  @Test func aHolderIsOneAlsoWhenItGivesTheCapabilityUpAfterwards() throws {
    let host = try started(rules: "deny mount", calls: "mount = \"audit\"")
    try host.check(host.run("m/lilbad mount-drop $PWD/m/p"))
    let records = try decisions(host, "mount")
    #expect(
      records.allSatisfy {
        $0["verdict"] as? String == "allow" || $0[path: "subject", "identity"] as? String != "certain"
      }, "\(records)")
  }

  @Test func aSiblingInheritsNothing() throws {
    let host = try started(rules: "deny ptrace", calls: "ptrace = \"audit\"")
    try host.check(
      host.run("\(Host.stranger) --inh-caps +sys_ptrace --ambient-caps +sys_ptrace m/lilbad holder"))
    let records = try decisions(host, "ptrace")
    #expect(records.count == 20)
    #expect(records.allSatisfy { $0["verdict"] as? String == "deny" }, "\(records.first ?? [:])")
  }

  @Test func aReloadLeavesNoRuleBehind() throws {
    let host = try started(rules: "", calls: "module = \"audit\"")
    let outcome = try host.run(
      """
      cp lilium.toml less.toml
      sed 's/^module = .*/&\\nptrace = "audit"\\nmprotect = "audit"\\nmount = "audit"/' less.toml > more.toml
      armed() { auditctl -l | grep -E 'lilium.(ptrace|mprotect|mount)'; }
      # To take a rule away costs the kernel 20 ms and more.
      await() { for i in $(seq 100); do "$@" && return; sleep 0.1; done; false; }
      for i in 1 2 3 4 5; do
        cp more.toml lilium.toml; kill -HUP $(cat daemon.pid); await eval 'armed >all' || echo never armed
        cp less.toml lilium.toml; kill -HUP $(cat daemon.pid); await eval '! armed >all' || armed
      done
      true
      """)
    #expect(!outcome.output.contains("lilium.") && !outcome.output.contains("never"), "\(outcome)")
  }
}
