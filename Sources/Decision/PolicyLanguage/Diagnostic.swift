// Owns what is said about a rule file: place, severity, sentence and remedy, and how a terminal shows them.
// It must not print, and must never pass a control character of the rule text on.

/// One finding in a rule file.
public struct Diagnostic: Sendable, Hashable {
  public enum Severity: UInt8, Sendable, Hashable {
    /// The rules must not be put in force.
    case error
    /// The rules can be used but may not do what their author thinks.
    case warning

    public var name: String { self == .error ? "error" : "warning" }
  }

  public let severity: Severity
  /// The file's whole path.
  public let path: String
  /// The file's name without its folder.
  public let file: String
  /// Counted from 1.
  public let line: Int
  /// Counted from 1, in code points of the line; a tab counts one, and so does a byte that is not UTF-8.
  public let column: Int
  /// Code points from `column` on that the finding is about; at least 1.
  public let length: Int
  public let message: String
  /// The remedy, where there is one.
  public let hint: String?
  /// The line, or the part of it around the finding, fit to print.
  let excerpt: Excerpt

  /// As compilers show it: place and sentence, the line with a mark below the words, the remedy.
  public var rendered: String {
    var text = "\(file):\(line):\(column): \(severity.name): \(message)\n"
    text += "  \(excerpt.text)\n"
    text += "  \(String(repeating: " ", count: excerpt.markStart))^"
    text += "\(String(repeating: "~", count: excerpt.markLength - 1))\n"
    if let hint { text += "  \(hint)\n" }
    return text
  }
}
