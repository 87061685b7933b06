// Files as bytes: what the inspection reads, and ELF files made field by field.

import BinaryFormat

/// Inspects bytes as a file, and counts what was read. `failing` makes every read from that offset on fail.
func inspect(
  _ file: [UInt8], failing: UInt64? = nil, reads: ((UInt64, Int) -> Void)? = nil
) -> (finding: BinaryFinding, interpreter: String)? {
  let head = UnsafeMutableRawBufferPointer.allocate(byteCount: BinaryInspection.headSize, alignment: 8)
  defer { head.deallocate() }
  let finding = BinaryInspection.inspect(head: head) { offset, buffer in
    reads?(offset, buffer.count)
    if let failing, offset >= failing { return nil }
    guard offset < UInt64(file.count) else { return 0 }
    let part = file[Int(offset)...].prefix(buffer.count)
    buffer.copyBytes(from: part)
    return part.count
  }
  return finding.map { ($0, String(decoding: head[$0.interpreter], as: UTF8.self)) }
}

/// An ELF file under construction: a header, program headers, and whatever is put behind them.
struct ELFBuilder {
  struct Segment {
    var type: UInt32
    var offset: UInt64
    var address: UInt64
    var fileSize: UInt64
    var memorySize: UInt64?
    var alignment: UInt64 = 0x1000
  }

  static let flags1: UInt64 = 0x6fff_fffb
  static let pie: UInt64 = 0x0800_0000

  var is64 = true
  var isBig = false
  var type: UInt16 = 3
  var tableOffset: UInt64?
  var entrySize: UInt16?
  var entryCount: UInt16?
  var segments: [Segment] = []
  /// Tag and value.
  var dynamic: [(UInt64, UInt64)] = []
  /// Where the dynamic section stands in the file.
  var dynamicOffset: UInt64 = 0x1000

  /// A position-independent program as linkers make it: interpreter, one mapped segment, the dynamic section in it.
  static var program: ELFBuilder {
    var builder = ELFBuilder()
    builder.dynamic = [(1, 1), (flags1, pie), (0, 0)]
    builder.segments = [
      Segment(type: 3, offset: 0x300, address: 0x300, fileSize: 28),
      Segment(type: 1, offset: 0, address: 0, fileSize: 0x800),
      Segment(type: 1, offset: 0x1000, address: 0x2000, fileSize: 0x200, memorySize: 0x400),
      Segment(type: 2, offset: 0x1000, address: 0x2000, fileSize: 0x30),
    ]
    return builder
  }

  private func number(_ value: UInt64, _ size: Int) -> [UInt8] {
    let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    return isBig ? little.reversed() : little
  }

  private func word(_ value: UInt64) -> [UInt8] { number(value, is64 ? 8 : 4) }

  private var header: [UInt8] {
    let size: UInt64 = is64 ? 64 : 52
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, isBig ? 2 : 1, 1] + Array(repeating: 0, count: 9)
    bytes += number(UInt64(type), 2) + number(62, 2) + number(1, 4)
    bytes += word(0) + word(tableOffset ?? size) + word(0) + number(0, 4) + number(size, 2)
    bytes += number(UInt64(entrySize ?? (is64 ? 56 : 32)), 2) + number(UInt64(entryCount ?? UInt16(segments.count)), 2)
    return bytes + number(0, 6)
  }

  private func entry(_ segment: Segment) -> [UInt8] {
    let flags = number(6, 4)
    let memory = segment.memorySize ?? segment.fileSize
    let places = word(segment.offset) + word(segment.address) + word(segment.address)
    let sizes = word(segment.fileSize) + word(memory)
    let entry = number(UInt64(segment.type), 4) + (is64 ? flags : []) + places + sizes + (is64 ? [] : flags)
    return entry + word(segment.alignment)
  }

  var bytes: [UInt8] {
    var file = header
    func put(_ bytes: [UInt8], at offset: UInt64) {
      guard offset < 1 << 20 else { return }
      let end = Int(offset) + bytes.count
      if file.count < end { file += Array(repeating: 0, count: end - file.count) }
      file.replaceSubrange(Int(offset)..<end, with: bytes)
    }
    put(dynamic.flatMap { word($0.0) + word($0.1) }, at: dynamicOffset)
    let size = UInt64(entrySize ?? (is64 ? 56 : 32))
    for (index, segment) in segments.enumerated() {
      put(entry(segment), at: (tableOffset ?? UInt64(header.count)) &+ UInt64(index) * size)
    }
    return file
  }
}
