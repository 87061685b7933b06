// Owns the way from a byte of a rule file to its line, its column and an excerpt that is fit to print.
// It must not know the grammar.

/// A rule file cut into lines. Places in it are byte offsets.
struct SourceText {
  let source: RuleSource
  /// Each line's bytes without its end (LF or CR LF) and without a byte order mark at the start of the file.
  let lines: [Range<Int>]

  init(_ source: RuleSource) {
    self.source = source
    let bytes = source.bytes
    var lines: [Range<Int>] = []
    var start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
      let end = index > start && bytes[index - 1] == UInt8(ascii: "\r") ? index - 1 : index
      lines.append(start..<max(start, end))
      start = index + 1
    }
    if start < bytes.count { lines.append(start..<bytes.count) }
    self.lines = lines
  }

  /// The index of the line that holds this byte, or of the last line before it.
  func lineIndex(of offset: Int) -> Int {
    var (low, high) = (0, lines.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if lines[middle].lowerBound <= offset { low = middle } else { high = middle - 1 }
    }
    return max(low, 0)
  }

  func string(_ range: Range<Int>) -> String { String(decoding: source.bytes[range], as: UTF8.self) }

  /// A finding about these bytes. What lies beyond the first one's line is not marked.
  func diagnostic(
    _ severity: Diagnostic.Severity, at range: Range<Int>, _ message: String, hint: String? = nil
  ) -> Diagnostic {
    let index = lineIndex(of: range.lowerBound)
    let line = lines.isEmpty ? 0..<0 : lines[index]
    let start = min(max(range.lowerBound, line.lowerBound), line.upperBound)
    let end = min(max(range.upperBound, start), line.upperBound)
    let span = source.bytes.span
    let column = Text.count(span.extracting(line.lowerBound..<start)) + 1
    let length = max(1, Text.count(span.extracting(start..<end)))
    return Diagnostic(
      severity: severity, path: source.path, file: source.file, line: index + 1, column: column, length: length,
      message: message, hint: hint, excerpt: Excerpt(span.extracting(line), column: column, length: length))
  }
}

/// One line as a terminal may show it, with the place of a finding in it.
struct Excerpt: Sendable, Hashable {
  private(set) var text = ""
  /// Characters before the mark.
  private(set) var markStart = 0
  private(set) var markLength = 1

  /// Characters of the line that are shown, and how many of them before the finding.
  private static let width = 100
  private static let lead = 40

  init(_ line: Span<UInt8>, column: Int, length: Int) {
    let total = Text.count(line)
    let mark = column - 1..<column - 1 + length
    let first = total <= Self.width ? 0 : max(0, min(mark.lowerBound - Self.lead, total - Self.width))
    let shown = first..<min(total, first + Self.width)
    var (index, position, width, markEnd) = (0, 0, 0, 0)
    if first > 0 { (text, width) = ("...", 3) }
    while index < line.count, position < shown.upperBound {
      let (scalar, size) = Text.decode(line, at: index)
      if position == mark.lowerBound { markStart = width }
      if position >= shown.lowerBound {
        let piece = scalar.map(escaped) ?? escaped(byte: line[index])
        text += piece
        width += piece.unicodeScalars.count
      }
      if mark.contains(position) { markEnd = width }
      (index, position) = (index + size, position + 1)
    }
    // A finding at the end of the line stands behind its last character.
    if mark.lowerBound >= position { markStart = width }
    markLength = max(1, markEnd - markStart)
    if shown.upperBound < total { text += "..." }
  }
}
