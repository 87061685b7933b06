// Owns what people see: tables, status, records, times; and that no name can steer their terminal.

import AccessModel
import ControlProtocol
import Testing

@testable import liliumctl

private let plain = Paint(isOn: false)

func harmful(_ text: String) -> [Unicode.Scalar] {
  text.unicodeScalars.filter { scalar in
    scalar != "\n"
      && (scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
        || "\u{202e}\u{2028}".unicodeScalars.contains(scalar))
  }
}

@Suite struct RenderingTests {
  @Test func columnsAreAlignedAndLinesEndPlain() {
    var table = TextTable([("NAME", .left), ("COUNT", .right), ("REST", .left)])
    table.add("é", "1", "")
    table.add("longer", "12345678", "x")
    #expect(
      table.rendered == """
        NAME       COUNT  REST
        é              1
        longer  12345678  x

        """)
  }

  @Test func statusIsShownWhole() {
    var report = StatusReport()
    report.daemon.pid = 42
    report.daemon.uptimeSeconds = 90061
    report.mechanisms = [
      .init(mechanism: .exec, mode: .audit, configuredMode: .enforce, overriddenUntil: 1_800_000_000, effect: .log),
      .init(mechanism: .open, mode: .enforce, configuredMode: .enforce, effect: .prevent),
    ]
    report.policy.identity = "abc"
    report.policy.rules = 7
    report.policy.loadedAt = 1_700_000_000
    report.marks.fileSystems = [.init(device: "8:1", type: "ext4", mountPoint: "/")]
    report.queue.threads = 4
    report.decisions = [.init(mechanism: .exec, verdict: .deny, reason: "rule", count: 3)]
    report.dataPassed = 1000
    (report.trust.generation, report.trust.paths, report.trust.written) = (5, 104_211, 1_700_000_000)
    (report.trust.remembers, report.trust.remembered, report.trust.takenBack) = (true, 812, 3)
    var times = StatusReport.AnswerTimes(mechanism: .exec)
    (times.count, times.p50, times.p90, times.p99, times.max) = (1003, 7.25, 12, 99.96, 1234.4)
    report.answerTimes = [times]
    #expect(
      StatusText(report, plain).rendered == """
        liliumd 0.1.0, pid 42, up 1d 1h

        MECHANISM  MODE     EFFECT   SENSED BY  CONFIGURED
        exec       audit    log      fanotify   enforce again at 2027-01-15 08:00:00 UTC
        open       enforce  prevent  fanotify

        policy   7 rules, loaded 2023-11-14 22:13:20 UTC, identity abc
        marks    1 file systems, 0 files and folders
                 8:1 ext4 /
        trust    104,211 paths, generation 5, written 2023-11-14 22:13:20 UTC
                 812 allows handed to the kernel, 3 taken back
        queue    0 pending, 4 threads, 0 waiting for content
        records  0 written, 0 suppressed, 0 dropped
        losses   none

        DECISION  VERDICT  REASON        COUNT
        exec      deny     rule              3
        exec               data, passed   1000

        ANSWER TIME  COUNT     P50      P90       P99      MAX
        exec          1003  7.3 µs  12.0 µs  100.0 µs  1234 µs

        """)
  }

  static let trusts: [(StatusReport.Trust, String)] = [
    (trust { _ in }, "no database; run liliumctl trust sync\n"),
    (
      trust { $0.problem = "/x/current: the trust database is damaged\u{1b}; run liliumctl trust sync" },
      "no database\n         /x/current: the trust database is damaged\\u{1b}; run liliumctl trust sync\n"
    ),
    (
      trust { ($0.generation, $0.paths) = (1, 1) },
      "1 path, generation 1, written 1970-01-01 00:00:00 UTC\n"
    ),
    (
      trust { ($0.generation, $0.paths, $0.contents, $0.written) = (2, 1000, 1, 59) },
      "1,000 paths, 1 content wherever it lies, generation 2, written 1970-01-01 00:00:59 UTC\n"
    ),
    (
      trust {
        ($0.generation, $0.contents, $0.remembers) = (3, 2, true)
        ($0.remembered, $0.takenBack, $0.flushes) = (9, 4, 1)
      },
      "0 paths, 2 contents wherever they lie, generation 3, written 1970-01-01 00:00:00 UTC\n"
        + "         9 allows handed to the kernel, 4 taken back, all of them once\n"
    ),
    (
      trust {
        ($0.generation, $0.written, $0.remembers) = (.max, .max, true)
        ($0.remembered, $0.takenBack, $0.flushes) = (.max, .max, 12)
      },
      "0 paths, generation 18446744073709551615, written unknown\n"
        + "         18446744073709551615 allows handed to the kernel, 18446744073709551615 taken back, "
        + "all of them 12 times\n"
    ),
    (
      // Nothing was there to be taken back.
      trust { ($0.problem, $0.remembers, $0.flushes) = ("gone", true, 3) },
      "no database\n         gone\n         0 allows handed to the kernel, 0 taken back\n"
    ),
  ]

  static func trust(_ change: (inout StatusReport.Trust) -> Void) -> StatusReport.Trust {
    var trust = StatusReport.Trust()
    change(&trust)
    return trust
  }

  @Test(arguments: trusts) func trustIsShown(_ trust: StatusReport.Trust, _ lines: String) {
    var report = StatusReport()
    report.trust = trust
    let text = StatusText(report, plain).rendered
    #expect(text.contains("\ntrust    \(lines)queue "), "\(text)")
    #expect(harmful(text).isEmpty)
    #expect(
      StatusText(report, Paint(isOn: true)).rendered.contains("\u{1b}[31mno database") == (trust.generation == nil))
  }

  @Test func lossesAndRefusedReloadsAreShown() {
    var report = StatusReport()
    report.losses = ["overflow": 2, "deadline": 1, "nothing": 0]
    report.policy.lastReloadError = "50-a.rules:1:1: error"
    let text = StatusText(report, plain).rendered
    #expect(text.contains("losses   deadline 1, overflow 2\n"))
    #expect(text.contains("the last reload was refused: 50-a.rules:1:1: error\n"))
    #expect(StatusText(report, Paint(isOn: true)).rendered.contains("\u{1b}[31mdeadline 1, overflow 2\u{1b}[0m"))
  }

  @Test func auditIsShown() {
    var report = StatusReport()
    #expect(!StatusText(report, plain).rendered.contains("audit "))
    var audit = StatusReport.Audit()
    (audit.enabled, audit.switchedOnByLilium, audit.rules, audit.backlogLimit) = (1, true, 12, 8192)
    audit.received = 100
    report.audit = audit
    #expect(
      StatusText(report, plain).rendered.contains(
        "\naudit    on (by liliumd), 12 rules, backlog limit 8192, 100 events\ntrust "))
    (audit.enabled, audit.restored, audit.kernelLost, audit.socketDrops) = (2, 3, 4, 5)
    (audit.torn, audit.malformed, audit.obstacles) = (6, 7, ["never,task", Self.hostile])
    report.audit = audit
    let text = StatusText(report, plain).rendered
    #expect(text.contains("audit    on and locked, 12 rules, backlog limit 8192, 100 events, rules put back 3 times\n"))
    #expect(text.contains("         4 lost by the kernel, 5 dropped by the socket, 6 torn, 7 malformed\n"))
    #expect(text.contains("         obstacle: never,task\n         obstacle: "))
    #expect(harmful(text).isEmpty)
    report.audit?.enabled = -1
    #expect(StatusText(report, plain).rendered.contains("audit    state -1, "))
  }

  @Test func theSensorOfEachCallIsShown() {
    var report = StatusReport()
    report.mechanisms = [
      .init(mechanism: .ptrace, mode: .enforce, configuredMode: .enforce, effect: .prevent, sensor: .bpf),
      .init(
        mechanism: .mount, mode: .audit, configuredMode: .audit, effect: .log, sensor: .audit,
        hindrances: ["50-site.rules:3: subject.unit cannot be asked in the kernel", Self.hostile]),
      .init(mechanism: .ioctl, mode: .off, configuredMode: .off, effect: .off),
    ]
    report.bpf = StatusReport.BPF()
    let text = StatusText(report, plain).rendered
    #expect(
      text.contains(
        """
        MECHANISM  MODE     EFFECT   SENSED BY  CONFIGURED
        ptrace     enforce  prevent  bpf
        mount      audit    log      audit
        ioctl      off      off      -
        """))
    #expect(text.contains("\nbpf      not among the active LSMs\ntrust "), "for every mechanism, and said once")
    report.bpf?.isInList = true
    let usable = StatusText(report, plain).rendered
    #expect(
      usable.contains(
        "\nbpf      programs load, a denial was seen\n         mount not by bpf: 50-site.rules:3: subject.unit cannot"))
    #expect(harmful(usable).isEmpty)
    report.bpf?.denial = "no reason is known"
    report.bpf?.missingHooks = ["move_mount", "capable"]
    #expect(
      StatusText(report, plain).rendered.contains(
        "bpf      a denial was provoked and not seen: no reason is known; hooks that are missing: move_mount, capable\n"
      ))
    report.bpf?.load = Self.hostile
    #expect(StatusText(report, plain).rendered.contains("\nbpf      the kernel refuses the programs: "))
    #expect(harmful(StatusText(report, plain).rendered).isEmpty)
  }

  @Test func aSysctlThatWasUndoneIsShown() {
    var report = StatusReport()
    let hostSwitch = Mechanism.clone.hostSwitch?.text
    report.mechanisms = [
      .init(
        mechanism: .clone, mode: .enforce, configuredMode: .enforce, effect: .prevent, sensor: .audit,
        hostSwitch: hostSwitch)
    ]
    let set = StatusText(report, plain).rendered
    #expect(set.contains("\nsysctl   clone: user.max_user_namespaces = 0, for everybody\n"))
    report.mechanisms[0].effect = .contain
    let undone = StatusText(report, plain).rendered
    #expect(undone.contains("\nsysctl   clone: user.max_user_namespaces = 0 was undone\n"))
    report.mechanisms[0].hostSwitch = Self.hostile
    #expect(harmful(StatusText(report, plain).rendered).isEmpty)
  }

  @Test func anEmptyReportAndAbsurdNumbersAreShown() {
    #expect(StatusText(StatusReport(), plain).rendered.contains("losses   none"))
    var report = StatusReport()
    var times = StatusReport.AnswerTimes(mechanism: .open)
    (times.count, times.p50, times.p90, times.max) = (1, .infinity, .nan, 1e300)
    report.answerTimes = [times]
    report.policy.loadedAt = .max
    #expect(StatusText(report, plain).rendered.contains("unknown"))
  }

  static let hostile = "\u{1b}[2J\n\u{9b}\u{202e}\u{2028}"

  @Test func hostileNamesInAStatusAreEscaped() {
    var report = StatusReport()
    report.daemon.version = Self.hostile
    report.policy.identity = Self.hostile
    report.policy.lastReloadError = Self.hostile
    report.trust.problem = Self.hostile
    report.losses = [Self.hostile: 1]
    report.marks.fileSystems = [.init(device: Self.hostile, type: Self.hostile, mountPoint: Self.hostile)]
    report.decisions = [.init(mechanism: .exec, verdict: .deny, reason: Self.hostile, count: 1)]
    let lines = StatusText(report, plain).rendered
    #expect(harmful(lines).isEmpty)
    #expect(lines.split(separator: "\n").count == 13)
  }

  static func record(_ path: String, mode: String = "audit") -> JSONValue {
    .object([
      "schema": .integer(1), "id": .string("a-1"), "time": .string("2026-01-31T12:00:00.123456Z"),
      "kind": .string("decision"), "mechanism": .string("exec"), "mode": .string(mode), "verdict": .string("deny"),
      "reason": .string("rule"), "rule": .string("50-site.rules:12"), "answer_us": .integer(14),
      "subject": .object(["pid": .integer(1234), "uid": .integer(1000), "comm": .string("bash")]),
      "object": .object(["path": .string(path)]),
    ])
  }

  @Test func aDecisionIsOneLine() {
    #expect(
      RecordText(Self.record("/tmp/x"), plain).line
        == "12:00:00.123 would deny  exec  /tmp/x  by bash[1234] uid 1000  50-site.rules:12  14 µs")
    #expect(RecordText(Self.record("/tmp/x", mode: "enforce"), plain).line.contains(" deny        exec  /tmp/x"))
    let hostile = RecordText(Self.record("/tmp/" + Self.hostile), plain)
    #expect(harmful(hostile.line).isEmpty)
    #expect(!hostile.line.contains("\n"))
    #expect(harmful(hostile.fields).isEmpty)
    #expect(hostile.fields.contains("object.path"))
  }

  static func call(_ operation: [String: JSONValue], _ others: [String: JSONValue], mode: String = "enforce")
    -> JSONValue
  {
    guard case .object(var members) = record("/x", mode: mode) else { return .null }
    members["object"] = nil
    members["operation"] = .object(operation.merging(["kind": .string("call")]) { $1 })
    return .object(members.merging(others) { $1 })
  }

  static let calls: [(JSONValue, String, String)] = [
    (
      call(
        ["syscall": .string("ptrace"), "request": .string("PTRACE_ATTACH"), "result": .integer(0)],
        [
          "target": .object(["pid": .integer(812), "uid": .integer(0), "comm": .string("sshd")]),
          "effect": .string("contained"),
        ]), "contained ", "PTRACE_ATTACH of sshd[812] uid 0"
    ),
    (
      call(
        ["syscall": .string("mmap"), "protection": .array([.string("PROT_WRITE"), .string("PROT_EXEC")])],
        ["effect": .string("logged"), "containment_failure": .string("identity-uncertain")]),
      "not contained: identity-uncertain", "mmap PROT_WRITE|PROT_EXEC"
    ),
    (
      call(
        ["syscall": .string("mount"), "flags": .array([.string("MS_NOSUID")]), "source": .string("none")],
        ["object": .object(["path": .string("/mnt"), "fstype": .string("tmpfs")])], mode: "audit"), "would deny",
      "mount MS_NOSUID tmpfs on /mnt from none"
    ),
    (
      call(["syscall": .string("finit_module"), "module": .string("nf\u{1b}"), "result": .integer(-1)], [:]),
      "attempt   ", "finit_module nf\\x1b: Operation not permitted"
    ),
    (
      call(
        ["syscall": .string("unshare"), "namespaces": .array([.string("user"), .string("mount")])],
        ["effect": .string("logged")]), "not contained", "unshare user,mount"
    ),
    (call([:], [:]), "not contained", "(unknown call)"),
    (call(["result": .integer(.min), "flags": .integer(1)], [:]), "attempt   ", "(unknown call): errno 2147483647"),
  ]

  @Test(arguments: calls) func aCallIsOneLine(_ record: JSONValue, _ verdict: String, _ words: String) {
    let line = RecordText(record, plain).line
    #expect(line.hasPrefix("12:00:00.123 \(verdict)  exec  \(words)  by bash[1234] uid 1000"), "\(line)")
    #expect(harmful(line).isEmpty)
  }

  @Test func otherRecordsAndNonsenseAreOneLine() {
    let loss = JSONValue.object([
      "schema": .integer(1), "time": .string("2026-01-31T12:00:00.123456Z"), "kind": .string("loss"),
      "what": .string("overflow"), "count": .integer(3),
    ])
    #expect(RecordText(loss, plain).line == "12:00:00.123 loss  count 3, what overflow")
    for value in [JSONValue.null, .array([]), .object([:]), .object(["kind": .string("decision")])] {
      #expect(!RecordText(value, plain).line.contains("\n"))
    }
  }

  @Test(
    arguments: [
      ("10s", 10), ("5m", 300), ("2h", 7200), ("1d", 86400), ("365d", 31_536_000), ("366d", nil), ("0s", nil),
      ("s", nil),
      ("10", nil), ("-1m", nil), ("1.5h", nil), ("", nil), ("9223372036854775807d", nil), ("5 m", nil),
    ] as [(String, Int?)])
  func timeLimits(_ text: String, _ seconds: Int?) { #expect(TimeLimit(argument: text)?.seconds == seconds) }

  @Test(
    arguments: [(0, "0s"), (59, "59s"), (60, "1m 0s"), (3661, "1h 1m"), (90061, "1d 1h"), (86400, "1d 0h")]
      as [(UInt64, String)])
  func durations(_ seconds: UInt64, _ text: String) { #expect(TimeText.duration(seconds) == text) }
}
