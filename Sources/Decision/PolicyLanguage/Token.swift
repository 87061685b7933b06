// Owns the words of the rule language.
// It must not know how they combine.

enum Symbol: String, Sendable {
  case openParenthesis = "("
  case closeParenthesis = ")"
  case openBracket = "["
  case closeBracket = "]"
  case comma = ","
  case dot = "."
  case minus = "-"
  case not = "!"
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case and = "&&"
  case or = "||"

  /// The relation that this symbol means.
  var comparison: Comparison? {
    switch self {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    default: nil
    }
  }
}

struct Token: Sendable {
  enum Kind: Sendable, Equatable {
    /// A keyword or a part of a name.
    case word(String)
    /// Without its sign.
    case integer(UInt64)
    /// UTF-8, escapes resolved.
    case string([UInt8])
    case symbol(Symbol)
    /// Could not be read; the lexer has said why.
    case invalid
  }

  let kind: Kind
  /// Bytes of the file.
  let range: Range<Int>

  func isWord(_ word: String) -> Bool { kind == .word(word) }
  func isSymbol(_ symbol: Symbol) -> Bool { kind == .symbol(symbol) }
}

/// A finding of a stage that knows bytes but not lines.
struct Finding: Error {
  let range: Range<Int>
  let message: String
  var hint: String?
}
