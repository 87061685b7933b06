// Owns how text that somebody else chose is made fit to print: nothing in it may steer a terminal or hide.
// It must not shorten or translate.

internal import AccessModel

public enum Printable {
  /// The text with controls, direction marks and other invisible characters as `\u{HEX}`; a tab becomes a space.
  public static func text(_ text: some StringProtocol) -> String {
    guard text.unicodeScalars.contains(where: \.isHazard) else { return String(text) }
    var safe = ""
    for scalar in text.unicodeScalars { safe += shown(scalar) }
    return safe
  }

  /// The same for bytes; what is not UTF-8 is escaped as `\xHH`.
  public static func text(bytes: some Sequence<UInt8>) -> String {
    var safe = ""
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      if let whole = String(validating: rest, as: UTF8.self) { return safe + text(whole) }
      // Cuts at the first byte that does not fit: a sequence of up to four bytes, or a lone one.
      let length = (1...min(4, rest.count)).first { String(validating: rest.prefix($0), as: UTF8.self) != nil }
      safe += length.map { text(String(decoding: rest.prefix($0), as: UTF8.self)) } ?? escaped(rest.first!)
      rest = rest.dropFirst(length ?? 1)
    }
    return safe
  }

  static func shown(_ scalar: Unicode.Scalar) -> String {
    if scalar == "\t" { return " " }
    return scalar.isHazard ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
  }

  private static func escaped(_ byte: UInt8) -> String {
    "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}
