// Fuzzes the entries of the trust database: any bytes are an entry or none, and an entry is what would be written.
// libFuzzer calls it; a broken promise traps.

import TrustDatabase

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = UnsafeRawBufferPointer(start: data, count: count)
  guard let (entry, path) = EntryFormat.decode(bytes) else { return 0 }
  precondition(EntryFormat.encode(entry, path: path).elementsEqual(bytes), "one entry has one form")
  precondition(entry.contents.count <= 1024)
  precondition(path.map { (1...4095).contains($0.count) } ?? true)
  // Nothing of it is an entry, and nothing longer.
  for cut in stride(from: 0, to: count, by: max(1, count / 16)) {
    precondition(EntryFormat.decode(UnsafeRawBufferPointer(rebasing: bytes[..<cut])) == nil)
  }
  return 0
}
