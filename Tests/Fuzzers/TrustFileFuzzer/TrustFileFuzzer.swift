// Fuzzes trust files: any bytes give entries or errors with a place, and the canonical text of entries says the same.
// libFuzzer calls it; a broken promise traps.

import TrustSources

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  let (file, errors) = TrustFile.parse(bytes, name: "fuzz")
  precondition((file == nil) == !errors.isEmpty, "entries or errors")
  let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
  for error in errors { check(error, lines) }
  guard let file else { return 0 }
  precondition(file.lines.allSatisfy { (1...lines.count).contains($0.number) }, "the line exists")
  let text = TrustFile.text(of: file.entries)
  precondition(text.allSatisfy { $0 == 0x0a || (0x20...0x7e).contains($0) }, "canonical text is printable")
  precondition(TrustFile.parse(text, name: "again").file?.entries == file.entries, "canonical text says the same")
  for path in file.entries.compactMap(\.path) {
    precondition(path.first == 0x2f && path.last != 0x2f && !path.contains(0), "a path can be a file's")
    precondition(!path.split(separator: 0x2f).contains([0x2e, 0x2e]), "no path leads upwards")
  }
  return 0
}

private func check(_ error: TrustSourceError, _ lines: [ArraySlice<UInt8>]) {
  let place = error.place.split(separator: ":").compactMap { Int($0) }
  precondition(place.count == 2 && (1...lines.count).contains(place[0]), "the line exists")
  precondition(place[1] >= 1 && place[1] <= lines[place[0] - 1].count + 1, "the column exists")
  precondition(!error.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }, "fit to print")
}
