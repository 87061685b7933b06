// Holds what is read from the lines of a call: who, what, on which files. Lines are what the kernel writes, or what
// damage and hostile names may make of them.

import AccessModel
import Testing

@testable import AuditNetlink
@testable import AuditResponse

@Suite("Records of calls")
struct CallRecordTests {
  @Test func theCallerIsWhomTheRecordNames() throws {
    let record = try RecordText(call: .ptrace, arguments: [16, 99]).record()
    #expect(record.call == .ptrace && record.architecture == .x86_64 && record.pid == 4242 && record.parent == 4200)
    #expect(record.arguments[0] == 16 && record.arguments[1] == 99 && record.arguments[3] == 0)
    #expect(record.result == 0 && record.succeeded)
    let facts = Facts()
    record.describeSubject(in: facts)
    #expect(facts.present.subtracting(.request) == [.subjectStatus, .subjectLogin] && facts.failed == [])
    let subject = facts.subject
    #expect(subject.parent == 4200 && subject.uid == 1001 && subject.gid == 1002 && subject.euid == 1003)
    #expect(subject.egid == 1004 && subject.auditUID == 1000 && subject.auditSession == 7)
    #expect(text(subject.comm) == "bash" && text(subject.executable) == "/usr/bin/bash")
    #expect(text(record.terminal) == "pts/3")
  }

  @Test(
    arguments: [
      ("yes", "0", 0, true), ("yes", "4096", 4096, true), ("no", "-1", -1, false), ("no", "-38", -38, false),
      ("no", "-9223372036854775808", Int64.min, false), ("yes", "9223372036854775807", Int64.max, true),
      // 2^63 and words are no result.
      ("yes", "9223372036854775808", nil, true), ("no", "?", nil, false), ("maybe", "0", 0, false),
      ("YES", "0", 0, false),
    ] as [(String, String, Int64?, Bool)])
  func results(_ success: String, _ exit: String, _ result: Int64?, _ succeeded: Bool) throws {
    let record = try RecordText(call: .mount, success: success, exit: exit).record()
    #expect(record.result == result && record.succeeded == succeeded)
  }

  @Test func aProcessThatWasKilledInTheCallHasNoResult() throws {
    var line = RecordText(call: .mount).syscall
    line.replace("success=yes exit=0 ", with: "")
    let record = try #require(CallRecord(RecordText.event([(AuditType.syscall, line)])))
    #expect(record.result == nil && !record.succeeded)
  }

  /// Each line lacks or falsifies what a call cannot be known without.
  @Test(arguments: [
    (" pid=4242", ""), ("pid=4242", "pid=0"), (" pid=4242", " pid=-1"), (" pid=4242", " pid=4294967296"),
    (" pid=4242", " pid=99999999999999999999"), (" pid=4242", " pid=x"), ("arch=c000003e", "arch=c00000ff"),
    ("arch=c000003e", "arch=1c000003e"), ("arch=c000003e ", ""), ("syscall=101 ", ""), ("syscall=101", "syscall=0"),
    ("syscall=101", "syscall=-101"), ("syscall=101", "syscall=1073741925"), ("syscall=101", "syscall=4294967397"),
  ])
  func linesWithoutACallAreNone(_ part: String, _ instead: String) throws {
    var line = RecordText(call: .ptrace).syscall
    try #require(line.contains(part))
    line.replace(part, with: instead)
    #expect(try CallRecord(RecordText.event([(AuditType.syscall, line)])) == nil)
  }

  @Test func anEventWithoutACallIsNone() throws {
    #expect(try CallRecord(RecordText.event([(AuditType.cwd, #"cwd="/""#)])) == nil)
    #expect(try CallRecord(RecordText.event([])) == nil)
  }

