// Owns the few fields of an ELF file that tell a program from a library (elf(5)): 32 and 64 bit, both byte orders.
// It must not map or trust: offsets and counts are checked, and tables are read in bounded pieces.

/// The head of an ELF file.
struct ELFImage {
  static let executableType: UInt16 = 2
  static let dynamicType: UInt16 = 3
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

  /// Hands every program header to `note`. Nil where the file cannot be read; false where the table is cut off or longer
  /// than any that is believed.
  func eachSegment(
    head: UnsafeRawBufferPointer, _ read: BinaryReader, _ note: (ELFSegment) -> Void
  ) -> Bool? {
    let least = is64 ? 56 : 32
    guard entrySize >= least, entrySize <= 256 else { return false }
    for index in 0..<min(entryCount, Self.mostSegments) {
      let (offset, over) = tableOffset.addingReportingOverflow(UInt64(index * entrySize))
      if over { return false }
      if offset <= UInt64(head.count), head.count - Int(offset) >= least {
        let entry = unsafe UnsafeRawBufferPointer(rebasing: head[Int(offset)..<Int(offset) + least])
        unsafe note(ELFSegment(FieldReader(entry, swapped: isSwapped), is64: is64))
      } else {
        let more = unsafe withUnsafeTemporaryAllocation(byteCount: 56, alignment: 8) { buffer -> Bool? in
          let entry = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<least])
          guard let count = unsafe Self.fill(entry, at: offset, read) else { return nil }
          if count < least { return false }
          unsafe note(ELFSegment(FieldReader(UnsafeRawBufferPointer(entry), swapped: isSwapped), is64: is64))
          return true
        }
        if more != true { return more }
      }
    }
    return entryCount <= Self.mostSegments
  }

  /// Whether the dynamic section says DF_1_PIE wherever it speaks of it, and ends: a loader reads on to the end mark
  /// and believes the last word. Nil where the file cannot be read.
  func saysPIE(_ dynamic: ELFSegment, _ read: BinaryReader) -> Bool? {
    let entry = is64 ? 16 : 8
    let end = min(dynamic.fileSize, Self.mostDynamicBytes)
    return unsafe withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) { buffer -> Bool? in
      var done: UInt64 = 0
      var said = false
      while done < end {
        let (offset, over) = dynamic.offset.addingReportingOverflow(done)
        if over { return false }
        let want = Int(min(1024, end - done))
        let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<want])
        guard let count = unsafe Self.fill(piece, at: offset, read) else { return nil }
        var at = 0
        while at + entry <= count {
          let fields = unsafe FieldReader(UnsafeRawBufferPointer(rebasing: buffer[at..<at + entry]), swapped: isSwapped)
          let tag = is64 ? fields.u64(0) : UInt64(fields.u32(0))
          if tag == 0 { return said }
          if tag == Self.flags1Tag {
            said = (is64 ? fields.u64(8) : UInt64(fields.u32(4))) & Self.flagPIE != 0
            if !said { return false }
          }
          at += entry
        }
        if count < want || at == 0 { return false }
        done += UInt64(at)
      }
      return false
    }
  }

  /// Reads, but asks for nothing where no file can hold a byte: the kernel calls that an error.
  private static func fill(
    _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ read: BinaryReader
  ) -> Int? {
    offset > UInt64(Int64.max) - 65536 ? 0 : unsafe read(offset, buffer)
  }
}

/// Reads fields of either byte order. `@safe`: a field outside the buffer reads as 0.
@safe struct FieldReader {
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
