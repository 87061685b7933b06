// Owns the text of a trust file: what the administrator vouches for, one entry a line.
// It must not look at the files that it names, nor write: TrustFileEditing does.

internal import SystemCalls

/// A trust file (`NAME.trust`). A line is one of
///
///     /absolute/path SIZE SHA256     this content, at this path
///     * SIZE SHA256                  this content, wherever it lies
///     ! /absolute/path               no content is ever trusted there
///
/// with blanks between the words; `#` begins a comment at the beginning of a line or behind a blank. In a path a blank,
/// a control byte, `%` and `#` are written `%XX`; other bytes may be written so, and are taken as they are otherwise.
/// Several lines for one path name several contents, each of which is accepted there; `!` outweighs them.
public struct TrustFile: Sendable, Hashable {
  public enum Entry: Sendable, Hashable {
    case content(path: [UInt8], size: UInt64, sha256: [UInt8])
    case anywhere(size: UInt64, sha256: [UInt8])
    case distrusted(path: [UInt8])

    /// Nil for what holds wherever a file lies.
    public var path: [UInt8]? {
      switch self {
      case .content(let path, _, _), .distrusted(let path): path
      case .anywhere: nil
      }
    }

    /// The canonical line, without its end.
    public var line: [UInt8] {
      switch self {
      case .content(let path, let size, let sha256):
        PathText.escaped(path) + Array(" \(size) ".utf8) + Hexadecimal.text(sha256)
      case .anywhere(let size, let sha256): Array("* \(size) ".utf8) + Hexadecimal.text(sha256)
      case .distrusted(let path): Array("! ".utf8) + PathText.escaped(path)
      }
    }
  }

  public struct Line: Sendable, Hashable {
    public let entry: Entry
    /// Counted from 1.
    public let number: Int
  }

  /// The lines that are entries, in their order.
  public let lines: [Line]
  public var entries: [Entry] { lines.map(\.entry) }

  public static let largestFile = 256 << 20
  public static let longestLine = 16 << 10
  /// Errors that are shown of one text.
  static let mostErrors = 20

  /// Reads a text. Nil where it has errors; they name NAME:LINE:COLUMN, the column in bytes, and at most 20 are told.
  public static func parse(_ text: [UInt8], name: String) -> (file: TrustFile?, errors: [TrustSourceError]) {
    var lines: [Line] = []
    var errors: [TrustSourceError] = []
    for (index, line) in ByteLines(text).enumerated() {
      do throws(TextFault) {
        if let entry = try TrustFileLine.entry(line) { lines.append(Line(entry: entry, number: index + 1)) }
      } catch {
        errors.append(error.placed(name, line: index + 1))
        if errors.count == mostErrors { break }
      }
    }
    return errors.isEmpty ? (TrustFile(lines: lines), []) : (nil, errors)
  }

  /// Reads a file that is believed.
  public static func read(
    _ path: String, protection: SourceProtection = .ofThisProcess
  ) -> (file: TrustFile?, errors: [TrustSourceError]) {
    do throws(TrustSourceError) {
      let text = try ProtectedFile.read(Array(path.utf8), limit: largestFile, protection)
      return parse(text, name: PathText.shown(Array(path.utf8)))
    } catch { return (nil, [error]) }
  }
}

/// What is wrong in a line of a text.
struct TextFault: Error {
  /// In bytes, counted from 1.
  let column: Int
  let message: String
  let remedy: String

  func placed(_ name: String, line: Int) -> TrustSourceError {
    TrustSourceError(.damaged, "\(name):\(line):\(column)", message, remedy: remedy)
  }
}
