// Owns what replies look like on the wire, and that none can steer a terminal.

import AccessModel
import ControlProtocol
import Testing

func fullReport() -> StatusReport {
  var report = StatusReport()
  report.daemon.pid = 42
  report.daemon.uptimeSeconds = 3661
  report.mechanisms = [
    .init(mechanism: .exec, mode: .audit, configuredMode: .enforce, overriddenUntil: 1_800_000_000, effect: .log),
    .init(
      mechanism: .ptrace, mode: .audit, configuredMode: .audit, effect: .log, sensor: .audit,
      hindrances: ["50-a.rules:3: \u{1b}"], hostSwitch: "a.b = 3\u{1b}"),
    .init(mechanism: .open, mode: .off, configuredMode: .off, effect: .off),
  ]
  var bpf = StatusReport.BPF()
  (bpf.isInList, bpf.list, bpf.load, bpf.missingHooks) = (true, "capability,bpf", "refused \u{1b}", ["capable"])
  report.bpf = bpf
  report.policy.identity = "abc"
  report.policy.rules = 7
  report.policy.loadedAt = 1_700_000_000
  report.policy.lastReloadError = "50-a.rules:1:1: error: \u{1b}[31m"
  report.marks.fileSystems = [.init(device: "8:1", type: "ext4", mountPoint: "/mnt/\u{202e}\u{9b}x\u{e0001}")]
  report.marks.inodes = 3
  report.queue.pending = 1
  report.losses = ["overflow": 2]
  report.decisions = [.init(mechanism: .exec, verdict: .deny, reason: "rule", count: .max)]
  report.dataPassed = 9
  var times = StatusReport.AnswerTimes(mechanism: .exec)
  (times.count, times.p50, times.max) = (10, 7.5, 1234)
  report.answerTimes = [times]
  report.records.suppressed = 4
  var audit = StatusReport.Audit()
  (audit.enabled, audit.switchedOnByLilium, audit.rules, audit.backlogLimit) = (1, true, 12, .max)
  (audit.received, audit.torn, audit.malformed, audit.kernelLost) = (1, 2, 3, 4)
  (audit.socketDrops, audit.restored, audit.obstacles) = (5, 6, ["never,task \u{1b}"])
  report.audit = audit
  return report
}

@Suite struct ReplyTests {
  static let replies: [ControlReply] = [
    .status(fullReport()), .status(StatusReport()), .version(VersionReport()),
    .reading, .takenOver(TakeoverReport(pid: 7, version: "0.2.0")),
    .trust(TrustReport(generation: 7, paths: 90000, contents: 3)),
    .reloaded(ReloadReport(identity: "abc", rules: 2, warnings: ["w"])),
    .mode(ModeReport(mechanism: .open, mode: .enforce, until: 5)), .mode(ModeReport(mechanism: .exec, mode: .off)),
    .watching, .dropped(17),
    .explanation(Explanation(record: .object(["a": .array([.null, .bool(true), .integer(-1), .number(1.5)])]))),
    .explanation(Explanation(record: .null, rule: .init(path: "/etc/x", line: 3, text: "deny exec"))),
    .error(ControlError(.busy, "later", details: ["a"])), .error(ControlError(.failed, "no")),
  ]

  @Test(arguments: replies)
  func goesThereAndBack(_ reply: ControlReply) throws {
    let line = ControlLine.encode(reply)
    #expect(line.last == UInt8(ascii: "\n"))
    #expect(line.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7f })
    #expect(try ControlLine.decodeReply(Array(line.dropLast())) == reply)
    #expect(try ControlLine.decodeReply(ControlLine.encodePretty(reply)) == reply)
  }

  @Test func theWireForm() {
    let text = { (reply: ControlReply) in String(decoding: ControlLine.encode(reply), as: UTF8.self) }
    #expect(
      text(.error(ControlError(.lineTooLong, "x"))) == #"{"error":{"code":"line-too-long","message":"x"},"protocol":1}"#
        + "\n")
    #expect(text(.watching) == #"{"protocol":1,"watching":true}"# + "\n")
    #expect(text(.dropped(3)) == #"{"dropped":3,"protocol":1}"# + "\n")
    #expect(text(.version(VersionReport())) == #"{"protocol":1,"version":{"version":"0.1.0"}}"# + "\n")
  }

  @Test func statusNamesItsFieldsAsDocumented() throws {
    let line = Array(ControlLine.encode(ControlReply.status(fullReport())).dropLast())
    let status = try #require(try ControlLine.decodeValue(line)["status"])
    #expect(status["schema"] == .integer(1))
    guard case .array(let mechanisms)? = status["mechanisms"], case .array(let times)? = status["answer_times"] else {
      Issue.record("no lists")
      return
    }
    #expect(mechanisms.first?["configured_mode"] == .string("enforce"))
    #expect(mechanisms.first?["overridden_until"] == .integer(1_800_000_000))
    #expect(mechanisms.last?["overridden_until"] == nil)
    #expect(mechanisms[1]["sensed_by"] == .string("audit") && mechanisms.first?["sensed_by"] == nil)
    #expect(mechanisms[1]["sysctl"] == .string("a.b = 3\u{1b}") && mechanisms.first?["sysctl"] == nil)
    #expect(mechanisms[1]["bpf_hindrances"] == .array([.string("50-a.rules:3: \u{1b}")]))
    #expect(status["bpf"]?["in_list"] == .bool(true) && status["bpf"]?["denial"] == nil)
    #expect(status["bpf"]?["missing_hooks"] == .array([.string("capable")]))
    #expect(times.first?["p50_us"] == .number(7.5))
    #expect(status["policy"]?["last_reload_error"] != nil)
    #expect(status["marks"]?["filesystems"] != nil)
    #expect(status["queue"]?["blocked_threads"] == .integer(0))
    #expect(status["data_passed"] == .integer(9))
    #expect(status["audit"]?["switched_on_by_lilium"] == .bool(true))
    #expect(status["audit"]?["backlog_limit"] == .integer(4_294_967_295))
    #expect(status["audit"]?["kernel_lost"] == .integer(4))
    #expect(status["audit"]?["socket_drops"] == .integer(5))
    let plain = try #require(
      try ControlLine.decodeValue(Array(ControlLine.encode(ControlReply.status(StatusReport())).dropLast()))["status"])
    #expect(plain["audit"] == nil)
  }

  @Test func nothingCanSteerATerminal() throws {
    let text = "\u{1b}\u{7f}\u{9b}\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{e0001}é\u{1f600}"
    for bytes in [ControlLine.encode([text]), ControlLine.encodePretty([text])] {
      let shown = String(decoding: bytes, as: UTF8.self)
      let plain = shown.unicodeScalars.filter { $0.value >= 0x7f }
      #expect(String(String.UnicodeScalarView(plain)) == "é\u{1f600}")
      #expect(try ControlLine.decodeValue(bytes) == .array([.string(text)]))
    }
  }

  @Test(arguments: ["", "{}", #"{"protocol":1}"#, #"{"protocol":1,"status":{}}"#, #"{"protocol":1,"error":"x"}"#])
  func brokenRepliesAreErrors(_ line: String) {
    #expect(throws: ControlError.self) { try ControlLine.decodeReply(Array(line.utf8)) }
  }

  @Test func anotherProtocolIsNamed() {
    let error = #expect(throws: ControlError.self) {
      try ControlLine.decodeReply(Array(#"{"protocol":2,"watching":true}"#.utf8))
    }
    #expect(error?.code == .unsupportedProtocol)
  }
}
