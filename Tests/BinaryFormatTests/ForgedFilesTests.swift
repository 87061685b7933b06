// ELF files that lie: what passes for a program here must be one for every loader.

import BinaryFormat
import Testing

@Suite struct ForgedFilesTests {
  typealias Segment = ELFBuilder.Segment

  private func format(_ change: (inout ELFBuilder) -> Void) -> BinaryFormat? {
    var builder = ELFBuilder.program
    change(&builder)
    return inspect(builder.bytes)?.finding.format
  }

  @Test(arguments: [(true, false), (true, true), (false, false), (false, true)])
  func aProgramOfEitherWidthAndByteOrder(_ is64: Bool, _ isBig: Bool) throws {
    var builder = ELFBuilder.program
    builder.is64 = is64
    builder.isBig = isBig
    let program = try #require(inspect(builder.bytes)).finding
    #expect(program.format == .elfProgram && !program.isLoadableLibrary)
    builder.dynamic[1].1 = 0
    #expect(inspect(builder.bytes)?.finding.format == .elfLibrary)
    builder.segments.removeFirst()
    #expect(inspect(builder.bytes)?.finding.isLoadableLibrary == true)
    for (type, format) in [
      (0, BinaryFormat.elfOther), (1, .elfOther), (2, .elfProgram), (4, .elfOther), (0xfe00, .elfOther),
    ] {
      builder.type = UInt16(type)
      #expect(inspect(builder.bytes)?.finding.format == format)
    }
  }

  /// Loaders believe the last DT_FLAGS_1, and read on to the end mark whatever size the header claims.
  @Test(
    arguments: [
      [(ELFBuilder.flags1, ELFBuilder.pie), (ELFBuilder.flags1, 0), (0, 0)],
      [(ELFBuilder.flags1, 0), (ELFBuilder.flags1, ELFBuilder.pie), (0, 0)],
      [(ELFBuilder.flags1, ELFBuilder.pie), (1, 1), (1, 1)], [(0, 0), (ELFBuilder.flags1, ELFBuilder.pie)],
      [(ELFBuilder.flags1, 1), (0, 0)], [(0x6fff_fffa, ELFBuilder.pie), (0, 0)], [(0, 0)], [],
    ] as [[(UInt64, UInt64)]])
  func aFlagCountsOnlyIfEveryLoaderSeesIt(_ dynamic: [(UInt64, UInt64)]) {
    #expect(format { $0.dynamic = dynamic } == .elfLibrary)
  }

  /// Loaders find the dynamic section by its address, so bytes elsewhere in the file prove nothing.
  @Test(
    arguments: [
      // Another place in the file, or in memory.
      { $0.segments[3].offset = 0x1010 }, { $0.segments[3].address = 0x2010 }, { $0.segments[3].address = 0x5000 },
      { $0.segments[2].offset = 0x1100 },
      // In the part that is filled with zeros, or reaching into it.
      { $0.segments[2].fileSize = 0x10 }, { $0.segments[3].fileSize = 0x300 },
      // A second segment over the same page, before or behind.
      { $0.segments.append(Segment(type: 1, offset: 0, address: 0x2f00, fileSize: 0x100)) },
      { $0.segments.insert(Segment(type: 1, offset: 0, address: 0x1000, fileSize: 0x1001), at: 0) },
      { $0.segments.append(Segment(type: 1, offset: 0, address: 0x1fff, fileSize: 0, memorySize: 2)) },
      { $0.segments.append(Segment(type: 1, offset: 0, address: 0, fileSize: 1, alignment: 0x10000)) },
      { $0.segments.append(Segment(type: 1, offset: 0, address: 0, fileSize: .max)) },
      { $0.segments.append(Segment(type: 1, offset: 0, address: 0x9000, fileSize: 1, alignment: 0x3000)) },
      // Two dynamic sections, or none.
      { $0.segments.append(Segment(type: 2, offset: 0x1000, address: 0x2000, fileSize: 0x30)) },
      { $0.segments.append(Segment(type: 2, offset: 0x1000, address: 0x7000, fileSize: 0x30)) },
      { $0.segments.removeLast() },
      // Nothing is mapped.
      { $0.segments[2].type = 0 },
    ] as [@Sendable (inout ELFBuilder) -> Void])
  func aDynamicSectionCountsOnlyWhereItIsMapped(_ change: @Sendable (inout ELFBuilder) -> Void) {
    #expect(format(change) == .elfLibrary)
  }

