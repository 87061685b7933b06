// Owns how man/lilium-record.5 is read: the fields that it describes, and its two tables of mappings.
// It must not know the fields: the page and the program are compared, neither is believed.

import Foundation

struct ManualPage {
  private let lines: [Substring]

  init() throws { lines = try Repository.text("man/lilium-record.5").split(separator: "\n") }

  /// What stands before `Pq` in an item of a list of fields, as in `.It Li subject.pid Pq Vt integer`.
  var fields: Set<String> { items(of: lines.filter { $0.contains(" Pq Vt ") }) }

  /// The first column of a mapping's table.
  func moved(_ target: String) -> Set<String> { items(of: part("\(target) moved")) }

  /// The names in the list of what stays.
  func kept(_ target: String) -> Set<String> {
    var names: Set<String> = []
    for line in part("\(target) kept") where line.hasPrefix(".Li ") {
      for word in line.dropFirst(".Li ".count).split(separator: " ") where word != "," && word != "." {
        names.insert(String(word))
      }
    }
    return names
  }

  private func items(of lines: [Substring]) -> Set<String> {
    Set(lines.filter { $0.hasPrefix(".It Li ") }.map { name($0) })
  }

  private func name(_ line: Substring) -> String {
    String(line.dropFirst(".It Li ".count).prefix { $0 != " " })
  }

  /// The lines between the comments `.\" begin NAME` and `.\" end NAME`.
  private func part(_ name: String) -> [Substring] {
    guard let begin = lines.firstIndex(of: ".\\\" begin \(name)"), let end = lines.firstIndex(of: ".\\\" end \(name)")
    else { return [] }
    return [Substring](lines[begin..<end])
  }
}
