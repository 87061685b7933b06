// Owns the untyped form of a condition, with the place of every part.
// It must not resolve names.

/// A part of a condition as it was written.
struct Syntax {
  indirect enum Kind {
    case bool(Bool)
    case int(Int64)
    case string([UInt8])
    case list([Syntax])
    /// Words joined by dots.
    case name(String)
    case not(Syntax)
    /// `&&` over two or more operands.
    case all([Syntax])
    /// `||` over two or more operands.
    case any([Syntax])
    case compare(Comparison, Syntax, Syntax)
    case member(Syntax, in: Syntax)
    case call(Call)
  }

  struct Call {
    let name: String
    let nameRange: Range<Int>
    /// What stands before the dot, if anything does.
    let receiver: Syntax?
    let arguments: [Syntax]
  }

  let kind: Kind
  /// Bytes of the file.
  let range: Range<Int>
  /// Nodes on the longest way down from here, this one included.
  let depth: Int

  init(_ kind: Kind, _ range: Range<Int>, over parts: [Syntax] = []) {
    self.kind = kind
    self.range = range
    depth = 1 + (parts.lazy.map(\.depth).max() ?? 0)
  }
}
