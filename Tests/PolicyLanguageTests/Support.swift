// What the tests of this folder share: rule text in, rules and diagnostics out.

import AccessModel
import PolicyLanguage
import Testing

func parse(_ text: String) -> (rules: RuleSet, diagnostics: [Diagnostic]) { parse(bytes: Array(text.utf8)) }

func parse(bytes: [UInt8]) -> (rules: RuleSet, diagnostics: [Diagnostic]) {
  RuleSet.parse([RuleSource(path: "/etc/lilium/rules.d/50-site.rules", file: "50-site.rules", bytes: bytes)])
}

/// `LINE:COLUMN severity: message` of each diagnostic.
func summary(_ text: String) -> [String] { parse(text).diagnostics.map(summary) }

func summary(_ diagnostic: Diagnostic) -> String {
  "\(diagnostic.line):\(diagnostic.column) \(diagnostic.severity.name): \(diagnostic.message)"
}

/// A rule that is refused or remarked on, with the place and the sentence of its only diagnostic.
struct Refusal: Sendable, CustomTestStringConvertible {
  let text: String
  let column: Int
  let length: Int
  let message: String
  let hint: String?

  init(_ text: String, _ column: Int, _ length: Int, _ message: String, hint: String? = nil) {
    self.text = text
    self.column = column
    self.length = length
    self.message = message
    self.hint = hint
  }

  var testDescription: String { text }
}
