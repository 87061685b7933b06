// Owns the one line in which a record is shown on a terminal.
// It must not find out whether there is a terminal: the caller says whether colour is wanted.

internal import AccessModel

/// How records are shown.
public struct TerminalStyle: Sendable, Hashable {
  /// The verdict in red, yellow or green.
  public var color: Bool
  /// Seconds east of UTC of the time that is shown.
  public var utcOffset: Int32

  public init(color: Bool = false, utcOffset: Int32 = 0) {
    self.color = color
    self.utcOffset = utcOffset
  }
}

extension AuditRecord {
  /// One line without a line end, for example
  /// `12:00:00.123 would deny  exec  /tmp/x            by bash[1234] uid 1000   50-debian-base.rules:12   14 µs`.
  public func terminalLine(_ style: TerminalStyle) -> [UInt8] {
    let time = CivilTime(nanoseconds: time, offset: style.utcOffset).timeOfDay
    guard case .decision(let entry) = event else {
      return [UInt8]("\(time) \(kind.name): \(message)".utf8)
    }
    let decision = entry.decision
    let words = entry.verdictWords
    let verdict = style.color ? "\u{1b}[\(decision.colorCode)m\(words)\u{1b}[0m" : words
    let columns = [
      "\(time) \(verdict)" + spaces(toFill: 10, after: words),
      aligned(decision.mechanism.name, 4),
      aligned(entry.objectWords, 40),
      aligned("by \(entry.seen.words)", 28),
      aligned(entry.reasonWords, 24),
      entry.answerWords,
    ]
    // Without the last column, nothing stands behind the one before it that fills it up.
    let line = columns.joined(separator: "  ")
    return [UInt8](line.utf8.prefix(line.utf8.count - line.utf8.reversed().prefix { $0 == 0x20 }.count))
  }
}

extension Decision {
  /// SGR's number (console_codes(4)): red, yellow, green.
  fileprivate var colorCode: Int {
    switch (verdict, mode) {
    case (.deny, .enforce): 31
    case (.deny, _): 33
    case (.allow, _): 32
    }
  }
}

private func aligned(_ text: String, _ width: Int) -> String { text + spaces(toFill: width, after: text) }

private func spaces(toFill width: Int, after text: String) -> String {
  String(repeating: " ", count: max(0, width - text.count))
}
