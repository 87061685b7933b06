// Owns one program header of an ELF file (elf(5)), and whether a header tells the truth about where it will stand.
// It must not read the file.

/// One program header.
struct ELFSegment {
  static let load: UInt32 = 1
  static let dynamic: UInt32 = 2
  static let interpreter: UInt32 = 3
  /// The smallest page of any machine that Linux runs programs on.
  private static let leastPage: UInt64 = 4096

  let type: UInt32
  /// In the file, in bytes.
  let offset: UInt64
  let fileSize: UInt64
  /// In memory, counted from where the object is mapped.
  let address: UInt64
  let memorySize: UInt64
  let alignment: UInt64

  init(_ fields: FieldReader, is64: Bool) {
    type = fields.u32(0)
    if is64 {
      offset = fields.u64(8)
      address = fields.u64(16)
      fileSize = fields.u64(32)
      memorySize = fields.u64(40)
      alignment = fields.u64(48)
    } else {
      offset = UInt64(fields.u32(4))
      address = UInt64(fields.u32(8))
      fileSize = UInt64(fields.u32(16))
      memorySize = UInt64(fields.u32(20))
      alignment = UInt64(fields.u32(28))
    }
  }

  /// Whether this segment's memory, in whole pages, holds a byte of the other's. True where numbers overflow.
  func touches(_ other: ELFSegment) -> Bool {
    let page = max(alignment, Self.leastPage)
    guard page & (page - 1) == 0, let end = Self.end(address, max(memorySize, fileSize)),
      let otherEnd = Self.end(other.address, max(other.memorySize, other.fileSize)),
      let wholeEnd = Self.end(end, page - 1)
    else { return true }
    return address & ~(page - 1) < otherEnd && other.address < wholeEnd & ~(page - 1)
  }

  /// Whether the other's bytes in the file are those that this segment brings to the other's place in memory.
  func carries(_ other: ELFSegment) -> Bool {
    guard let end = Self.end(address, fileSize), let otherEnd = Self.end(other.address, other.fileSize) else {
      return false
    }
    return other.address >= address && otherEnd <= end && other.address - address == other.offset &- offset
  }

  private static func end(_ start: UInt64, _ size: UInt64) -> UInt64? {
    let (end, over) = start.addingReportingOverflow(size)
    return over ? nil : end
  }
}

/// What the program headers say together.
struct ELFSegments {
  private(set) var hasInterpreter = false
  private(set) var dynamic: ELFSegment?
  private var dynamics = 0
  private var carriers = 0
  private var touching = 0

  /// First pass: what there is.
  mutating func find(_ segment: ELFSegment) {
    switch segment.type {
    case ELFSegment.interpreter: hasInterpreter = true
    case ELFSegment.dynamic:
      dynamic = segment
      dynamics += 1
    default: break
    }
  }

  /// Second pass: what is mapped where the dynamic section stands.
  mutating func check(_ segment: ELFSegment) {
    guard let dynamic, segment.type == ELFSegment.load else { return }
    if segment.touches(dynamic) { touching += 1 }
    if segment.carries(dynamic) { carriers += 1 }
  }

  /// A loader finds the dynamic section by its address. It reads what stands at the section's offset in the file only
  /// if there is one such section, and one segment alone brings it there.
  var dynamicIsWhereItSays: Bool { dynamics == 1 && touching == 1 && carriers == 1 }
}
