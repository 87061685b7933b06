// Owns one line of a trust file: its words, and what is wrong with them.
// It must not know the other lines.

enum TrustFileLine {
  /// The entry of a line without its end; nil for a blank one and a comment.
  static func entry(_ line: ArraySlice<UInt8>) throws(TextFault) -> TrustFile.Entry? {
    let reader = Reader(line: line)
    guard line.count <= TrustFile.longestLine else {
      throw reader.fault(
        line.startIndex, "longer than \(TrustFile.longestLine) bytes", "end the line where the entry ends")
    }
    let words = reader.words
    guard let first = words.first else { return nil }
    if first.elementsEqual([0x21]) {
      let path = try reader.path(try reader.word(1, of: words, "the path that is never trusted"))
      try reader.end(words, after: 2)
      return .distrusted(path: path)
    }
    let isAnywhere = first.elementsEqual([0x2a])
    let path = isAnywhere ? [] : try reader.path(first)
    let size = try reader.size(try reader.word(1, of: words, "the size in bytes"))
    let sha256 = try reader.sha256(try reader.word(2, of: words, "the SHA-256"))
    try reader.end(words, after: 3)
    return isAnywhere ? .anywhere(size: size, sha256: sha256) : .content(path: path, size: size, sha256: sha256)
  }

  private struct Reader {
    let line: ArraySlice<UInt8>

    func fault(_ index: Int, _ message: String, _ remedy: String) -> TextFault {
      TextFault(column: index - line.startIndex + 1, message: message, remedy: remedy)
    }

    /// The words before the comment.
    var words: [ArraySlice<UInt8>] {
      let words = line.split { $0 == 0x20 || $0 == 0x09 }
      return Array(words.prefix { $0.first != 0x23 })
    }

    func word(
      _ index: Int, of words: [ArraySlice<UInt8>], _ what: String
    ) throws(TextFault) -> ArraySlice<UInt8> {
      guard index < words.count else {
        throw fault(
          words.last?.endIndex ?? line.startIndex, "\(what) is missing",
          "write PATH SIZE SHA256, * SIZE SHA256 or ! PATH")
      }
      return words[index]
    }

    func end(_ words: [ArraySlice<UInt8>], after count: Int) throws(TextFault) {
      guard words.count > count else { return }
      throw fault(words[count].startIndex, "a word too many", "write a blank in a path as %20, and # before a comment")
    }

    func path(_ word: ArraySlice<UInt8>) throws(TextFault) -> [UInt8] {
      if let index = word.firstIndex(where: { $0 < 0x20 || $0 == 0x7f || $0 == 0x23 }) {
        let what = word[index] == 0x23 ? "a # in a path" : "a control byte"
        let written = String(decoding: PathText.escaped([word[index]]), as: UTF8.self)
        throw fault(
          index, what, word[index] == 0x0d ? "end lines as Unix does, or write \(written)" : "write it as \(written)")
      }
      let (path, place) = PathText.unescaped(word)
      if let place { throw fault(place, "not an escape", "write %XX with two hexadecimal digits, and % itself as %25") }
      if let message = PathText.fault(path) {
        throw fault(word.startIndex, message, "write the path that realpath(1) shows")
      }
      return path
    }

    func size(_ word: ArraySlice<UInt8>) throws(TextFault) -> UInt64 {
      guard word.allSatisfy({ (0x30...0x39).contains($0) }),
        let size = Int64(String(decoding: word, as: UTF8.self))
      else { throw fault(word.startIndex, "not a size in bytes", "write the number that stat -c %s shows") }
      return UInt64(size)
    }

    func sha256(_ word: ArraySlice<UInt8>) throws(TextFault) -> [UInt8] {
      if let sha256 = Hexadecimal.bytes(word, count: 32) { return sha256 }
      throw fault(word.startIndex, Self.notSHA256(word.count), "write the 64 digits that sha256sum shows")
    }

    private static func notSHA256(_ digits: Int) -> String {
      switch digits {
      case 32: "not a SHA-256: as long as an MD5"
      case 40: "not a SHA-256: as long as a SHA-1"
      case 64: "not a SHA-256: not all of it is hexadecimal digits"
      case 128: "not a SHA-256: as long as a SHA-512"
      default: "not a SHA-256: \(digits) characters"
      }
    }
  }
}
