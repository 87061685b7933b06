// Holds the JSON form: golden lines, absence, and names that try to break out.

import AccessModel
import DecisionRecord
import Foundation
import Testing

@Suite("JSON form")
struct JSONFormTests {
  static let head =
    #"{"schema":1,"id":"7f3a9c-42","time":"2026-01-31T12:00:00.123456Z","kind":"decision","#
  static let fullSubject =
    #""subject":{"pid":1234,"ppid":1,"start":123,"uid":1000,"euid":0,"gid":100,"auid":1000,"session":3,"#
    + #""exe":"/usr/bin/bash","comm":"bash","capabilities":["CAP_CHOWN","CAP_SYS_PTRACE"],"#
    + #""userns_initial":true,"mntns_initial":false,"cgroup":"/system.slice/x.service","unit":"x.service","#
    + #""identity":"certain"},"#
  static let fullObject =
    #""object":{"path":"/tmp/x","path_verified":true,"dev":"8:1","inode":12,"size":34,"owner":1000,"group":1000,"#
    + #""mode":"0755","links":1,"kind":"elf-executable","fstype":"ext4"},"#

  @Test("a decision with every fact")
  func full() {
    let expected =
      Self.head
      + #""mechanism":"exec","mode":"enforce","verdict":"deny","effect":"prevented","#
      + #""reason":"rule","rule":"50-site.rules:12","answer_us":14,"#
      + Self.fullSubject + Self.fullObject + #""operation":{"kind":"execute"}}"#
    #expect(text(record(entry()).json) == expected)
  }

  @Test("a decision with no fact at all")
  func empty() {
    let failed = decision(.allow, .failure(.subjectVanished), mode: .audit, mechanism: .open)
    let expected =
      Self.head
      + #""mechanism":"open","mode":"audit","verdict":"allow","effect":"logged","#
      + #""reason":"failure","failure":"subject-vanished","facts_failure":"subject-vanished","answer_us":14,"#
      + #""subject":{"pid":1234},"operation":{"kind":"open"}}"#
    let made = entry(failed, present: [], failure: .subjectVanished, operation: .open)
    #expect(text(record(made).json) == expected)
  }

  @Test(
    "each group of facts brings its own keys and no other",
    arguments: [
      (.objectStatus, ["dev", "inode", "size", "owner", "group", "mode", "links"], false),
      (.objectPath, ["path", "path_verified"], false),
      (.objectContent, ["kind"], false),
      (.objectFileSystem, ["fstype"], false),
      (.objectDirectory, [], false),
      (.objectDigest, ["sha256"], false),
      (.objectTrust, ["trusted", "trust"], false),
      (.subjectStatus, ["ppid", "uid", "euid", "gid", "comm", "identity"], true),
      (.subjectCapabilities, ["capabilities"], true),
      (.subjectStat, ["start"], true),
      (.subjectLogin, ["auid", "session"], true),
      (.subjectNamespaces, ["userns_initial", "mntns_initial"], true),
      (.subjectExecutable, ["exe"], true),
      (.subjectControlGroup, ["cgroup", "unit"], true),
      (.subjectParent, [], true),
    ] as [(FactSet, Set<String>, Bool)])
  func groups(group: FactSet, keys: Set<String>, isSubject: Bool) throws {
    let found = try parse(record(entry(present: group)).json)
    let subject = try #require(found["subject"] as? [String: Any])
    let object = found["object"] as? [String: Any] ?? [:]
    #expect(Set(subject.keys) == (isSubject ? keys.union(["pid"]) : ["pid"]))
    #expect(Set(object.keys) == (isSubject ? [] : keys))
    // An object that nothing is known of is absent, not empty.
    #expect((found["object"] == nil) == object.isEmpty)
  }

