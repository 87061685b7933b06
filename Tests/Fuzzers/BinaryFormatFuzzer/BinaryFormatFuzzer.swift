// Fuzzes the inspection of file content: any file is judged with a bounded number of reads that the kernel would accept.
// libFuzzer calls it; a broken promise traps.

import BinaryFormat

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let file = UnsafeRawBufferPointer(start: data, count: count)
  let (finding, reads) = inspect(file)
  guard let finding else { preconditionFailure("a file that can be read is judged") }
  precondition(reads <= 1 + 2 * 1024 + 64, "reads are bounded")
  precondition(finding.interpreter.upperBound <= min(count, BinaryInspection.headSize))
  precondition(finding.interpreter.isEmpty || finding.format == .script, "only a script names an interpreter so")
  precondition(!finding.isLoadableLibrary || finding.format == .elfLibrary || finding.format == .elfProgram)
  // A file whose tail is gone is never more of a program than the whole.
  let (cut, _) = inspect(UnsafeRawBufferPointer(rebasing: file.prefix(count / 2)))
  if cut?.format == .elfProgram { precondition(finding.format == .elfProgram) }
  return 0
}

private func inspect(_ file: UnsafeRawBufferPointer) -> (BinaryFinding?, reads: Int) {
  let head = UnsafeMutableRawBufferPointer.allocate(byteCount: BinaryInspection.headSize, alignment: 8)
  defer { head.deallocate() }
  var reads = 0
  let finding = BinaryInspection.inspect(head: head) { offset, buffer in
    reads += 1
    precondition(offset <= UInt64(Int64.max) - UInt64(buffer.count), "pread(2) takes the offset")
    guard offset < UInt64(file.count) else { return 0 }
    let part = file[Int(offset)...].prefix(buffer.count)
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
    return part.count
  }
  return (finding, reads)
}
