// Owns how text of a rule file is made fit to print: nothing in it may steer a terminal or hide.
// It must not shorten or translate.

internal import AccessModel

/// A code point as itself where it is harmless, escaped as the rule language writes it where it is not.
func escaped(_ scalar: Unicode.Scalar) -> String {
  if scalar == "\t" { return " " }
  guard scalar.isHazard else { return String(scalar) }
  return scalar.value < 0x80 ? escaped(byte: UInt8(scalar.value)) : "\\u{\(String(scalar.value, radix: 16))}"
}

/// A byte that is not text.
func escaped(byte: UInt8) -> String {
  "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
}

/// Text in quotes, for a message; cut where it is long.
func quoted(_ bytes: some Collection<UInt8>) -> String {
  let limit = 60
  let text = String(decoding: bytes.prefix(4 * limit), as: UTF8.self).unicodeScalars
  return "\"" + text.prefix(limit).map(escaped).joined() + (text.count > limit ? "..." : "") + "\""
}

func quoted(_ text: String) -> String { quoted(text.utf8) }

/// Text that came from elsewhere, without quotes; cut where it is long.
func printable(_ text: String) -> String { text.unicodeScalars.prefix(120).map(escaped).joined() }