  /// A torn record does not make its caller root.
  @Test(arguments: [" uid=1001", " euid=1003", " gid=1002", " egid=1004"])
  func aCallerWithoutIdentityIsTorn(_ part: String) throws {
    var line = RecordText(call: .ptrace).syscall
    line.replace(part, with: "")
    let facts = Facts()
    try #require(CallRecord(RecordText.event([(AuditType.syscall, line)]))).describeSubject(in: facts)
    #expect(
      facts.present.subtracting(.request) == [] && facts.failed == [.subjectStatus, .subjectLogin]
        && facts.failure == .recordTorn)
  }

  /// 2^32 is not user 0.
  @Test(arguments: [
    "uid=4294967296", "uid=8589934592", "uid=99999999999999999999999", "uid=-1", "uid=", "uid=root", "uid=(null)",
  ])
  func aNumberThatIsNoUserIsTorn(_ word: String) throws {
    var line = RecordText(call: .ptrace).syscall
    line.replace(" uid=1001", with: " " + word)
    let facts = Facts()
    try #require(CallRecord(RecordText.event([(AuditType.syscall, line)]))).describeSubject(in: facts)
    #expect(!facts.present.contains(.subjectStatus), "uid \(facts.subject.uid)")
  }

  @Test func nobodyLoggedIn() throws {
    var line = RecordText(call: .ptrace)
    line.uids.replace("auid=1000", with: "auid=4294967295")
    line.tail = #"tty=(none) ses=4294967295 comm="cron" exe=(null) key=(null)"#
    let record = try line.record()
    let facts = Facts()
    record.describeSubject(in: facts)
    #expect(facts.subject.auditUID == .max && facts.subject.auditSession == .max)
    #expect(facts.subject.executable.isEmpty && record.terminal.isEmpty)
  }

  @Test(arguments: [
    ("pts0", "pts/0"), ("pts123", "pts/123"), ("tty1", "tty1"), ("ttyS0", "ttyS0"), ("ptsx", "ptsx"), ("(none)", ""),
    ("console", "console"),
  ])
  func terminals(_ recorded: String, _ name: String) throws {
    var line = RecordText(call: .ptrace)
    line.tail.replace("pts3", with: recorded)
    #expect(text(try line.record().terminal) == name)
  }

  /// A process may call itself anything: names come in hexadecimal, and what looks like a field in one is none.
  @Test func aNameThatWantsToBeRoot() throws {
    let name = #"x" uid=0 pid=1 "#
    var line = RecordText(call: .ptrace)
    line.tail =
      "tty=pts3 ses=7 comm=\(RecordText.hexadecimal(name.utf8)) "
      + "exe=\(RecordText.hexadecimal([0x2f, 0xff, 0x0a])) key=(null)"
    let record = try line.record()
    let facts = Facts()
    record.describeSubject(in: facts)
    #expect(text(facts.subject.comm) == name && facts.subject.executable == [0x2f, 0xff, 0x0a])
    #expect(facts.subject.uid == 1001 && record.pid == 4242)
  }

  // MARK: - Paths

  @Test func pathsAreWhole() throws {
    let relative = try RecordText(call: .mount).naming([#""../m//x/.""#, #""/dev/sda1""#]).record()
    #expect(texts(relative.paths) == ["/home/m/x", "/dev/sda1"])
    let hexadecimal = RecordText.hexadecimal("/mnt/a b".utf8)
    #expect(texts(try RecordText(call: .mount).naming([hexadecimal]).record().paths) == ["/mnt/a b"])
    #expect(try RecordText(call: .mount).naming(["(null)", #""""#]).record().paths.isEmpty)
    #expect(try RecordText(call: .mount).record().paths.isEmpty)
  }

  /// Records may come in any order, and the folder may be missing.
  @Test func pathsStandInTheirOrder() throws {
    var line = RecordText(call: .moveMount)
    line.others = [
      (AuditType.path, #"item=1 name="/b""#), (AuditType.path, #"item=0 name="/a""#),
      (AuditType.path, #"item=2 name="c""#),
    ]
    #expect(texts(try line.record().paths) == ["/a", "/b"], "a relative name without a folder is none")
  }

  /// A name beside a descriptor begins at the folder that the descriptor was, wherever the caller stood.
  @Test func aNameBesideADescriptorHasNoKnownFolder() throws {
    let here: UInt64 = 0xffff_ffff_ffff_ff9c
    func paths(_ call: KnownCall, _ arguments: [UInt64]) throws -> [String] {
      texts(try RecordText(call: call, arguments: arguments).naming([#""m""#]).record().paths)
    }
    for call in [KnownCall.openTree, .mountSetattr] {
      #expect(try paths(call, [here]) == ["/home/ada/m"])
      #expect(try paths(call, [5]).isEmpty, "\(call.name)")
    }
    #expect(try paths(.moveMount, [5, 1, 0xffff_ff9c, 2]) == ["/home/ada/m"])
    #expect(try paths(.moveMount, [5, 1, 6, 2]).isEmpty)
  }

  @Test(arguments: [
    ("/", "/"), ("//", "/"), ("/.", "/"), ("/..", "/"), ("/../..", "/"), ("/a", "/a"), ("/a/", "/a"),
    ("//a//b", "/a/b"),
    ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/a/b/..", "/a"), ("/a/...", "/a/..."), ("/a/..b", "/a/..b"),
    ("/a/../../b", "/b"), ("/a/.b", "/a/.b"), ("", "/"),
  ])
  func plainPaths(_ path: String, _ plain: String) {
    #expect(text(PathText.plain(Array(path.utf8))) == plain)
  }
}
