// Owns how a choice of names reads in a sentence.
// It must not choose among them.

/// "a", "b" or "c".
func listed(_ names: some Sequence<String>, _ conjunction: String = "or") -> String {
  let quoted = names.map { "\"\($0)\"" }
  guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
  return quoted.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
}
