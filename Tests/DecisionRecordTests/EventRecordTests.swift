// Holds the records that are not decisions: their JSON, words, weights, and the catalog that explains them.

import AccessModel
import DecisionRecord
import Foundation
import Testing

private let head = #"{"schema":1,"id":"7f3a9c-42","time":"2026-01-31T12:00:00.123456Z","kind":"#

/// One of each kind, with what is expected of it.
private struct Sample: Sendable, CustomTestStringConvertible {
  let event: TrailEvent
  let json: String
  let priority: Int
  let message: String
  var testDescription: String { event.kind.name }
}

private let coverage = CoverageChange(
  state: .failed, device: DeviceNumber(major: 0, minor: 45), fileSystemType: bytes("fuse"),
  mountPoint: [0x2f, 0xff, 0x0a], why: "fanotify_mark: not supported")

private func settings() -> PolicySettings {
  var settings = PolicySettings()
  settings[.exec].mode = .audit
  settings[.open].mode = .enforce
  return settings
}

private let tampering: Tampering = {
  let facts = Facts()
  facts.begin(pid: 9, operation: .call)
  facts.subject.parent = 1
  facts.subject.comm = Array("rm".utf8)
  facts.subject.identity = .certain
  facts.subject.executable = Array("/usr/bin/rm".utf8)
  facts.markPresent([.subjectStatus, .subjectExecutable])
  return Tampering(
    kind: .state, detail: "unlink in a folder of Lilium's", name: [0xff, 0x78], subject: facts.subject,
    present: facts.present, time: 0)
}()

