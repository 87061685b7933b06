// Owns the promise that the manual names every word that the programs take or give.
// It must not judge how well a page explains it.

import AccessModel
import Testing

@Suite("The manual names everything")
struct DocumentationTests {
  /// Whether a page has the word, not as a part of a longer one.
  private func has(_ page: String, _ word: String) -> Bool {
    page.ranges(of: word).contains { range in
      let before = page[..<range.lowerBound].last
      let after = page[range.upperBound...]
      let goesOn = after.first.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
      return !goesOn && !(before.map { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ?? false)
    }
  }

  @Test(arguments: Attribute.allCases.map(\.definition))
  func everyAttributeIsInTheRulesPage(_ attribute: Attribute.Definition) throws {
    let page = try Repository.text("man/lilium.rules.5")
    #expect(has(page, attribute.name), "lilium.rules(5) does not name \(attribute.name)")
    let entry = page.split(separator: "\n").first { $0.hasPrefix(".It ") && has(String($0), attribute.name) } ?? ""
    #expect(entry.hasSuffix(" \(attribute.type.name)"), "lilium.rules(5) does not give the type of \(attribute.name)")
  }

  @Test func everyWordOfARecordIsInTheOverviewOrTheRecordsPage() throws {
    let page = try Repository.text("man/lilium.7") + Repository.text("man/lilium-record.5")
    let words =
      Mechanism.allCases.map(\.name) + Mode.allCases.map(\.name) + Verdict.allCases.map(\.name)
      + Effect.allCases.map(\.name) + Failure.allCases.map(\.name) + ContentKind.allCases.map(\.name)
      + ContainmentFailure.allCases.map(\.name) + IdentityCertainty.allCases.map(\.name)
      + TrustState.allCases.map(\.name) + ["off", "capability", "rule", "undecided", "default", "failure"]
    for word in words { #expect(has(page, word), "neither lilium(7) nor lilium-record(5) names \(word)") }
  }

  @Test func everyKeyOfTheConfigurationIsInItsPage() throws {
    let page = try Repository.text("man/lilium.toml.5")
    let keys = configurationWords(try Repository.text("etc/lilium.toml"))
    #expect(keys.isSuperset(of: ["mode", "exec", "coverage", "filesystems", "answer_deadline_ms"]))
    for key in keys.sorted() { #expect(has(page, key), "lilium.toml(5) does not name \(key)") }
  }

  @Test func everyModeOfIntegrityIsInTheConfigurationPage() throws {
    let page = try Repository.text("man/lilium.toml.5")
    for mode in IntegrityMode.allCases {
      #expect(page.contains("\\(dq\(mode.name)\\(dq"), "lilium.toml(5) does not name \(mode.name)")
    }
    #expect(page.contains("\n.Ss [integrity.prefixes]\n"))
  }

  @Test func theDryRunUsesDocumentedKeysOnly() throws {
    let page = try Repository.text("man/lilium.toml.5")
    for key in configurationWords(try Repository.text("etc/dry-run.toml")) {
      #expect(has(page, key), "lilium.toml(5) does not name \(key)")
    }
  }

  /// Keys and tables of a configuration, those that are commented out as well.
  private func configurationWords(_ text: String) -> Set<String> {
    var words: Set<String> = []
    for line in text.split(separator: "\n") {
      let bare = line.drop(while: { $0 == "#" || $0 == " " })
      if let table = bare.wholeMatch(of: /\[([a-z_]+)(?:\.[a-z_]+)*\]\s*(?:#.*)?/) { words.insert(String(table.1)) }
      guard bare.starts(with: /[a-z_]+\s*=/) else { continue }
      let code = bare.prefix(while: { $0 != "#" })
      for key in code.matches(of: /(?:^|[{,])\s*([a-z_]+)\s*=/) { words.insert(String(key.1)) }
    }
    return words
  }

  @Test func keysAreFoundInEveryForm() {
    let text = """
      # Prose of a file, with a word.
      [mode]
      exec = "off"
      #open = "audit"   # why = no
      rate_limit = { per_second = 100, burst = 200 }
      # [interpreters.python]
      """
    let expected: Set<String> = ["mode", "exec", "open", "rate_limit", "per_second", "burst", "interpreters"]
    #expect(configurationWords(text) == expected)
  }
}
