// Owns what is said about the administrator's files: place, sentence and remedy, shown as the rules' diagnostics are.
// It must not print, and must never pass a control character of a file on.

public import PolicyLanguage

/// Something wrong, or doubtful, with the configuration, a rule file or a rule.
public struct Finding: Sendable, Hashable {
  public let severity: Diagnostic.Severity
  /// The whole path of the file or folder.
  public let path: String
  /// Line and column, both counted from 1, the column in code points; nil where the file as a whole is meant.
  public let place: Place?
  public let message: String
  /// The remedy, where there is one.
  public let hint: String?
  /// As compilers show it, with a line end.
  public let rendered: String

  public struct Place: Sendable, Hashable {
    public let line: Int
    public let column: Int
    /// Code points that the finding is about; at least 1.
    public let length: Int
  }

  /// About a file or folder as a whole.
  public init(_ severity: Diagnostic.Severity, path: String, _ message: String, hint: String? = nil) {
    self.severity = severity
    self.path = path
    self.place = nil
    self.message = Printable.text(message)
    self.hint = hint.map { Printable.text($0) }
    var text = "\(Printable.text(path)): \(severity.name): \(self.message)\n"
    if let hint = self.hint { text += "  \(hint)\n" }
    rendered = text
  }

  /// About a whole line of a file, counted from 1.
  public init(_ severity: Diagnostic.Severity, path: String, line: Int, _ message: String, hint: String? = nil) {
    self.severity = severity
    self.path = path
    self.place = Place(line: line, column: 1, length: 1)
    self.message = Printable.text(message)
    self.hint = hint.map { Printable.text($0) }
    var text = "\(Printable.text(path)):\(line): \(severity.name): \(self.message)\n"
    if let hint = self.hint { text += "  \(hint)\n" }
    rendered = text
  }

  /// About a place in a file. The line is the one that holds it, without its end.
  init(error message: String, path: String, place: Place, line: Substring.UnicodeScalarView, hint: String?) {
    severity = .error
    self.path = path
    self.place = place
    self.message = Printable.text(message)
    self.hint = hint.map { Printable.text($0) }
    var text = "\(Printable.text(path)):\(place.line):\(place.column): error: \(self.message)\n"
    text += Self.excerpt(of: line, place)
    if let hint = self.hint { text += "  \(hint)\n" }
    rendered = text
  }

  /// What the rule language says about a rule.
  public init(_ diagnostic: Diagnostic) {
    severity = diagnostic.severity
    path = diagnostic.path
    place = Place(line: diagnostic.line, column: diagnostic.column, length: diagnostic.length)
    message = diagnostic.message
    hint = diagnostic.hint
    rendered = diagnostic.rendered
  }

  /// Characters of a line that are shown, and how many of them before the finding.
  private static let width = 100
  private static let lead = 40

  private static func excerpt(of line: Substring.UnicodeScalarView, _ place: Place) -> String {
    let scalars = Array(line)
    let mark = min(place.column - 1, scalars.count)
    let first = scalars.count <= width ? 0 : max(0, min(mark - lead, scalars.count - width))
    let last = min(scalars.count, first + width)
    let shown = { (part: Range<Int>) in part.map { Printable.shown(scalars[$0]) }.joined() }
    let before = (first > 0 ? "..." : "") + shown(first..<mark)
    let marked = shown(mark..<min(last, mark + place.length))
    let after = shown(mark + min(last - mark, place.length)..<last) + (last < scalars.count ? "..." : "")
    let indent = String(repeating: " ", count: before.unicodeScalars.count)
    let underline = String(repeating: "~", count: max(1, marked.unicodeScalars.count) - 1)
    return "  \(before)\(marked)\(after)\n  \(indent)^\(underline)\n"
  }
}

extension Sequence<Finding> {
  /// Whether what was read cannot be used.
  public var hasErrors: Bool { contains { $0.severity == .error } }
}
