// Owns writing to standard output and standard error, and whether there may be colour.
// It must not make text safe: whoever writes a name of others' choice does.

internal import ControlProtocol
internal import Glibc
internal import SystemCalls

enum Output {
  static func write(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

  /// The value as JSON for programs.
  static func writeJSON(_ value: some Encodable) { write(ControlLine.encodePretty(value), to: STDOUT_FILENO) }

  static func writeLine(_ bytes: [UInt8]) { write(bytes + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

  /// A sentence about what failed, and its remedy on a line of its own.
  static func complain(_ sentence: String, remedy: String? = nil) {
    let hint = remedy.map { "  \($0)\n" } ?? ""
    write(Array("liliumctl: \(sentence)\n\(hint)".utf8), to: STDERR_FILENO)
  }

  /// A line on standard error that the next one overwrites; without text it is taken away.
  static func writeProgress(_ text: String) { write(Array("\r\u{1b}[K\(text)".utf8), to: STDERR_FILENO) }

  /// Standard output is a terminal, and nobody asked for plain text (https://no-color.org).
  static var usesColor: Bool {
    guard ProcessSetup.isTerminal(STDOUT_FILENO) else { return false }
    return environment("NO_COLOR").isEmpty && environment("TERM") != "dumb"
  }

  private static func environment(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR { return }
      rest = rest.dropFirst(max(0, count))
    }
  }
}

/// Colour for words on a terminal.
struct Paint {
  let isOn: Bool

  func red(_ text: String) -> String { painted("31", text) }
  func green(_ text: String) -> String { painted("32", text) }
  func yellow(_ text: String) -> String { painted("33", text) }
  func bold(_ text: String) -> String { painted("1", text) }

  private func painted(_ code: String, _ text: String) -> String { isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}
