// /proc/PID/stat and the files that hold one number.

import ProcFS
import Testing

@Suite struct ProcessStatTests {
  /// Fields 4 to 22 and some behind them.
  private static func stat(_ name: String, terminal: String = "34819", start: String = "987654") -> String {
    "42 (\(name)) S 41 42 41 \(terminal) 42 4194304 100 0 0 0 1 2 3 4 20 0 1 0 \(start) 9216000 900 18446744073709551615\n"
  }

  private func read(_ text: some Sequence<UInt8>) -> ProcessStat? { reading(text) { ProcessStat($0) } }

  @Test(arguments: [
    "bash", "", "a b", "a) S 1 1 1", "((((", "))))", ") S 1 2 3 4 5 6", "a\nb", "\n", "tab\there", "(sd-pam)",
    "\u{1b}[31m",
  ])
  func aNameMayHoldAnything(_ name: String) throws {
    let stat = try #require(read(Array(Self.stat(name).utf8)))
    #expect(stat.startTime == 987_654)
    #expect(stat.terminal == 34819)
    #expect(stat.terminalDevice == (136, 3))
  }

  @Test(
    arguments: [
      ("0", 0, 0), ("1025", 4, 1), ("34816", 136, 0), ("34820", 136, 4), ("1083392", 136, 256),
      ("-2147448832", 136, 0x80000), ("-1", 0xfff, 0xfffff),
    ] as [(String, UInt32, UInt32)])
  func aTerminalIsTheKernelsDeviceNumber(_ field: String, _ major: UInt32, _ minor: UInt32) throws {
    let stat = try #require(read(Array(Self.stat("x", terminal: field).utf8)))
    #expect(stat.terminalDevice == (major, minor))
  }

  @Test func negativeFieldsElsewhereAreSteppedOver() throws {
    let text = "42 (x) S -1 -1 -1 0 -1 4194304 0 0 0 0 0 0 -5 -6 -20 -19 1 0 77 0 0\n"
    #expect(try #require(read(Array(text.utf8))).startTime == 77)
  }

  @Test(arguments: [
    "", "42", "42 (x", "42 x S 1 2 3", "42 (x)", "42 (x) S 1 2 3 x 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 ",
    stat("x", start: "-1"), stat("x", start: "x"), stat("x", start: "18446744073709551616"), stat("x", terminal: "-"),
    stat("x", terminal: "--1"), stat("x", terminal: "99999999999999999999999"),
  ])
  func whatTheKernelDoesNotWriteIsRefused(_ text: String) {
    #expect(read(Array(text.utf8)) == nil)
  }

  @Test(arguments: ["bash", "a) S 1", ")))"])
  func aTextThatIsCutAnywhereIsRefusedOrRight(_ name: String) throws {
    let whole = Array(Self.stat(name).utf8)
    let right = try #require(read(whole))
    for length in 0..<whole.count {
      if let stat = read(whole[..<length]) { #expect(stat == right, "cut behind \(length) bytes") }
    }
    #expect(read(whole[..<(whole.count - 20)]) == right)
  }

  @Test(
    arguments: [
      ("1000", 1000), ("4294967295", .max), ("0\n", 0), ("1000\n", 1000), ("4294967296", nil), ("", nil), ("-1", nil),
      (" 5", nil), ("x", nil), ("18446744073709551616", nil),
    ] as [(String, UInt32?)])
  func aNumberFileHoldsOneNumber(_ text: String, _ number: UInt32?) {
    #expect(reading(text.utf8) { ProcessNumber.read($0) } == number)
  }
}
