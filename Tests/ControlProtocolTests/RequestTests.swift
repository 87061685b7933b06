// Owns what request lines mean, and what is said of those that mean nothing.

import AccessModel
import ControlProtocol
import Testing

@Suite struct RequestTests {
  static let requests: [(ControlRequest, String)] = [
    (.status, #"{"protocol":1,"request":"status"}"#),
    (.version, #"{"protocol":1,"request":"version"}"#),
    (.reload, #"{"protocol":1,"request":"reload"}"#),
    (.readFiles, #"{"protocol":1,"request":"read-files"}"#),
    (.takeover, #"{"protocol":1,"request":"takeover"}"#),
    (.trustChanged, #"{"protocol":1,"request":"trust-changed"}"#),
    (
      .mode(ModeChange(mechanism: .exec, mode: .audit, seconds: 300)),
      #"{"for_seconds":300,"mechanism":"exec","mode":"audit","protocol":1,"request":"mode"}"#
    ),
    (
      .mode(ModeChange(mechanism: .open, mode: .off)),
      #"{"mechanism":"open","mode":"off","protocol":1,"request":"mode"}"#
    ),
    (.watch(WatchFilter()), #"{"protocol":1,"request":"watch"}"#),
    (
      .watch(WatchFilter(mechanism: .open, verdict: .deny)),
      #"{"filter":{"mechanism":"open","verdict":"deny"},"protocol":1,"request":"watch"}"#
    ),
    (.explain(id: "7f3a9c-42"), #"{"id":"7f3a9c-42","protocol":1,"request":"explain"}"#),
  ]

  @Test(arguments: requests)
  func goesThereAndBack(_ request: ControlRequest, _ line: String) throws {
    #expect(String(decoding: ControlLine.encode(request), as: UTF8.self) == line + "\n")
    #expect(try ControlLine.decodeRequest(Array(line.utf8)) == request)
  }

  static let refused: [(String, ControlError.Code, String)] = [
    ("", .malformed, "not a JSON object"),
    ("status", .malformed, "not a JSON object"),
    ("[]", .malformed, "not a JSON object"),
    ("{}", .malformed, "protocol: missing; write a whole number"),
    (#"{"protocol":"1","request":"status"}"#, .malformed, "protocol: not a whole number"),
    (#"{"protocol":2,"request":"status"}"#, .unsupportedProtocol, "this daemon speaks protocol 1"),
    (#"{"protocol":1}"#, .malformed, "request: missing; write a text"),
    (#"{"protocol":1,"request":7}"#, .malformed, "request: not a text"),
    (
      #"{"protocol":1,"request":"stop"}"#, .unknownRequest,
      "unknown request; the requests are explain, mode, read-files, reload, status, takeover, trust-changed, version, "
        + "watch"
    ),
    (#"{"protocol":1,"request":"status","verbose":true}"#, .malformed, "a field that this request does not have"),
    (#"{"protocol":1,"request":"status"} {}"#, .malformed, "not a JSON object"),
    (#"{"protocol":1,"request":"mode"}"#, .malformed, "mechanism: missing; write a text"),
    (
      #"{"protocol":1,"request":"mode","mechanism":"exek","mode":"off"}"#, .invalidArgument,
      "mechanism: write one of exec, open, ptrace, mprotect, module, kexec, mount, clone, ioctl"
    ),
    (
      #"{"protocol":1,"request":"mode","mechanism":"exec","mode":"on"}"#, .invalidArgument,
      "mode: write one of off, audit, enforce"
    ),
    (
      #"{"protocol":1,"request":"mode","mechanism":"exec","mode":"off","for_seconds":0}"#, .invalidArgument,
      "for_seconds: write 1 to 31536000"
    ),
    (
      #"{"protocol":1,"request":"mode","mechanism":"exec","mode":"off","for_seconds":1.5}"#, .malformed,
      "for_seconds: not a whole number"
    ),
    (#"{"protocol":1,"request":"watch","filter":[]}"#, .malformed, "filter: not an object"),
    (#"{"protocol":1,"request":"watch","filter":{"verdict":"denied"}}"#, .invalidArgument, "verdict: write one of"),
    (#"{"protocol":1,"request":"watch","filter":{"path":"/"}}"#, .malformed, "a field that this request does not have"),
    (#"{"protocol":1,"request":"explain","id":""}"#, .invalidArgument, "id: not a record's id"),
    (#"{"protocol":1,"request":"explain","id":"../x"}"#, .invalidArgument, "id: not a record's id"),
  ]

  @Test(arguments: refused)
  func isRefusedWithASentence(_ line: String, _ code: ControlError.Code, _ message: String) {
    let error = #expect(throws: ControlError.self) { try ControlLine.decodeRequest(Array(line.utf8)) }
    #expect(error?.code == code)
    #expect(error?.message.hasPrefix(message) == true)
  }

  @Test func bombsAreRefused() {
    let deep = String(repeating: "[", count: 60_000)
    #expect(throws: ControlError(.malformed, "nested too deeply")) { try ControlLine.decodeRequest(Array(deep.utf8)) }
    let objects = String(repeating: #"{"a":"#, count: 10_000)
    #expect(throws: ControlError(.malformed, "nested too deeply")) {
      try ControlLine.decodeRequest(Array(objects.utf8))
    }
    let long = [UInt8](repeating: UInt8(ascii: " "), count: ControlLine.longestRequest + 1)
    #expect(throws: ControlError(.lineTooLong, "a line longer than 65536 bytes")) {
      try ControlLine.decodeRequest(long)
    }
  }

  @Test func bracketsInTextsDoNotCount() {
    let id = String(repeating: "[", count: 100)
    let error = #expect(throws: ControlError.self) {
      try ControlLine.decodeRequest(Array(#"{"protocol":1,"request":"explain","id":"\"\#(id)"}"#.utf8))
    }
    #expect(error?.code == .invalidArgument)
  }

  @Test(arguments: ["status", "version", "watch", "explain"]) func readersMayAsk(_ name: String) {
    #expect(Self.requests.filter { $0.0.name == name }.allSatisfy { $0.0.isReadOnly })
  }

  @Test(arguments: ["reload", "mode", "trust-changed", "read-files"]) func onlyRootMayAsk(_ name: String) {
    #expect(Self.requests.filter { $0.0.name == name }.allSatisfy { !$0.0.isReadOnly })
  }

  static let filters: [(WatchFilter, String, Bool)] = [
    (WatchFilter(), #"{"kind":"decision","mechanism":"exec"}"#, true),
    (WatchFilter(mechanism: .exec), #"{"kind":"decision","mechanism":"exec","verdict":"deny"}"#, true),
    (WatchFilter(mechanism: .open), #"{"kind":"decision","mechanism":"exec","verdict":"deny"}"#, false),
    (WatchFilter(verdict: .allow), #"{"kind":"decision","mechanism":"exec","verdict":"deny"}"#, false),
    (WatchFilter(mechanism: .open), #"{"kind":"loss","what":"overflow"}"#, true),
    // A forged name cannot hold a plain quote.
    (
      WatchFilter(mechanism: .open),
      #"{"kind":"decision","mechanism":"exec","object":{"path":"\"mechanism\":\"open\""}}"#, false
    ),
    (WatchFilter(mechanism: .open), "", true),
  ]

  @Test(arguments: filters)
  func filtersSelectDecisions(_ filter: WatchFilter, _ line: String, _ wanted: Bool) {
    #expect(filter.wants(Array(line.utf8)) == wanted)
  }
}
