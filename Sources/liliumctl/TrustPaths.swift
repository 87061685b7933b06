// Owns which bytes a path on the command line has: names need not be UTF-8.
// It must not look at files.

internal import Glibc
internal import TrustUpkeep

enum TrustPaths {
  /// Absolute paths, from the working folder. An argument that is not UTF-8 comes with replacement characters in it; its
  /// bytes are sought among those that the process was started with. Of several that look the same the first one is
  /// meant first.
  static func absolute(_ words: [String], among raw: [[UInt8]] = given) -> [[UInt8]] {
    var taken: [String: Int] = [:]
    return words.map { word in
      guard word.unicodeScalars.contains("\u{fffd}") else { return RealPath.absolute(Array(word.utf8)) }
      let alike = raw.filter { String(decoding: $0, as: UTF8.self) == word }
      let index = taken[word, default: 0]
      taken[word] = index + 1
      return RealPath.absolute(index < alike.count ? alike[index] : Array(word.utf8))
    }
  }

  static func absolute(_ word: String) -> [UInt8] { absolute([word])[0] }

  private static var given: [[UInt8]] {
    (0..<Int(CommandLine.argc)).compactMap { index in
      CommandLine.unsafeArgv[index].map { text in UnsafeRawBufferPointer(start: text, count: strlen(text)).map { $0 } }
    }
  }
}
