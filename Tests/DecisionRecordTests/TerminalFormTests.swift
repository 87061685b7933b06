// Holds the line that a person reads.

import AccessModel
import DecisionRecord
import Testing

@Suite("Terminal form")
struct TerminalFormTests {
  private func line(_ entry: TrailEntry, _ style: TerminalStyle = TerminalStyle()) -> String {
    text(record(entry).terminalLine(style))
  }

  @Test("columns")
  func columns() {
    #expect(
      line(entry(decision(.deny, mode: .audit)))
        == "12:00:00.123 would deny  exec  /tmp/x                                    "
        + "by bash[1234] uid 1000        50-site.rules:12          14 µs")
    #expect(
      line(called(.mprotect) { $0.call.protection = [bytes("PROT_WRITE"), bytes("PROT_EXEC")] })
        == "12:00:00.123 contained   mprotect  PROT_WRITE|PROT_EXEC mprotect             "
        + "by bash[1234] uid 1000        default                   14 µs")
  }

  @Test("the time is shown with the offset that is asked for")
  func offset() {
    #expect(line(entry(), TerminalStyle(utcOffset: 3600)).hasPrefix("13:00:00.123 "))
  }

  @Test(
    "colour is on the verdict alone, and only when it is told",
    arguments: [
      (decision(.deny, mode: .enforce), "\u{1b}[31mdeny\u{1b}[0m      "),
      (decision(.deny, mode: .audit), "\u{1b}[33mwould deny\u{1b}[0m"),
      (decision(.allow, mode: .audit), "\u{1b}[32mallow\u{1b}[0m     "),
    ])
  func color(decision: Decision, expected: String) {
    let colored = line(entry(decision), TerminalStyle(color: true))
    #expect(colored.hasPrefix("12:00:00.123 \(expected)  exec"))
    #expect(colored.filter { $0 == "\u{1b}" }.count == 2)
    #expect(!line(entry(decision)).contains("\u{1b}"))
  }

  @Test("hostile names drive nobody", arguments: hostileNames)
  func hostile(name: [UInt8]) {
    #expect(!drivesReader(record(named: name).terminalLine(TerminalStyle())))
  }

  @Test(
    "names as they are shown",
    arguments: [
      ([0x2f, 0x1b, 0x0a, 0x7f], #"/\x1b\x0a\x7f"#),
      ([0x2f, 0xff, 0xe2, 0x82], #"/\xff\xe2\x82"#),
      (bytes("/\u{202e}x"), #"/\xe2\x80\xaex"#),
      (bytes("/\u{85}"), #"/\xc2\x85"#),
      (bytes("/ünï/日本"), "/ünï/日本"),
      (bytes(#"/a\x1b"#), #"/a\\x1b"#),
      (bytes("/x by systemd[1] uid 0"), #""/x by systemd[1] uid 0""#),
      (bytes("/x\u{2003}y"), "\"/x\u{2003}y\""),
      (bytes(#"/a"b"#), #""/a\"b""#),
      ([], #""""#),
    ] as [([UInt8], String)])
  func names(name: [UInt8], expected: String) { #expect(displayText(name) == expected) }

  @Test("a long path is not cut")
  func long() {
    let path = "/" + String(repeating: "a", count: 4095)
    #expect(text(record(named: bytes(path)).terminalLine(TerminalStyle())).contains(path + "  by "))
  }

  @Test("what is not known is not made up")
  func absent() {
    let blind = line(entry(decision(.allow, .failure(.subjectVanished)), present: []))
    #expect(blind.contains("(unknown file)") && blind.contains("by process[1234]  "))
    #expect(blind.contains("failure: subject-vanished") && !blind.contains("uid"))
    #expect(line(entry(present: .objectStatus)).contains("(inode 12 on 8:1)"))
    #expect(line(entry(present: [.objectPath, .subjectStatus])).contains("by bash[1234] uid 1000"))
    var object = objectSample()
    object.pathVerified = false
    #expect(line(entry(object: object)).contains("/tmp/x (unverified)  "))
  }

  @Test("reasons in words")
  func reasons() {
    #expect(line(entry(decision(.allow, .capability(.sysAdmin)))).contains("holds CAP_SYS_ADMIN"))
    #expect(line(entry(decision(.deny, .undecided(siteRule)))).contains("undecided 50-site.rules:12"))
  }

  @Test(
    "a denial says what is wrong with the content, where the rules have asked",
    arguments: [
      (.trusted, "default"), (.unknown, "default: its content is not known to the trust database"),
      (.changed, "default: its content has changed"),
      (.openForWriting, "default: somebody holds it open for writing"),
    ] as [(TrustState, String)])
  func content(state: TrustState, expected: String) {
    var object = objectSample()
    object.trust = state
    let known = FactSet.record.union(.objectTrust)
    for mode in [Mode.enforce, .audit] {
      let made = entry(decision(.deny, .default, mode: mode), present: known, object: object)
      #expect(line(made).contains("  \(expected) "))
      #expect(record(made).message.contains("by bash[1234] uid 1000: \(expected); to learn more: "))
    }
    #expect(line(entry(decision(.allow, .default), present: known, object: object)).contains("  default    "))
    #expect(line(entry(decision(.deny, .default), object: object)).contains("  default    "), "nobody has asked")
  }

  @Test("without a database the record says what to do")
  func remedy() {
    let made = entry(decision(.allow, .failure(.trustUnavailable)), failure: .trustUnavailable)
    #expect(line(made).contains("failure: trust-unavailable (run liliumctl trust sync)"))
    #expect(text(record(made).json).contains(#""reason":"failure","failure":"trust-unavailable""#))
    let leaseless = entry(decision(.allow, .failure(.writersUnknown)), failure: .writersUnknown)
    #expect(line(leaseless).contains("failure: writers-unknown (run sysctl fs.leases-enable=1)"))
    let other = entry(decision(.allow, .failure(.outOfThreads)), failure: .outOfThreads)
    #expect(line(other).contains("failure: out-of-threads  "))
  }
}
