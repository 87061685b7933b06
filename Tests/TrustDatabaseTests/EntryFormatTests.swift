// The bytes of an entry: round trips, and whatever else may lie there.

import AccessModel
import Testing

@testable import TrustDatabase

@Suite struct EntryFormatTests {
  private static let seen = SeenFile(
    device: DeviceNumber(major: 259, minor: .max), inode: .max, changeTime: .min)

  private static let samples: [(TrustEntry, [UInt8]?)] = [
    (entry(1), nil), (entry(distrusted: true), nil), (entry(1, 2, 3, distrusted: true), nil),
    (TrustEntry(contents: [content(1, size: 0, verity: 2, seen: seen)]), nil),
    (TrustEntry(contents: [content(1, size: UInt64(Int64.max), source: .transaction, origin: "")]), nil),
    (TrustEntry(contents: [content(1, origin: String(repeating: "x", count: 4096), seen: seen)]), bytes("/a")),
    (TrustEntry(contents: (0..<1024).map { content($0, verity: $0) }), [UInt8](repeating: 0xff, count: 4095)),
  ]

  private func decode(_ bytes: [UInt8]) -> (entry: TrustEntry, path: [UInt8]?)? {
    bytes.withUnsafeBytes { EntryFormat.decode($0) }
  }

  @Test(arguments: samples.indices)
  func whatIsWrittenIsRead(_ index: Int) {
    let (entry, path) = Self.samples[index]
    #expect(EntryFormat.flaw(entry) == nil)
    let read = decode(EntryFormat.encode(entry, path: path))
    #expect(read?.entry == entry && read?.path == path)
  }

  @Test func everySourceIsKept() {
    for source in TrustSource.allCases {
      let entry = TrustEntry(contents: [content(1, source: source)])
      #expect(decode(EntryFormat.encode(entry))?.entry.contents.first?.source == source)
      #expect(TrustSource(name: source.name) == source)
    }
    #expect(TrustSource(name: "") == nil && TrustSource(name: "DPKG") == nil)
  }

  @Test(arguments: samples.indices.prefix(6))
  func nothingShorterOrLongerIsRead(_ index: Int) {
    let whole = EntryFormat.encode(Self.samples[index].0, path: Self.samples[index].1)
    for count in 0..<whole.count { #expect(decode(Array(whole[..<count])) == nil, "cut to \(count) bytes") }
    #expect(decode(whole + [0]) == nil)
  }

  /// What is read at all is what would be written.
  @Test(arguments: samples.indices.prefix(6))
  func aFlippedBitIsAnotherEntryOrNone(_ index: Int) {
    let whole = EntryFormat.encode(Self.samples[index].0, path: Self.samples[index].1)
    for place in whole.indices.prefix(300) {
      for bit in 0..<8 {
        var other = whole
        other[place] ^= 1 << bit
        if let read = decode(other) { #expect(EntryFormat.encode(read.entry, path: read.path) == other) }
      }
    }
  }

  @Test(arguments: 0..<2000)
  func noiseIsNoEntry(_ seed: Int) {
    var random = Random(seed)
    var noise = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    // A head that is right leads further in.
    if seed % 2 == 0, noise.count > 4 { noise.replaceSubrange(0..<4, with: [1, 0, 1, 0]) }
    if let read = decode(noise) { #expect(EntryFormat.encode(read.entry, path: read.path) == noise) }
  }

  @Test(arguments: [
    (TrustEntry(contents: (0...1024).map { content($0) }), "1024 contents"),
    (TrustEntry(contents: [content(1, origin: String(repeating: "x", count: 4097))]), "4096 bytes"),
    (TrustEntry(contents: [content(1, size: 1 << 63)]), "size"),
  ])
  func limitsAreNamed(_ entry: TrustEntry, _ word: String) {
    #expect(EntryFormat.flaw(entry)?.contains(word) == true)
    #expect(decode(EntryFormat.encode(entry))?.entry != entry)
  }
}
