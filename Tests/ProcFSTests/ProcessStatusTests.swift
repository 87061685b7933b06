// /proc/PID/status: names that play tricks, lines that are missing, cut or out of range.

import ProcFS
import Testing

@Suite struct ProcessStatusTests {
  /// As a kernel writes it, with the lines in between that Lilium does not read.
  static func status(
    name: String = "bash", parent: String = "41", uid: String = "1000\t1001\t1002\t1003",
    gid: String = "100\t101\t102\t103", groups: String = "4 27 1000 ", permitted: String = "000001ffffffffff",
    effective: String = "0000000000080001"
  ) -> String {
    """
    Name:\t\(name)
    Umask:\t0022
    State:\tS (sleeping)
    Tgid:\t42
    Ngid:\t0
    Pid:\t42
    PPid:\t\(parent)
    TracerPid:\t0
    Uid:\t\(uid)
    Gid:\t\(gid)
    FDSize:\t256
    Groups:\t\(groups)
    NStgid:\t42
    VmPeak:\t    9000 kB
    CapInh:\t0000000000000000
    CapPrm:\t\(permitted)
    CapEff:\t\(effective)
    CapBnd:\t000001ffffffffff
    NoNewPrivs:\t0

    """
  }

  private func read(_ text: some Sequence<UInt8>) -> ProcessStatus? {
    var status = ProcessStatus()
    return reading(text) { status.read($0) } ? status : nil
  }

  private func read(_ text: String) -> ProcessStatus? { read(Array(text.utf8)) }

  @Test func readsWhatTheKernelWrites() throws {
    let status = try #require(read(Self.status()))
    #expect(status.name == bytes("bash"))
    #expect(status.parent == 41)
    #expect(status.uids.real == 1000 && status.uids.effective == 1001)
    #expect(status.gids.real == 100 && status.gids.effective == 101)
    #expect(status.groups == [4, 27, 1000])
    #expect(status.permitted == 0x1ff_ffff_ffff && status.effective == 0x80001)
  }

  @Test(arguments: [
    ("a\\nb", "a\nb"), ("a\\\\nb", "a\\nb"), ("\\\\\\\\", "\\\\"), ("a\tb", "a\tb"), ("", ""), ("\\", "\\"),
    ("\\x", "\\x"), ("Uid:\t0\t0\t0\t0", "Uid:\t0\t0\t0\t0"), ("x\\nUid:\t0\t0", "x\nUid:\t0\t0"),
    ("(sd-pam)", "(sd-pam)"), ("CapEff:\tffff", "CapEff:\tffff"),
  ])
  func aNameIsOneLineWhateverItHolds(_ written: String, _ name: String) throws {
    let status = try #require(read(Self.status(name: written)))
    #expect(status.name == bytes(name))
    #expect(status.uids.real == 1000, "a name must not pass for a line of its own")
    #expect(status.effective == 0x80001)
  }

  @Test func aNameIsBytes() throws {
    let raw = bytes("Name:\t") + [0xff, 0xfe, 0x80, 0x1b] + bytes("\n")
    let rest = Self.status().drop { $0 != "\n" }.dropFirst()
    #expect(try #require(read(raw + Array(rest.utf8))).name == [0xff, 0xfe, 0x80, 0x1b])
  }

  @Test(arguments: ["Name:", "PPid:", "Uid:", "Gid:", "Groups:", "CapPrm:", "CapEff:"])
  func everyLineIsNeeded(_ label: String) {
    let lines = Self.status().split(separator: "\n", omittingEmptySubsequences: false)
    let without = lines.filter { !$0.hasPrefix(label) }
    #expect(without.count == lines.count - 1)
    #expect(read(without.joined(separator: "\n")) == nil)
  }

  @Test(arguments: [
    status(parent: "2147483648"), status(parent: "-1"), status(parent: ""), status(parent: "x"),
    status(parent: "99999999999999999999999"),
    status(uid: "4294967296\t0\t0\t0"), status(uid: "0\t4294967296\t0\t0"), status(uid: "0"), status(uid: ""),
    status(uid: "-1\t0\t0\t0"), status(uid: "18446744073709551616\t0\t0\t0"), status(gid: "0\tx\t0\t0"),
    status(gid: "4294967296\t0\t0\t0"), status(groups: "4 x"), status(groups: "4294967296 "), status(groups: "-1 "),
    status(permitted: "fffffffffffffffff"), status(permitted: ""), status(effective: "g"),
    status(effective: "00000000000000000"), status(effective: "000000000008000 1"), status(effective: "1 "),
  ])
  func aNumberThatDoesNotFitIsRefused(_ text: String) {
    #expect(read(text) == nil)
  }

  @Test func theLargestNumbersFit() throws {
    let id = "4294967295\t4294967295\t4294967295\t4294967295"
    let text = Self.status(
      parent: "2147483647", uid: id, gid: id, groups: "4294967295 ", permitted: "ffffffffffffffff",
      effective: "FFFFFFFFFFFFFFFF")
    let status = try #require(read(text))
    #expect(status.parent == .max && status.uids.real == .max && status.gids.effective == .max)
    #expect(status.groups == [.max] && status.permitted == .max && status.effective == .max)
  }

  @Test func aProcessMayHaveNoGroupOrManyThousands() throws {
    #expect(try #require(read(Self.status(groups: ""))).groups == [])
    #expect(try #require(read(Self.status(groups: " "))).groups == [])
    let many = (0..<65536).map { UInt32($0) }
    let text = Self.status(groups: many.map(String.init).joined(separator: " ") + " ")
    #expect(try #require(read(text)).groups == many)
  }

  /// A long file is cut at the buffer's end: never a wrong success.
  @Test func aTextThatIsCutAnywhereIsRefusedOrRight() throws {
    let whole = Array(Self.status().utf8)
    let right = try #require(read(whole))
    var accepted = 0
    for length in 0..<whole.count {
      guard let status = read(whole[..<length]) else { continue }
      #expect(status == right, "cut behind \(length) bytes")
      accepted += 1
    }
    let end = try #require(Self.status().utf8.firstRange(of: "CapBnd".utf8)).lowerBound
    #expect(accepted == whole.count - Self.status().utf8.distance(from: Self.status().utf8.startIndex, to: end))
  }

  @Test func hostileBytesNeverTrap() {
    var generator = SystemRandomNumberGenerator()
    let whole = Array(Self.status().utf8)
    for _ in 0..<5000 {
      var broken = whole
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        broken[Int.random(in: 0..<broken.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      if let status = read(broken) { #expect(status.groups.count < 200) }
    }
    for byte in UInt8.min...UInt8.max { #expect(read(Array(repeating: byte, count: 300)) == nil) }
  }

  @Test func aRefusedTextDoesNotSpoilTheNext() throws {
    var status = ProcessStatus()
    #expect(reading(Self.status(name: "first", groups: "1 2 3 ").utf8) { status.read($0) })
    #expect(!reading(Self.status(groups: "9 x").utf8) { status.read($0) })
    #expect(reading(Self.status(name: "next", groups: "7 ").utf8) { status.read($0) })
    #expect(status.name == bytes("next") && status.groups == [7])
  }
}
