// Tests that a record's text is read as the kernel means it, and that no value can forge a field.

import AuditNetlink
import Testing

@Suite("A record's fields")
struct AuditEntryTests {
  private func entry(_ body: String, type: UInt16 = AuditType.syscall) throws -> AuditEntry {
    try #require(AuditEntry(type: type, text: Array("audit(1700000000.123:456): \(body)".utf8)))
  }

  @Test func aSystemCallIsRead() throws {
    let entry = try entry(
      "arch=c000003e syscall=165 success=no exit=-1 a0=7ffd1c5 a1=0 a2=ffffffffffffffff a3=c00 items=1 ppid=1 pid=12 "
        + "auid=4294967295 uid=0 tty=pts0 ses=3 comm=\"mount\" exe=\"/usr/bin/mount\" subj=unconfined key=(null)")
    #expect(entry.time == 1_700_000_000_123_000_000)
    #expect(entry.serial == 456)
    #expect(entry.hexadecimal("arch") == 0xc000_003e)
    #expect(entry.decimal("syscall") == 165)
    #expect(entry.word("success") == "no")
    #expect(entry.decimal("exit") == -1)
    #expect(entry.hexadecimal("a0") == 0x7ff_d1c5)
    #expect(entry.hexadecimal("a2") == .max)
    #expect(entry.decimal("auid") == 4_294_967_295)
    #expect(entry.word("tty") == "pts0")
    #expect(entry.text("tty") == Array("pts0".utf8))
    #expect(entry.text("comm") == Array("mount".utf8))
    #expect(entry.raw("comm") == Array("\"mount\"".utf8))
    #expect(entry.text("exe") == Array("/usr/bin/mount".utf8))
    #expect(entry.text("key") == nil, "(null) is no key")
    #expect(entry.word("key") == "(null)")
    #expect(entry.names.count == 19)
    #expect(entry.text("absent") == nil && entry.word("absent") == nil && entry.raw("absent") == nil)
    #expect(entry.decimal("absent") == nil && entry.hexadecimal("absent") == nil)
  }

  @Test(arguments: [
    ("comm=\"a\"", "comm", "a"),
    ("comm=\"\"", "comm", ""),
    ("comm=612062", "comm", "a b"),
    ("comm=2220706964", "comm", "\" pid"),
    ("exe=2F746D702F610A62", "exe", "/tmp/a\nb"),
    ("comm=\"DEADBEEF\"", "comm", "DEADBEEF"),
    ("name=C3A9", "name", "é"),
    ("key=6C696C69756D01612062", "key", "lilium\u{1}a b"),
    ("proctitle=6C730061", "proctitle", "ls\0a"),
    ("ocomm=\"x\"", "ocomm", "x"),
    ("op=add_rule", "op", "add_rule"),
    ("op=\"add_rule\"", "op", "add_rule"),
    ("nametype=DEADBEEF", "nametype", "DEADBEEF"),
    ("dev=08:01", "dev", "08:01"),
    ("name=", "name", ""),
  ])
  func aTextIsDecoded(_ body: String, _ name: String, _ expected: String) throws {
    #expect(try entry(body).text(name) == Array(expected.utf8))
  }

  @Test(arguments: ["comm=(null)", "comm=abc", "comm=6g", "comm=6a", "comm=ABC", "comm=a", "commx=\"a\""])
  func whatIsNoTextIsNone(_ body: String) throws {
    #expect(try entry(body).text("comm") == nil)
  }

  @Test func argumentsOfExecveAreTexts() throws {
    let entry = try entry(
      "argc=3 a0=\"ls\" a1=612062 a2_len=9000 a2[0]=4142 a2[1]=\"C\"", type: AuditType.execve)
    #expect(entry.text("a0") == Array("ls".utf8))
    #expect(entry.text("a1") == Array("a b".utf8))
    #expect(entry.text("a2[0]") == Array("AB".utf8))
    #expect(entry.text("a2[1]") == Array("C".utf8))
    #expect(entry.decimal("a2_len") == 9000)
    #expect(entry.text("a2_len") == Array("9000".utf8))
    #expect(entry.text("argc") == Array("3".utf8))
    #expect(try self.entry("a0=41").text("a0") == Array("41".utf8), "in SYSCALL it is a number")
  }

  @Test(arguments: [
    "x=\"a pid=1\" uid=2",
    "msg='op=x pid=1 exe=\"y\"' uid=2",
    "msg='it's pid=1 '",
    "msg='never closed pid=1",
    "x=\"never closed pid=1",
    "x=\"glued\"pid=1 uid=2",
    "=pid=1 uid=2",
    "word\"pid uid=2",
    "x=y=pid=1",
    "xpid=1 pidx=1",
  ])
  func noFieldIsFoundInAnother(_ body: String) throws {
    #expect(try !entry(body).names.contains("pid"))
    #expect(try entry(body).decimal("pid") == nil)
    #expect(try entry(body).word("uid") ?? "2" == "2")
  }