  @Test func otherSegmentsElsewhereChangeNothing() {
    #expect(
      format {
        $0.segments.append(Segment(type: 1, offset: 0x1000, address: 0x3000, fileSize: 0x100))
        $0.segments.append(Segment(type: 1, offset: 0, address: 0x12000, fileSize: 1, alignment: 0x10000))
        $0.segments.append(Segment(type: 4, offset: 0x1000, address: 0x2000, fileSize: 0x100))
      } == .elfProgram)
  }

  @Test func programHeadersMayStandBehindTheFirstPage() {
    #expect(format { $0.tableOffset = 0x5000 } == .elfProgram)
    // Across the page's end.
    #expect(
      format {
        $0.tableOffset = 4096 - 60
        $0.dynamicOffset = 0x2000
        shift(&$0)
      } == .elfProgram)
    #expect(
      format {
        $0.tableOffset = 0x5000
        $0.entrySize = 64
      } == .elfProgram)
    #expect(
      format {
        $0.tableOffset = 0x5000
        $0.dynamic[1].1 = 0
      } == .elfLibrary)
  }

  private func shift(_ builder: inout ELFBuilder) {
    builder.segments[2].offset = 0x2000
    builder.segments[3].offset = 0x2000
  }

  /// A table that cannot be read to its end proves nothing.
  @Test(
    arguments: [
      { $0.entrySize = 55 }, { $0.entrySize = 0 }, { $0.entrySize = 257 }, { $0.entrySize = .max },
      { $0.entryCount = 0 },
      { $0.entryCount = 3 }, { $0.entryCount = .max }, { $0.entryCount = 1025 }, { $0.tableOffset = .max },
      { $0.tableOffset = .max - 60 }, { $0.tableOffset = 1 << 62 }, { $0.tableOffset = UInt64(Int64.max) - 100 },
      { $0.tableOffset = 0x7fff_ffff },
    ] as [@Sendable (inout ELFBuilder) -> Void])
  func aTableThatCannotBe(_ change: @Sendable (inout ELFBuilder) -> Void) {
    #expect(format(change) == .elfLibrary)
  }

  @Test func aDynamicSectionWithAHostileSizeIsReadInBoundedPieces() throws {
    for size in [0, 1, 15, 0x31, 0x10000, UInt64(Int64.max), .max] {
      for offset in [0x1000, UInt64(Int64.max) - 10, UInt64(Int64.max), .max - 15, .max] {
        var builder = ELFBuilder.program
        builder.dynamic = Array(repeating: (1, 1), count: 10_000)
        builder.segments[2].offset = offset
        builder.segments[2].fileSize = size
        builder.segments[3].offset = offset
        builder.segments[3].fileSize = size
        var (reads, bytes) = (0, 0)
        let found = try #require(
          inspect(builder.bytes) { offset, count in
            reads += 1
            bytes += count
            // pread(2) calls an offset that no file has an error, and an error is not an answer.
            #expect(offset <= UInt64(Int64.max) - UInt64(count))
          })
        #expect(found.finding.format == .elfLibrary)
        #expect(reads <= 70 && bytes <= 80_000)
      }
    }
  }

  @Test func theMostHeadersAreReadOnceAPass() throws {
    var builder = ELFBuilder.program
    builder.tableOffset = 0x8000
    builder.entryCount = .max
    var reads = 0
    _ = try #require(inspect(builder.bytes + Array(repeating: 0, count: 1 << 20)) { _, _ in reads += 1 })
    #expect(reads <= 1 + 2 * 1024)
  }

  @Test func everyCutOfAProgramIsJudged() {
    let whole = ELFBuilder.program.bytes
    for length in 0..<whole.count {
      let format = inspect(Array(whole[..<length]))?.finding.format
      #expect(format == (length < 4 ? .other : length < 64 ? .elfOther : .elfLibrary), "cut behind \(length) bytes")
    }
  }

  @Test func brokenBytesNeverTrap() {
    var generator = SystemRandomNumberGenerator()
    let whole = ELFBuilder.program.bytes
    for _ in 0..<20_000 {
      var broken = whole
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        broken[Int.random(in: 4..<300, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      #expect(inspect(broken) != nil)
    }
  }
}
