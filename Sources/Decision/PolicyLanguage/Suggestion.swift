// Owns the nearest valid name to one that is not.
// It must not guess where nothing is near.

public enum Suggestion {
  /// "did you mean NAME?", or nil where no name is near.
  static func sentence(for word: String, among names: [String], limit: Int? = nil) -> String? {
    nearest(to: word, among: names, limit: limit).map { "did you mean \($0)?" }
  }

  /// The name that takes the fewest edits, at most `limit`: by default a third of the word, and no more than three.
  public static func nearest(to word: String, among names: [String], limit: Int? = nil) -> String? {
    let letters = Array(word.lowercased().utf8)
    guard letters.count <= 64 else { return nil }
    // A name without its first part, as in `path`, is nearer than anything misspelt.
    if let full = names.first(where: { $0.lowercased().hasSuffix(".\(word.lowercased())") }) { return full }
    let limit = limit ?? min(3, max(1, letters.count / 3))
    var best: (name: String, distance: Int)?
    for name in names {
      let distance = distance(letters, Array(name.lowercased().utf8))
      if distance <= limit, distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
  }

  /// Letters to insert, remove, change or swap with the next one (optimal string alignment).
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for (row, letter) in a.enumerated() {
      var current = [row + 1]
      for (column, other) in b.enumerated() {
        var best = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, letter == b[column - 1], a[row - 1] == other {
          best = min(best, beforeLast[column - 1] + 1)
        }
        current.append(best)
      }
      (beforeLast, last) = (last, current)
    }
    return last[b.count]
  }
}