  @Test(
    "reasons name what they rest on",
    arguments: [
      (Reason.off, #""reason":"off","answer_us""#),
      (.rule(siteRule), #""reason":"rule","rule":"50-site.rules:12","answer_us""#),
      (.undecided(siteRule), #""reason":"undecided","rule":"50-site.rules:12","answer_us""#),
      (.default, #""reason":"default","answer_us""#),
      (.failure(.deadline), #""reason":"failure","failure":"deadline","answer_us""#),
      (.capability(.sysPtrace), #""reason":"capability","capability":"CAP_SYS_PTRACE","answer_us""#),
    ] as [(Reason, String)])
  func reasons(reason: Reason, expected: String) {
    let json = text(record(entry(decision(.deny, reason))).json)
    #expect(json.contains(expected), "\(json)")
  }

  @Test("what is known of the content stands at the end of the object", arguments: TrustState.allCases)
  func content(state: TrustState) throws {
    var object = objectSample()
    object.digest = try #require(ContentHash(hexadecimal: bytes(String(repeating: "0123456789abcdef", count: 4))))
    object.trust = state
    let made = entry(present: FactSet.record.union([.objectDigest, .objectTrust]), object: object)
    let why = state == .trusted ? "" : #","trust":"\#(state.name)""#
    let digest = String(repeating: "0123456789abcdef", count: 4)
    #expect(
      text(record(made).json).contains(
        #""fstype":"ext4","sha256":"\#(digest)","trusted":\#(state == .trusted)\#(why)},"operation""#))
    let fields = record(made).journalFields
    func value(_ name: String) -> [String] { fields.filter { $0.name == name }.map { text($0.value) } }
    #expect(value("LILIUM_OBJECT_SHA256") == [digest])
    #expect(value("LILIUM_OBJECT_TRUSTED") == [state == .trusted ? "true" : "false"])
    #expect(value("LILIUM_OBJECT_TRUST") == (state == .trusted ? [] : [state.name]))
  }

  @Test("a denial names the capability that was missing, unless it was held or is not known")
  func missingCapability() throws {
    func named(_ made: TrailEntry) throws -> String? { try parse(record(made).json)["capability"] as? String }
    let module = decision(.deny, .default, mechanism: .module)
    #expect(try named(entry(module)) == "CAP_SYS_MODULE")
    #expect(try named(entry(decision(.deny, .default, mechanism: .ptrace))) == nil)
    #expect(try named(entry(module, present: .subjectCapabilities)) == nil)
    #expect(try named(entry(decision(.allow, .default, mechanism: .module))) == nil)
    var confined = subjectSample()
    confined.userNamespaceInitial = false
    #expect(try named(entry(decision(.deny, .default, mechanism: .ptrace), subject: confined)) == "CAP_SYS_PTRACE")
  }

  @Test("nobody logged in, and no unit: no key")
  func sentinels() throws {
    var subject = subjectSample()
    subject.auditUID = .max
    subject.auditSession = .max
    subject.unit = []
    subject.effectiveCapabilities = CapabilitySet()
    let found = try #require(parse(record(entry(subject: subject)).json)["subject"] as? [String: Any])
    #expect(found["auid"] == nil && found["session"] == nil && found["unit"] == nil)
    #expect(found["capabilities"] as? [String] == [])
  }

  @Test(
    "file modes are four octal digits",
    arguments: [(0, "0000"), (0o7, "0007"), (0o644, "0644"), (0o4755, "4755"), (0o7777, "7777")] as [(UInt16, String)])
  func modes(mode: UInt16, expected: String) {
    var object = objectSample()
    object.mode = mode
    #expect(text(record(entry(object: object)).json).contains(#""mode":"\#(expected)""#))
  }

  @Test("the largest numbers stay exact")
  func largestNumbers() {
    var object = objectSample()
    object.identity.inode = .max
    object.size = .max
    let json = text(record(entry(object: object)).json)
    #expect(json.contains(#""inode":18446744073709551615,"size":18446744073709551615"#))
  }

  @Test("hostile names come back as they were, and drive nobody", arguments: hostileNames)
  func hostile(name: [UInt8]) throws {
    let json = record(named: name).json
    #expect(!drivesReader(json))
    let found = try parse(json)
    #expect(found["verdict"] as? String == "deny")
    for (group, key) in [("object", "path"), ("subject", "exe"), ("subject", "comm")] {
      let fields = try #require(found[group] as? [String: Any])
      let readable = try #require(fields[key] as? String)
      if String(validating: name, as: UTF8.self) != nil {
        #expect([UInt8](readable.utf8) == name)
        #expect(fields[key + "_b64"] == nil)
      } else {
        let exact = try #require(fields[key + "_b64"] as? String)
        #expect(Data(base64Encoded: exact) == Data(name))
        #expect(readable.contains("\u{fffd}"))
      }
    }
  }

  @Test("each bad byte is one replacement character, and KEY_b64 follows its key")
  func replacement() {
    let json = text(record(named: [0x2f, 0xe2, 0x82, 0x41, 0xff]).json)
    #expect(json.contains(#""path":"/\#u{fffd}\#u{fffd}A\#u{fffd}","path_b64":"L+KCQf8=","path_verified""#), "\(json)")
  }

  @Test("escapes are the short ones where JSON has them")
  func escapes() {
    let json = text(record(named: bytes("a\"b\\c\nd\re\tf\u{1b}\u{7f}\u{85}\u{202e}\u{2028}\u{e0041}")).json)
    #expect(
      json.contains(#""path":"a\"b\\c\nd\re\tf\u001b\u007f\u0085\u202e\u2028\udb40\udc41","path_verified""#), "\(json)")
  }

  @Test("base64 of every length agrees with Foundation")
  func base64() throws {
    for length in 1...64 {
      let name = (0..<length).map { UInt8(truncatingIfNeeded: 0x80 + $0 * 37) | 0x80 }
      let found = try #require(parse(record(named: name).json)["object"] as? [String: Any])
      guard let exact = found["path_b64"] as? String else { continue }
      #expect(exact == Data(name).base64EncodedString())
    }
  }
}

func parse(_ json: [UInt8]) throws -> [String: Any] {
  try #require(JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
}
