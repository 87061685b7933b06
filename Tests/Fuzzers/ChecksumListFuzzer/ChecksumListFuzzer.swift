// Fuzzes checksum lists: any bytes give entries or errors with a place, and what sha256sum would write of the entries
// is read as the same ones. libFuzzer calls it; a broken promise traps.

import TrustSources

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  let (list, errors) = ChecksumList.parse(bytes, name: "fuzz")
  precondition((list == nil) == !errors.isEmpty, "entries or errors")
  let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
  for error in errors { check(error, lines) }
  guard let list else { return 0 }
  let again = ChecksumList.parse(list.entries.flatMap(line), name: "again").list
  precondition(again?.entries.map(\.path) == list.entries.map(\.path), "the list says the same")
  precondition(again?.entries.map(\.sha256) == list.entries.map(\.sha256), "the list says the same")
  for entry in list.entries {
    precondition(!entry.path.isEmpty && !entry.path.contains(0) && entry.sha256.count == 32)
    guard let path = entry.absolutePath(below: Array("/folder".utf8)) else { continue }
    precondition(path.first == 0x2f && !path.split(separator: 0x2f).contains([0x2e, 0x2e]), "no path leads upwards")
  }
  return 0
}

/// As sha256sum(1) writes it, with all escapes.
private func line(_ entry: ChecksumList.Entry) -> [UInt8] {
  let digits = Array("0123456789abcdef".utf8)
  let hash = entry.sha256.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }
  let path = entry.path.flatMap { (byte: UInt8) -> [UInt8] in
    switch byte {
    case 0x5c: [0x5c, 0x5c]
    case 0x0a: [0x5c, 0x6e]
    case 0x0d: [0x5c, 0x72]
    default: [byte]
    }
  }
  return [0x5c] + hash + [0x20, 0x20] + path + [0x0a]
}

private func check(_ error: TrustSourceError, _ lines: [ArraySlice<UInt8>]) {
  let place = error.place.split(separator: ":").compactMap { Int($0) }
  precondition(place.count == 2 && (1...lines.count).contains(place[0]), "the line exists")
  precondition(place[1] >= 1 && place[1] <= lines[place[0] - 1].count + 1, "the column exists")
  precondition(!error.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }, "fit to print")
}
