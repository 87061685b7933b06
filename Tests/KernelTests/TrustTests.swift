// Owns what trust in content does on a real kernel: what runs, what no longer runs once it has changed, and what is said.
// It must not rest on what the kernel remembers: every decision here is recorded, so none is handed over.

import Foundation
import Testing

extension Host {
  static let contentRules = "allow exec when object.trusted\n"

  /// `liliumctl trust` on this host's own database, which tells this host's daemon.
  func trust(_ arguments: String, seconds: Double = 60) throws -> Outcome {
    try run("\(Self.trustCommand) \(arguments)", seconds: seconds)
  }

  /// The database begins empty: there is none before the first sync.
  static var trustCommand: String {
    """
    mkdir -p trust.d
    ctl() {
      local verb=$1 folder=; shift
      case $verb in sync|add|remove|import) folder='--trust-folder trust.d';; esac
      \(products)/liliumctl trust $verb --state state --socket control.sock $folder "$@"
    }
    [ -e state/trust ] || ctl sync --source file --quiet > /dev/null
    ctl
    """
  }

  /// A record of a denial of this path.
  func denial(of path: String) throws -> [String: Any]? {
    try record { $0["verdict"] as? String == "deny" && $0[path: "object", "path"] as? String == "\(mount)/\(path)" }
  }
}

@Suite(.serialized) struct TrustTests {
  /// A host with one trusted program, `m/tool`.
  static func host(_ fileSystem: String = "tmpfs", rules: String = Host.contentRules) throws -> Host {
    let host = try Host(fileSystem: fileSystem)
    try host.check(host.run("cp /bin/true m/tool && cp /bin/true m/other && sleep 0.1"))
    try host.check(host.trust("add m/tool"))
    try host.start(rules: rules)
    #expect(try host.run("m/tool").status == 0)
    return host
  }

