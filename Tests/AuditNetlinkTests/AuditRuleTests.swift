// Tests a rule's text and its bytes, without a kernel.

import CAudit
import Glibc
import SystemCalls
import Testing

@testable import AuditNetlink

@Suite("A rule's form")
struct AuditRuleTests {
  @Test func theTextIsAuditctls() throws {
    let rule = try #require(
      AuditRule(
        architecture: .x86_64, calls: [.umount2, .mount, .mount, .mmap2],
        conditions: [
          .init(.argument1, .bitTest, 4), .init(.argument0, .bitMask, 0x7e02_0000), .init(.uid, .notEqual, 0),
          .init(.exit, .equal, UInt32(bitPattern: -1)), .init(.auid, .greaterOrEqual, 1000),
          .init(.success, .equal, 1),
        ], key: "lilium.mount"))
    #expect(rule.calls == [.mount, .umount2], "no call twice, none that the architecture lacks")
    #expect(
      rule.text == "-a always,exit -F arch=b64 -S mount,umount2 -F a1&=0x4 -F a0&0x7e020000 -F uid!=0 -F exit=-1 "
        + "-F auid>=1000 -F success=1 -F key=lilium.mount")
  }

  @Test func aCallWithoutANameIsANumber() throws {
    let rule = try #require(AuditRule(architecture: .i386, calls: [.kexecLoad, .initModule], key: "k"))
    let name = audit_syscall_to_name(283, audit_elf_to_machine(AuditArchitecture.i386.rawValue))
    let isKnown = name.map { String(cString: $0) } == "kexec_load"
    #expect(rule.text == "-a always,exit -F arch=b32 -S init_module,\(isKnown ? "kexec_load" : "283") -F key=k")
  }

  @Test(arguments: ["", " ", "a b", "a,b", "a\"", "a'", "é", "a\n", String(repeating: "k", count: 257)])
  func keysAreLimited(_ key: String) {
    #expect(AuditRule(architecture: .x86_64, calls: [.mount], key: key) == nil)
  }

  @Test func impossibleRulesAreNone() {
    #expect(AuditRule(architecture: .x86_64, calls: [], key: "k") == nil)
    #expect(AuditRule(architecture: .x86_64, calls: [.mmap2], key: "k") == nil)
    #expect(AuditRule(architecture: AuditArchitecture(rawValue: 1), calls: [.mount], key: "k") == nil)
    let condition = AuditCondition(.argument0, .equal, 1)
    #expect(
      AuditRule(
        architecture: .x86_64, calls: [.mount], conditions: Array(repeating: condition, count: 62), key: "k") == nil)
    #expect(
      AuditRule(
        architecture: .x86_64, calls: [.mount], conditions: Array(repeating: condition, count: 61), key: "k") != nil)
    for field in AuditCondition.Field.allCases {
      let bits = AuditRule(architecture: .x86_64, calls: [.mount], conditions: [.init(field, .bitTest, 1)], key: "k")
      #expect((bits != nil) == field.name.hasPrefix("argument"))
    }
  }

  @Test func theLayoutIsTheKernels() throws {
    #expect(RuleData.headSize == MemoryLayout<audit_rule_data>.size)
    #expect(MemoryLayout<audit_rule_data>.offset(of: \.mask) == 12)
    #expect(MemoryLayout<audit_rule_data>.offset(of: \.values) == 524)
    #expect(MemoryLayout<audit_rule_data>.offset(of: \.fieldflags) == 780)
    let rule = try #require(
      AuditRule(
        architecture: .x86_64, calls: [.mount], conditions: [.init(.argument3, .less, 9)], key: "key"))
    let bytes = rule.data.bytes
    #expect(bytes.count == 1043)
    bytes.withUnsafeBytes { raw in
      let data = raw.load(as: audit_rule_data.self)
      #expect(data.flags == 4 && data.action == 2 && data.field_count == 3 && data.buflen == 3)
      #expect(data.mask.5 == 1 << 5 && data.mask.4 == 0)
      #expect(data.fields.0 == 11 && data.fields.1 == 203 && data.fields.2 == 210 && data.fields.3 == 0)
      #expect(data.values.0 == 0xc000_003e && data.values.1 == 9 && data.values.2 == 3)
      #expect(data.fieldflags.0 == 0x4000_0000 && data.fieldflags.1 == 0x1000_0000)
    }
    #expect(RuleData(bytes) == rule.data)
    #expect(ListedRule(bytes)?.matches(rule) == true)
  }

  /// A field's number and words are those of linux/audit.h and libaudit.
  @Test func fieldsAndComparisonsHaveLibauditsNames() {
    let names: [AuditCondition.Field: String] = [
      .argument0: "a0", .argument1: "a1", .argument2: "a2", .argument3: "a3", .session: "sessionid",
    ]
    for field in AuditCondition.Field.allCases {
      #expect(audit_name_to_field(names[field] ?? field.name) == Int32(field.rawValue), "\(field)")
    }
    let symbols: [AuditCondition.Comparison: String] = [
      .bitMask: "&", .less: "<", .greater: ">", .notEqual: "!=", .equal: "=", .bitTest: "&=", .lessOrEqual: "<=",
      .greaterOrEqual: ">=",
    ]
    for comparison in AuditCondition.Comparison.allCases {
      #expect(AuditCondition(.argument0, comparison, 1).description == "a0\(symbols[comparison] ?? "?")0x1")
    }
  }

  @Test func damagedBytesAreNoRuleOrAnother() throws {
    let rule = try #require(AuditRule(architecture: .x86_64, calls: [.mount], key: "lilium.test"))
    let bytes = rule.data.bytes
    for end in bytes.indices { #expect(ListedRule(Array(bytes[..<end])) == nil, "\(end) bytes are too few") }
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0xff
      guard let listed = ListedRule(damaged) else { continue }
      #expect(!listed.matches(rule) || index >= 8, "byte \(index) says nothing")
      _ = (listed.text, listed.key, listed.covers(.mount, on: .x86_64), listed.hasOtherConditions)
    }
    var many = bytes
    many[8] = 65
    #expect(ListedRule(many) == nil)
  }
}

@Suite("A control socket's replies")
struct AuditControlTests {
  /// Nobody answers a question that was not asked.
  @Test func aReplyThatDoesNotComeIsWaitedForInVain() throws {
    let socket = Descriptor(owning: audit_open())
    let start = Clock.monotonic()
    #expect(throws: Errno(ETIMEDOUT)) { try AuditControl.collect(7, on: socket.rawValue) { _ in true } }
    #expect((1_900_000_000...20_000_000_000).contains(Clock.monotonic() - start))
  }

  /// A reply to another question is passed over.
  @Test func aReplyIsMatchedToItsRequest() throws {
    let socket = Descriptor(owning: audit_open())
    let sequence = audit_request_status(socket.rawValue)
    try #require(sequence > 0)
    var seen: [UInt32] = []
    #expect(throws: Errno(ETIMEDOUT)) {
      try AuditControl.collect(UInt32(sequence) + 1, on: socket.rawValue) { reply in
        seen.append(reply.sequence)
        return true
      }
    }
    #expect(seen.isEmpty)
  }

  @Test func theKernelsCountOfDropsMayWrap() {
    var meter = DropMeter()
    #expect(meter.add(5) == 5)
    #expect(meter.add(.max) == UInt64(UInt32.max))
    #expect(meter.add(3) == UInt64(UInt32.max) + 4)
    #expect(meter.add(3) == UInt64(UInt32.max) + 4)
  }
}

extension AuditCondition.Field {
  var name: String { String(describing: self) }
}
