// Owns aligned columns for people.
// It must not cut or colour a cell's text: widths are counted in characters.

/// Rows under a heading; the widest cell makes the column.
struct TextTable {
  enum Alignment {
    case left, right
  }

  private let alignments: [Alignment]
  private var rows: [[String]]

  init(_ columns: [(heading: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.heading)]
  }

  var isEmpty: Bool { rows.count == 1 }

  mutating func add(_ cells: String...) { rows.append(cells) }

  /// One line a row, each with its line end and without blanks before it.
  var rendered: String {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return alignments[column] == .right ? padding + row[column] : row[column] + padding
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}
