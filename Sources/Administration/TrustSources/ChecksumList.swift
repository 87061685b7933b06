// Owns the text that sha256sum(1) writes: plain, escaped and with --tag.
// It must not open the files that it names.

internal import SystemCalls

/// A list of SHA-256 checksums.
public struct ChecksumList: Sendable, Hashable {
  public struct Entry: Sendable, Hashable {
    /// As the list names it, its escapes undone; often relative.
    public let path: [UInt8]
    public let sha256: [UInt8]
    /// Counted from 1.
    public let line: Int

    /// The absolute path of a file that is named from `folder`, `.` and doubled slashes taken out; nil where it leads
    /// upwards or is too long.
    public func absolutePath(below folder: [UInt8]) -> [UInt8]? {
      let path = PathText.absolute((self.path.first == 0x2f ? self.path : folder + [0x2f] + self.path)[...])
      return path?.count == 1 ? nil : path
    }
  }

  public let entries: [Entry]

  /// Reads a text. Nil where it has errors; they name NAME:LINE:COLUMN, and at most 20 are told. Blank lines and lines
  /// that begin with `#` say nothing, as with `sha256sum --check`.
  public static func parse(_ text: [UInt8], name: String) -> (list: ChecksumList?, errors: [TrustSourceError]) {
    var entries: [Entry] = []
    var errors: [TrustSourceError] = []
    for (index, line) in ByteLines(text).enumerated() where !line.isEmpty && line.first != 0x23 {
      do throws(TextFault) {
        let (path, sha256) = try ChecksumLine.read(line)
        entries.append(Entry(path: path, sha256: sha256, line: index + 1))
      } catch {
        errors.append(error.placed(name, line: index + 1))
        if errors.count == TrustFile.mostErrors { break }
      }
    }
    return errors.isEmpty ? (ChecksumList(entries: entries), []) : (nil, errors)
  }

  /// Reads a file that is believed.
  public static func read(
    _ path: String, protection: SourceProtection = .ofThisProcess
  ) -> (list: ChecksumList?, errors: [TrustSourceError]) {
    do throws(TrustSourceError) {
      let text = try ProtectedFile.read(Array(path.utf8), limit: TrustFile.largestFile, protection)
      return parse(text, name: PathText.shown(Array(path.utf8)))
    } catch { return (nil, [error]) }
  }
}

/// One line of such a list.
enum ChecksumLine {
  private static let remedy = "write the list with sha256sum FILE..."

  /// `HASH  PATH`, `HASH *PATH` or `SHA256 (PATH) = HASH`; a backslash before it says that the path has escapes.
  static func read(_ line: ArraySlice<UInt8>) throws(TextFault) -> (path: [UInt8], sha256: [UInt8]) {
    let start = line.startIndex
    guard line.count <= TrustFile.longestLine else {
      throw TextFault(column: 1, message: "longer than \(TrustFile.longestLine) bytes", remedy: remedy)
    }
    if line.last == 0x0d {
      throw TextFault(
        column: line.count, message: "a carriage return at its end", remedy: "end lines as Unix does (dos2unix)")
    }
    var rest = line.drop { $0 == 0x20 || $0 == 0x09 }
    let isEscaped = rest.first == 0x5c
    if isEscaped { rest = rest.dropFirst() }
    let isTagged = rest.contains(0x28) && Hexadecimal.value(rest.first ?? 0x28) == nil
    let (name, hash) = try isTagged ? tagged(rest, start) : plain(rest, start)
    guard !name.isEmpty else {
      throw TextFault(column: name.startIndex - start + 1, message: "no path", remedy: remedy)
    }
    return (isEscaped ? try unescaped(name, start) : try whole(name, start), hash)
  }

  private static func plain(
    _ text: ArraySlice<UInt8>, _ start: Int
  ) throws(TextFault) -> (ArraySlice<UInt8>, [UInt8]) {
    let word = text.prefix { $0 != 0x20 && $0 != 0x09 }
    let hash = try hash(word, start)
    let separator = text[word.endIndex...].prefix(2)
    guard separator.count == 2, separator.last == 0x20 || separator.last == 0x2a else {
      throw TextFault(
        column: word.endIndex - start + 1, message: "no two blanks, or blank and *, before the path", remedy: remedy)
    }
    return (text[separator.endIndex...], hash)
  }

  private static func tagged(
    _ text: ArraySlice<UInt8>, _ start: Int
  ) throws(TextFault) -> (ArraySlice<UInt8>, [UInt8]) {
    guard text.starts(with: "SHA256".utf8) else {
      throw TextFault(column: text.startIndex - start + 1, message: "not a SHA-256", remedy: remedy)
    }
    var open = text.startIndex + 6
    if open < text.endIndex, text[open] == 0x20 { open += 1 }
    guard open < text.endIndex, text[open] == 0x28, let close = text.lastIndex(of: 0x29), close > open else {
      throw TextFault(column: text.startIndex - start + 1, message: "no path in parentheses", remedy: remedy)
    }
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    let behind = text[(close + 1)...].drop(while: isBlank)
    guard behind.first == 0x3d else {
      throw TextFault(column: close - start + 2, message: "no = behind the path", remedy: remedy)
    }
    return (text[(open + 1)..<close], try hash(behind.dropFirst().drop(while: isBlank), start))
  }

  private static func hash(_ word: ArraySlice<UInt8>, _ start: Int) throws(TextFault) -> [UInt8] {
    guard let hash = Hexadecimal.bytes(word, count: 32) else {
      throw TextFault(
        column: word.startIndex - start + 1, message: "not the 64 hexadecimal digits of a SHA-256", remedy: remedy)
    }
    return hash
  }

  private static func whole(_ name: ArraySlice<UInt8>, _ start: Int) throws(TextFault) -> [UInt8] {
    if let zero = name.firstIndex(of: 0) {
      throw TextFault(column: zero - start + 1, message: "a zero byte", remedy: "write the list without --zero")
    }
    return Array(name)
  }

  private static func unescaped(_ name: ArraySlice<UInt8>, _ start: Int) throws(TextFault) -> [UInt8] {
    let text = try whole(name, start)
    var path: [UInt8] = []
    var index = 0
    while index < text.count {
      if text[index] != 0x5c {
        path.append(text[index])
        index += 1
        continue
      }
      switch index + 1 < text.count ? text[index + 1] : 0 {
      case 0x5c: path.append(0x5c)
      case 0x6e: path.append(0x0a)
      case 0x72: path.append(0x0d)
      default:
        throw TextFault(column: name.startIndex + index - start + 1, message: "not an escape", remedy: remedy)
      }
      index += 2
    }
    return path
  }
}
