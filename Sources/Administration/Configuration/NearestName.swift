// Owns the guess at what a mistyped name was meant to be.
// It must not know which names there are.

/// The name with the fewest edits (insert, delete, replace, swap) from the word, if it is near enough to be meant.
func nearestName(to word: String, among names: some Sequence<String>) -> String? {
  let letters = Array(word.lowercased().unicodeScalars.prefix(64))
  let limit = max(1, letters.count / 3)
  var best: (name: String, edits: Int)?
  for name in names {
    let edits = edits(letters, Array(name.lowercased().unicodeScalars))
    if edits <= limit, edits < best?.edits ?? .max { best = (name, edits) }
  }
  return best?.name
}

private func edits(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var beforeLast = [Int](repeating: 0, count: b.count + 1)
  var last = Array(0...b.count)
  for i in a.indices {
    var current = [i + 1]
    for j in b.indices {
      var cost = min(last[j + 1] + 1, current[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
      current.append(cost)
    }
    (beforeLast, last) = (last, current)
  }
  return last[b.count]
}

/// "a", "b" or "c".
func listed(_ names: some Sequence<String>, _ conjunction: String = "or") -> String {
  let quoted = names.map { "\"\($0)\"" }
  guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
  return quoted.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
}
