// Owns the question what a file's bytes say it is: ELF program, ELF library, script, other (elf(5), execve(2)).
// It must not open a file, know a policy, or trust an offset or a count that the file claims.

/// Reads bytes of the inspected file: the count at `offset`, 0 behind the end, nil where reading failed.
public typealias BinaryReader = (_ offset: UInt64, _ buffer: UnsafeMutableRawBufferPointer) -> Int?

/// What a file's bytes say it is.
public enum BinaryFormat: Sendable, Hashable {
  case elfProgram, elfLibrary, elfOther, script, other
}

/// What an inspection found.
public struct BinaryFinding: Sendable, Hashable {
  public var format: BinaryFormat
  /// An ELF dynamic object without an interpreter segment.
  public var isLoadableLibrary: Bool
  /// Where in the inspected head a script's interpreter stands.
  public var interpreter: Range<Int>

  init(_ format: BinaryFormat, isLoadableLibrary: Bool = false, interpreter: Range<Int> = 0..<0) {
    self.format = format
    self.isLoadableLibrary = isLoadableLibrary
    self.interpreter = interpreter
  }
}

public enum BinaryInspection {
  /// Bytes that the caller's head buffer must hold: a page, where the headers of nearly every program stand.
  public static let headSize = 4096

  /// Fills `head` from the file and judges it; nil where the file cannot be read.
  public static func inspect(
    head: UnsafeMutableRawBufferPointer, _ read: BinaryReader
  ) -> BinaryFinding? {
    guard let count = unsafe read(0, head) else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: head[..<count])
    if unsafe count >= 2 && bytes[0] == 0x23 && bytes[1] == 0x21 {
      return unsafe BinaryFinding(.script, interpreter: interpreter(in: bytes))
    }
    guard let image = unsafe ELFImage(head: bytes) else {
      return unsafe BinaryFinding(ELFImage.hasMagic(bytes) ? .elfOther : .other)
    }
    return unsafe judge(image, bytes, read)
  }

  /// The first word behind `#!`.
  static func interpreter(in bytes: UnsafeRawBufferPointer) -> Range<Int> {
    var start = 2
    while start < bytes.count, unsafe bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
    var end = start
    while end < bytes.count, unsafe bytes[end] > 0x20 { end += 1 }
    return start..<end
  }

  /// ET_EXEC is a program. A dynamic object is a program where it names an interpreter and says that it is position-
  /// independent code of a program (DF_1_PIE), which loaders refuse to map as a library; libc itself names an
  /// interpreter without saying so. Without an interpreter it may be loaded by whoever opens it, whatever it says.
  /// What it says counts only where a loader is sure to read the same: else a library could pass for a program.
  private static func judge(
    _ image: ELFImage, _ head: UnsafeRawBufferPointer, _ read: BinaryReader
  ) -> BinaryFinding? {
    switch image.type {
    case ELFImage.executableType: return BinaryFinding(.elfProgram)
    case ELFImage.dynamicType: break
    default: return BinaryFinding(.elfOther)
    }
    var segments = ELFSegments()
    guard let isWhole = unsafe image.eachSegment(head: head, read, { segments.find($0) }) else { return nil }
    var saysPIE = false
    if isWhole, let dynamic = segments.dynamic {
      guard unsafe image.eachSegment(head: head, read, { segments.check($0) }) != nil else { return nil }
      if segments.dynamicIsWhereItSays {
        guard let said = unsafe image.saysPIE(dynamic, read) else { return nil }
        saysPIE = said
      }
    }
    let format: BinaryFormat = saysPIE ? .elfProgram : .elfLibrary
    return BinaryFinding(format, isLoadableLibrary: !segments.hasInterpreter)
  }
}
