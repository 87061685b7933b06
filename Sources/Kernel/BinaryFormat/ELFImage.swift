// Owns the few fields of an ELF file that tell a program from a library (elf(5)): 32 and 64 bit, both byte orders.
// It must not map or trust: offsets and counts are checked, and tables are read in bounded pieces.

/// The head of an ELF file.
struct ELFImage {
  static let executableType: UInt16 = 2
  static let dynamicType: UInt16 = 3
  private static let dynamicSegment: UInt32 = 2
  private static let interpreterSegment: UInt32 = 3
  private static let flags1Tag: UInt64 = 0x6fff_fffb
  private static let flagPIE: UInt64 = 0x0800_0000
  /// More program headers than any linker writes; the kernel refuses a table over 64 KiB.
  private static let mostSegments = 1024
  private static let mostDynamicBytes: UInt64 = 65536

  let is64: Bool
  let isSwapped: Bool
  let type: UInt16
  private let tableOffset: UInt64
  private let entrySize: Int
  private let entryCount: Int

  struct Segments {
    var hasInterpreter = false
    /// Offset and size in the file.
    var dynamic: (offset: UInt64, size: UInt64)?
  }

  static func hasMagic(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe bytes.count >= 4 && bytes[0] == 0x7f && bytes[1] == 0x45 && bytes[2] == 0x4c && bytes[3] == 0x46
  }

  /// Nil where the bytes do not begin with a whole ELF header.
  init?(head: UnsafeRawBufferPointer) {
    guard unsafe Self.hasMagic(head), head.count >= 52 else { return nil }
    let width = unsafe head[4]
    let order = unsafe head[5]
    guard width == 1 || width == 2, order == 1 || order == 2 else { return nil }
    is64 = width == 2
    guard head.count >= (is64 ? 64 : 52) else { return nil }
    #if _endian(little)
      isSwapped = order == 2
    #else
      isSwapped = order == 1
    #endif
    let fields = unsafe FieldReader(head, swapped: isSwapped)
    type = fields.u16(16)
    tableOffset = is64 ? fields.u64(32) : UInt64(fields.u32(28))
    entrySize = Int(fields.u16(is64 ? 54 : 42))
    entryCount = Int(fields.u16(is64 ? 56 : 44))
  }

  /// Walks the program headers; nil where the file cannot be read. A table that is cut off ends where it ends.
  func segments(head: UnsafeRawBufferPointer, _ read: BinaryReader) -> Segments? {
    var found = Segments()
    let least = is64 ? 56 : 32
    guard entrySize >= least, entrySize <= 256 else { return found }
    for index in 0..<min(entryCount, Self.mostSegments) {
      let (offset, over) = tableOffset.addingReportingOverflow(UInt64(index * entrySize))
      if over { return found }
      if offset <= UInt64(head.count), head.count - Int(offset) >= least {
        unsafe note(UnsafeRawBufferPointer(rebasing: head[Int(offset)..<Int(offset) + least]), in: &found)
      } else {
        let more = unsafe withUnsafeTemporaryAllocation(byteCount: 56, alignment: 8) { buffer -> Bool? in
          guard let count = unsafe read(offset, UnsafeMutableRawBufferPointer(rebasing: buffer[..<least])) else { return nil }
          if count < least { return false }
          unsafe note(UnsafeRawBufferPointer(rebasing: buffer[..<least]), in: &found)
          return true
        }
        guard let more else { return nil }
        if !more { return found }
      }
    }
    return found
  }

  private func note(_ entry: UnsafeRawBufferPointer, in found: inout Segments) {
    let fields = unsafe FieldReader(entry, swapped: isSwapped)
    switch fields.u32(0) {
    case Self.interpreterSegment: found.hasInterpreter = true
    case Self.dynamicSegment:
      found.dynamic = is64 ? (fields.u64(8), fields.u64(32)) : (UInt64(fields.u32(4)), UInt64(fields.u32(16)))
    default: break
    }
  }

  /// Whether the dynamic section says DF_1_PIE; nil where the file cannot be read.
  func isPIE(dynamic: (offset: UInt64, size: UInt64), _ read: BinaryReader) -> Bool? {
    let entry = is64 ? 16 : 8
    let end = min(dynamic.size, Self.mostDynamicBytes)
    return unsafe withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) { buffer -> Bool? in
      var done: UInt64 = 0
      while done < end {
        let (offset, over) = dynamic.offset.addingReportingOverflow(done)
        if over { return false }
        let want = Int(min(1024, end - done))
        guard let count = unsafe read(offset, UnsafeMutableRawBufferPointer(rebasing: buffer[..<want])) else { return nil }
        var at = 0
        while at + entry <= count {
          let fields = unsafe FieldReader(UnsafeRawBufferPointer(rebasing: buffer[at..<at + entry]), swapped: isSwapped)
          let tag = is64 ? fields.u64(0) : UInt64(fields.u32(0))
          if tag == 0 { return false }
          if tag == Self.flags1Tag { return (is64 ? fields.u64(8) : UInt64(fields.u32(4))) & Self.flagPIE != 0 }
          at += entry
        }
        if count < want { return false }
        done += UInt64(at)
        if at == 0 { return false }
      }
      return false
    }
  }
}

/// Reads fields of either byte order. `@safe`: a field outside the buffer reads as 0.
@safe private struct FieldReader {
  private let bytes: UnsafeRawBufferPointer
  private let swapped: Bool

  init(_ bytes: UnsafeRawBufferPointer, swapped: Bool) {
    unsafe self.bytes = bytes
    self.swapped = swapped
  }

  func u16(_ offset: Int) -> UInt16 { load(offset) }
  func u32(_ offset: Int) -> UInt32 { load(offset) }
  func u64(_ offset: Int) -> UInt64 { load(offset) }

  private func load<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Value {
    guard unsafe offset + MemoryLayout<Value>.size <= bytes.count else { return 0 }
    let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
    return swapped ? value.byteSwapped : value
  }
}