  @Test func whatTheKernelWritesFirstHolds() throws {
    let entry = try entry("pid=1 subj=label pid=2 key=\"a\" key=\"b\"")
    #expect(entry.decimal("pid") == 1)
    #expect(entry.text("key") == Array("a".utf8))
  }

  @Test func aUserMessageIsOneField() throws {
    let entry = try entry("pid=7 uid=0 msg='lilium verdict=deny it's \"pid=9\"'", type: AuditType.userAVC)
    #expect(entry.names == ["pid", "uid", "msg"])
    #expect(entry.text("msg") == Array("lilium verdict=deny it's \"pid=9\"".utf8))
    #expect(entry.word("msg") == "lilium verdict=deny it's \"pid=9\"")
  }

  @Test func whatAuditdAppendsIsLeftOut() throws {
    let entry = try entry("pid=1 uid=0\u{1d}UID=\"root\" pid=2")
    #expect(entry.names == ["pid", "uid"])
  }

  @Test(arguments: [
    ("a=0", 0 as Int64?, 0 as UInt64?), ("a=-1", -1, nil), ("a=ff", nil, 255), ("a=10", 10, 16), ("a=+1", nil, nil),
    ("a=", nil, nil), ("a=\"1\"", nil, nil), ("a=0x1", nil, nil), ("a=9223372036854775807", .max, nil),
    ("a=9223372036854775808", nil, nil), ("a=ffffffffffffffff", nil, .max),
    ("a=10000000000000000", 10_000_000_000_000_000, nil),
    ("a=-9223372036854775808", .min, nil), ("a=1,", nil, nil), ("a=1\u{0}", 1, 1), ("a=1\n", 1, 1),
  ])
  func numbersAreBounded(_ body: String, _ decimal: Int64?, _ hexadecimal: UInt64?) throws {
    #expect(try entry(body).decimal("a") == decimal)
    if decimal != -1, decimal != .min { #expect(try entry(body).hexadecimal("a") == hexadecimal) }
  }

  @Test(arguments: [
    ("audit(0.000:0):", 0 as Int64, 0 as UInt64), ("audit(1.001:2): ", 1_001_000_000, 2),
    ("audit(9223372035.999:18446744073709551615): a=1", 9_223_372_035_999_000_000, .max),
    ("audit(00001.000:00002): a=1", 1_000_000_000, 2),
  ])
  func headsAreRead(_ text: String, _ time: Int64, _ serial: UInt64) throws {
    let entry = try #require(AuditEntry(type: AuditType.eoe, text: Array(text.utf8)))
    #expect(entry.time == time)
    #expect(entry.serial == serial)
  }

  @Test(arguments: [
    "", "audit", "audit(", "audit(1", "audit(1.", "audit(1.000", "audit(1.000:", "audit(1.000:1", "audit(1.000:1)",
    "audit(1.00:1):", "audit(1.0000:1):", "audit(.000:1):", "audit(1.000:):", "audit(-1.000:1):", "audit(1.000:-1):",
    "audit(9223372036.000:1):", "audit(99999999999999999999.000:1):", "audit(1.000:18446744073709551616):",
    " audit(1.000:1):", "Audit(1.000:1):", "type=SYSCALL msg=audit(1.000:1):", "audit(1.000 :1):",
  ])
  func whatHasNoHeadIsNoRecord(_ text: String) {
    #expect(AuditEntry(type: AuditType.syscall, text: Array(text.utf8)) == nil)
  }

  @Test func theLengthIsBounded() {
    let head = Array("audit(1.000:1): ".utf8)
    let longest = head + [UInt8](repeating: 0x61, count: AuditEntry.maximumLength - head.count)
    #expect(AuditEntry(type: AuditType.syscall, text: longest) != nil)
    #expect(AuditEntry(type: AuditType.syscall, text: longest + [0x61]) == nil)
  }

  /// Every prefix, and every text with one byte changed, is read without harm; what stays whole reads the same.
  @Test func damageIsHarmless() throws {
    let whole = Array("audit(17.123:4): pid=12 comm=\"a\" exe=2F61 msg='x y' key=(null)".utf8)
    for end in whole.indices { _ = AuditEntry(type: AuditType.syscall, text: Array(whole[..<end])) }
    for index in whole.indices {
      for byte: UInt8 in [0, 0x1d, 0x20, 0x22, 0x27, 0x3d, 0xff] {
        var damaged = whole
        damaged[index] = byte
        guard let entry = AuditEntry(type: AuditType.syscall, text: damaged) else {
          #expect(index < 16, "only the head can spoil a record")
          continue
        }
        for name in entry.names where byte != 0xff { #expect(entry.raw(name) != nil) }
        if index > 23 { #expect(entry.decimal("pid") == 12) }
      }
    }
  }
}
