// Holds the framing of values and the names that journald takes.

import Journal
import Testing

@Suite("Journal entry")
struct JournalEntryTests {
  @Test("bytes on the wire")
  func golden() {
    var entry = JournalEntry()
    entry.append("AB", [0x78, 0x0a, 0x79])
    #expect(entry.bytes == Array("AB\n".utf8) + [3, 0, 0, 0, 0, 0, 0, 0] + Array("x\ny\n".utf8))
  }

  @Test("a length of more than one byte is little-endian")
  func length() {
    var entry = JournalEntry()
    entry.append("A", [UInt8](repeating: 1, count: 0x0102))
    #expect(Array(entry.bytes[2..<10]) == [0x02, 0x01, 0, 0, 0, 0, 0, 0])
  }

  @Test(
    "no value forges a field",
    arguments: [
      [], Array("\n".utf8), Array("\nFORGED=1\n".utf8), Array("FORGED\n\u{1}\0\0\0\0\0\0\0x\n".utf8),
      [UInt8](0...255), [0xff, 0x0a, 0xff], [UInt8](repeating: 0x0a, count: 4096),
    ] as [[UInt8]])
  func hostile(value: [UInt8]) throws {
    var entry = JournalEntry()
    entry.append("FIRST", value)
    entry.append("SECOND", value)
    #expect(try parse(entry.bytes) == [.init(name: "FIRST", value: value), .init(name: "SECOND", value: value)])
  }

  @Test(
    "names that journald would refuse are refused",
    arguments: [
      ("A", true), ("MESSAGE_ID", true), ("A1_", true), (String(repeating: "A", count: 64), true),
      (String(repeating: "A", count: 65), false), ("", false), ("_A", false), ("1A", false), ("a", false),
      ("A=", false), ("A\nB", false), ("A B", false), ("Ä", false),
    ])
  func names(name: String, isTaken: Bool) {
    var entry = JournalEntry()
    #expect(entry.append(name, [1]) == isTaken)
    #expect(entry.bytes.isEmpty == !isTaken)
  }
}
