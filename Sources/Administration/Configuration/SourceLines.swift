// Owns the way from a byte of a configuration file to its line and column.
// It must not know TOML.

/// A text cut into lines. Places in it are byte offsets.
struct SourceLines {
  let path: String
  let bytes: [UInt8]
  /// Each line's bytes without its end (LF or CR LF) and without a byte order mark at the start of the file.
  private let lines: [Range<Int>]

  init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
    var lines: [Range<Int>] = []
    var start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
      let end = index > start && bytes[index - 1] == UInt8(ascii: "\r") ? index - 1 : index
      lines.append(start..<end)
      start = index + 1
    }
    lines.append(start..<bytes.count)
    self.lines = lines
  }

  /// A finding about these bytes; what lies beyond the first one's line is not marked.
  func error(at range: Range<Int>, _ message: String, hint: String? = nil) -> Finding {
    let index = lineIndex(of: range.lowerBound)
    let line = lines[index]
    let start = min(max(range.lowerBound, line.lowerBound), line.upperBound)
    let end = min(max(range.upperBound, start), line.upperBound)
    let place = Finding.Place(
      line: index + 1, column: characters(line.lowerBound..<start) + 1, length: max(1, characters(start..<end)))
    return finding(message, place, index, hint)
  }

  /// A finding at a line and a column that a parser counted.
  func error(line: Int, column: Int, _ message: String) -> Finding {
    let index = min(max(line, 1), lines.count) - 1
    let place = Finding.Place(line: index + 1, column: max(column, 1), length: 1)
    return finding(message, place, index, nil)
  }

  private func finding(_ message: String, _ place: Finding.Place, _ index: Int, _ hint: String?) -> Finding {
    let text = String(decoding: bytes[lines[index]], as: UTF8.self)
    return Finding(
      error: message, path: path, place: place, line: text[...].unicodeScalars, hint: hint)
  }

  private func lineIndex(of offset: Int) -> Int {
    var (low, high) = (0, lines.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if lines[middle].lowerBound <= offset { low = middle } else { high = middle - 1 }
    }
    return low
  }

  private func characters(_ range: Range<Int>) -> Int {
    String(decoding: bytes[range], as: UTF8.self).unicodeScalars.count
  }
}