private let samples: [Sample] = [
  Sample(
    event: .started(DaemonStart(version: "0.1.0", pid: 7, settings: settings(), policy: "ab12")),
    json: head + #""started","version":"0.1.0","pid":7,"modes":{"exec":"audit","open":"enforce","ptrace":"off","#
      + #""mprotect":"off","module":"off","kexec":"off","mount":"off","clone":"off","ioctl":"off"},"policy":"ab12"}"#,
    priority: 6, message: "liliumd 0.1.0 started: exec audit, open enforce"),
  Sample(
    event: .stopped(
      DaemonStop(
        cause: "SIGTERM", uptimeSeconds: 60,
        decisions: [
          .init(mechanism: .exec, verdict: .allow, reason: "rule", count: 9),
          .init(mechanism: .exec, verdict: .deny, reason: "default", count: 1),
        ], losses: [.init(what: "queue-overflow", count: 2)], answerMedian: 14, answer99thPercentile: nil)),
    json: head + #""stopped","cause":"SIGTERM","uptime_s":60,"#
      + #""decisions":[{"mechanism":"exec","verdict":"allow","reason":"rule","count":9},"#
      + #"{"mechanism":"exec","verdict":"deny","reason":"default","count":1}],"#
      + #""losses":[{"what":"queue-overflow","count":2}],"answer_p50_us":14}"#,
    priority: 6, message: "liliumd stopped (SIGTERM) after 60 s: 10 decisions, 1 denials, 2 losses"),
  Sample(
    event: .policyLoaded(identity: "ab12", rules: 3, warnings: []),
    json: head + #""policy-loaded","policy":"ab12","rules":3,"warnings":[]}"#,
    priority: 6, message: "policy ab12 loaded: 3 rules, 0 warnings"),
  Sample(
    event: .policyRefused(diagnostics: ["50-a.rules:1:2: no\u{1b}", "second"], running: "ab12"),
    json: head + #""policy-refused","diagnostics":["50-a.rules:1:2: no\u001b","second"],"policy":"ab12"}"#,
    priority: 3, message: #"50-a.rules:1:2: no\x1b (and 1 more); the running policy goes on"#),
  Sample(
    event: .modeChanged(mechanism: .exec, from: .enforce, to: .audit, until: noon, uid: 1000),
    json: head + #""mode-changed","mechanism":"exec","from":"enforce","to":"audit","#
      + #""until":"2026-01-31T12:00:00.123456Z","uid":1000}"#,
    priority: 5,
    message: "mode of exec changed from enforce to audit until 2026-01-31T12:00:00.123456Z by uid 1000"),
  Sample(
    event: .loss(what: "trail-queue", count: .max),
    json: head + #""loss","what":"trail-queue","count":18446744073709551615}"#,
    priority: 3, message: "lost 18446744073709551615: trail-queue"),
  Sample(
    event: .suppressed(Suppression(sample: decision(mode: .audit), count: 5, seconds: 10)),
    json: head + #""suppressed","mechanism":"exec","mode":"audit","verdict":"deny","reason":"rule","#
      + #""rule":"50-site.rules:12","count":5,"seconds":10}"#,
    priority: 5, message: "5 more of would deny exec (50-site.rules:12) in 10 s were not recorded: rate limit"),
  Sample(
    event: .coverageChanged(coverage),
    json: head + #""coverage-changed","state":"failed","dev":"0:45","fstype":"fuse","#
      + "\"mountpoint\":\"/\u{fffd}\\n\",\"mountpoint_b64\":\"L/8K\",\"why\":\"fanotify_mark: not supported\"}",
    priority: 4, message: #"cannot mark /\xff\x0a (fuse, 0:45): fanotify_mark: not supported"#),
  Sample(
    event: .sensingChanged(
      SensingChange(what: "audit-rules-restored", detail: "3 rules were deleted by pid 7 (\u{1b}x)", isProblem: false)),
    json: head + #""sensing-changed","what":"audit-rules-restored","#
      + #""detail":"3 rules were deleted by pid 7 (\u001bx)","problem":false}"#,
    priority: 6, message: #"audit-rules-restored: 3 rules were deleted by pid 7 (\x1bx)"#),
  Sample(
    event: .trustLoaded(TrustLoad(generation: 7, paths: 91_234, contents: 12)),
    json: head + #""trust-loaded","generation":7,"paths":91234,"contents":12,"problem":false}"#,
    priority: 6, message: "trust database generation 7 loaded: 91234 paths, 12 contents trusted wherever they lie"),
  Sample(
    event: .tamperingDenied(tampering),
    json: head + #""tampering-denied","what":"state","detail":"unlink in a folder of Lilium's","name":"\#u{fffd}x","#
      + #""name_b64":"/3g=","#
      + #""subject":{"pid":9,"ppid":1,"uid":0,"euid":0,"gid":0,"exe":"/usr/bin/rm","comm":"rm","identity":"certain"}}"#,
    priority: 4, message: #"tampering denied: unlink in a folder of Lilium's (\xffx) by rm[9] uid 0"#),
  Sample(
    event: .started(DaemonStart(version: "0.1.0", pid: 8, settings: PolicySettings(), policy: nil, predecessor: 7)),
    json: head + #""started","version":"0.1.0","pid":8,"modes":{"exec":"off","open":"off","ptrace":"off","#
      + #""mprotect":"off","module":"off","kexec":"off","mount":"off","clone":"off","ioctl":"off"},"took_over_from":7}"#,
    priority: 6, message: "liliumd 0.1.0 started and took over from process 7: every mechanism is off"),
]

@Suite("Records of other kinds")
struct EventRecordTests {
  @Test("JSON, weight and words", arguments: samples)
  fileprivate func golden(sample: Sample) throws {
    let made = record(sample.event)
    #expect(text(made.json) == sample.json)
    #expect(made.priority == sample.priority)
    #expect(made.message == sample.message)
    #expect(try parse(made.json)["kind"] as? String == made.kind.name)
    #expect(!drivesReader(made.terminalLine(TerminalStyle())))
    #expect(text(made.terminalLine(TerminalStyle())) == "12:00:00.123 \(made.kind.name): \(made.message)")
  }

  @Test("a problem of sensing weighs more")
  func sensingProblem() {
    let change = SensingChange(
      what: "audit-locked", detail: "rules cannot be changed until the host is booted", isProblem: true)
    #expect(record(.sensingChanged(change)).priority == 4)
  }

  @Test("a database that cannot be believed is an error with its reason and a remedy")
  func noTrust() {
    let load = TrustLoad(generation: nil, paths: 0, contents: 0, problem: "/x/current: damaged \u{1b}[2J")
    let made = record(.trustLoaded(load))
    #expect(text(made.json) == head + #""trust-loaded","problem":true,"why":"/x/current: damaged \u001b[2J"}"#)
    #expect(made.priority == 3)
    #expect(
      made.message == #"no trust database to ask: /x/current: damaged \x1b[2J; run liliumctl trust sync"#)
    #expect(!drivesReader(made.terminalLine(TerminalStyle())))
    let kept = TrustLoad(generation: 6, paths: 5, contents: 1, problem: "later ones are damaged")
    #expect(
      text(record(.trustLoaded(kept)).json).hasSuffix(
        #""generation":6,"problem":true,"why":"later ones are damaged"}"#))
  }

  @Test("the samples leave no kind out")
  func complete() {
    #expect(Set(samples.map(\.event.kind)).union([.decision]) == Set(RecordKind.allCases))
  }

  @Test("lists of groups become one journal field each, empty lists an empty one")
  func flatLists() {
    let stopped = samples[1].event
    let decisions = record(stopped).journalFields.filter { $0.name == "LILIUM_DECISIONS" }.map { text($0.value) }
    #expect(
      decisions == [
        "mechanism=exec verdict=allow reason=rule count=9", "mechanism=exec verdict=deny reason=default count=1",
      ])
    let loaded = record(samples[2].event).journalFields.filter { $0.name == "LILIUM_WARNINGS" }
    #expect(loaded == [JournalField("LILIUM_WARNINGS", [])])
  }

  @Test("message ids are 32 lower-case hexadecimal digits, all different, and all in the catalog, and no other is")
  func catalog() throws {
    let ids = RecordKind.allCases.map(\.messageID)
    #expect(Set(ids).count == ids.count)
    #expect(ids.allSatisfy { $0.utf8.count == 32 && $0.allSatisfy { $0.isHexDigit && !$0.isUppercase } })
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let catalog = try String(contentsOf: root.appending(path: "etc/catalog/lilium.catalog"), encoding: .utf8)
    let explained = catalog.split(separator: "\n").filter { $0.hasPrefix("-- ") }.map { String($0.dropFirst(3)) }
    #expect(explained.sorted() == ids.sorted())
  }

  @Test("every field that the catalog inserts is one that its kind of record has")
  func catalogFields() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let catalog = try String(contentsOf: root.appending(path: "etc/catalog/lilium.catalog"), encoding: .utf8)
    let records = (samples.map(\.event) + [.decision(entry())]).map(record)
    var inserted = 0
    for part in catalog.split(separator: "\n-- ").dropFirst() {
      let made = try #require(records.first { part.hasPrefix($0.kind.messageID) })
      let names = Set(made.journalFields.map(\.name))
      for match in part.matches(of: /@([A-Z0-9_]+)@/) {
        #expect(names.contains(String(match.output.1)), "\(made.kind.name): \(match.output.1)")
        inserted += 1
      }
    }
    #expect(inserted > 15)
  }
}