  @Test func onlyTrustedContentRuns() throws {
    let host = try Self.host()
    let other = try host.run("m/other")
    #expect(other.status == 126, "\(other)")
    let denial = try #require(try host.denial(of: "other"))
    #expect(denial[path: "object", "trusted"] as? Bool == false)
    #expect(denial[path: "object", "trust"] as? String == "unknown")
    let allowed = try #require(
      try host.record { $0[path: "object", "path"] as? String == "\(host.mount)/tool" })
    #expect(allowed[path: "object", "trusted"] as? Bool == true)
    #expect((allowed[path: "object", "sha256"] as? String)?.count == 64)
  }

  /// Each leaves a file at the trusted path that the database does not know.
  static let changes: [(String, String)] = [
    (
      "same size, modification time restored",
      "touch -r m/tool stamp; printf x | dd of=m/tool bs=1 seek=4000 conv=notrunc status=none; touch -r stamp m/tool"
    ),
    ("appended", "printf x >> m/tool"),
    ("truncated", "truncate -s 5000 m/tool"),
    ("renamed over", "cp m/tool m/new; printf x >> m/new; mv m/new m/tool"),
    ("linked over", "cp /bin/false m/new; ln -f m/new m/tool"),
    (
      "written through a mapping",
      "python3 -c 'import mmap; f = open(\"m/tool\", \"r+b\"); m = mmap.mmap(f.fileno(), 0); m[4000] = m[4000] ^ 1; m.close()'"
    ),
    ("written through a descriptor that was open before", "exec 7<>m/tool; m/tool; printf x >&7; exec 7>&-"),
  ]

  @Test(arguments: changes, ["tmpfs", "ext4"])
  func changedContentDoesNotRun(_ change: (name: String, script: String), _ fileSystem: String) throws {
    let host = try Self.host(fileSystem)
    _ = try host.run(change.script)
    let outcome = try host.run("m/tool")
    #expect(outcome.status == 126, "\(change.name): \(outcome)")
    let denial = try #require(try host.denial(of: "tool"), "\(change.name)")
    #expect(["changed", "open-for-writing"].contains(denial[path: "object", "trust"] as? String), "\(denial)")
  }

  /// What somebody may still change is not trusted, whatever it says now.
  @Test func aFileThatIsHeldForWritingIsNotTrusted() throws {
    let host = try Self.host()
    // A library: the kernel itself forbids to run what is open for writing.
    try host.check(host.run("cp /lib/x86_64-linux-gnu/libz.so.1 m/lib.so; sleep 0.1"))
    try host.check(host.trust("add m/lib.so"))
    #expect(try host.run("cat m/lib.so | wc -c").status == 0)
    for hold in [
      "exec 7<>m/lib.so; cat m/lib.so",
      "python3 -c 'import mmap, os; f = open(\"m/lib.so\", \"r+b\"); m = mmap.mmap(f.fileno(), 0); f.close(); open(\"m/lib.so\")'",
    ] {
      let outcome = try host.run(hold)
      #expect(outcome.output.contains("not permitted"), "\(hold): \(outcome)")
    }
    let denial = try #require(try host.denial(of: "lib.so"))
    #expect(denial[path: "object", "trust"] as? String == "open-for-writing")
    #expect(try host.run("cat m/lib.so > copy").status == 0)
  }

  /// A path is trusted with its content; the same content elsewhere only where the administrator says so.
  @Test func contentIsTrustedWhereItBelongs() throws {
    let host = try Self.host()
    for move in ["ln m/tool m/link; m/link", "cp m/tool m/copy; m/copy"] {
      #expect(try host.run(move).status == 126, "\(move)")
    }
    try host.check(host.trust("add --anywhere m/tool"))
    #expect(try host.run("m/copy && m/link").status == 0)
    try host.check(host.run("printf x >> m/copy"))
    #expect(try host.run("m/copy").status == 126)
  }

  @Test func removedTrustEndsAtOnce() throws {
    let host = try Self.host()
    for _ in 0..<3 {
      try host.check(host.trust("remove m/tool"))
      #expect(try host.run("m/tool").status == 126)
      try host.check(host.trust("add m/tool"))
      #expect(try host.run("m/tool").status == 0)
    }
  }

  static let damage: [(String, String)] = [
    ("missing", "rm -rf state/trust"),
    ("truncated", "for f in state/trust/generation-*; do truncate -s 5000 $f; done"),
    (
      "changed",
      "for f in state/trust/generation-*; do printf xxxx | dd of=$f bs=1 seek=9000 conv=notrunc status=none; done"
    ),
    ("without sense", "echo nonsense > state/trust/current"),
  ]

  /// Neither a crash nor silent trust: the administrator's own answer, by its own name.
  @Test(arguments: damage, ["deny", "allow"])
  func aDamagedDatabaseIsANamedFailure(_ damage: (name: String, script: String), _ answer: String) throws {
    let host = try Host()
    try host.check(host.run("cp /bin/true m/tool; sleep 0.1"))
    try host.check(host.trust("add m/tool"))
    try host.check(host.run(damage.script))
    try host.start(rules: Host.contentRules, more: "[failure]\non_failure = { exec = \"\(answer)\" }")
    #expect(try host.run("m/tool").status == (answer == "deny" ? 126 : 0), "\(damage.name)")
    let record = try #require(try host.record { $0["reason"] as? String == "failure" }, "\(damage.name)")
    #expect(record["failure"] as? String == "trust-unavailable")
    #expect(record["verdict"] as? String == answer)
    let status = try host.control("status")
    #expect(status.output.contains("no database"), "\(status)")
    // Made anew while the daemon runs, it counts at once.
    try host.check(host.trust("sync --source file"))
    #expect(try host.run("m/tool").status == 0)
    let after = try host.control("status")
    #expect(after.output.contains("trust    1 path,"), "\(after)")
  }

  /// Who opens something else does not wait for a large file's digest.
  @Test func hashingALargeFileHoldsNobodyElse() throws {
    let host = try Self.host()
    try host.check(host.run("cp /bin/true m/large && truncate -s 3G m/large && sleep 0.1"))
    try host.check(host.trust("add m/large", seconds: 120))
    let outcome = try host.run(
      """
      ( m/large; echo large $? ) & 
      for i in $(seq 50); do m/tool || echo failed; done
      echo tools
      wait
      """)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first == "tools" && lines.count == 2, "\(outcome)")
  }

  @Test func theDatabaseChangesUnderLoad() throws {
    let host = try Self.host()
    let outcome = try host.run(
      """
      ( for i in $(seq 2000); do m/tool || echo denied; done; echo ran ) &
      \(Host.trustCommand) status > /dev/null
      for i in $(seq 20); do ctl add m/other > /dev/null || echo failed; ctl remove m/other > /dev/null || echo failed; done
      wait
      """)
    #expect(outcome.output == "ran", "\(outcome)")
    #expect(try host.run("m/other").status == 126)
  }
}
