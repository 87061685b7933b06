// Owns how a quoted TOML text is stepped over and what a quoted key says (TOML 1.0, "String").
// It must not judge the document: TOMLKit does.

/// The index behind the quoted text that begins at `start`; in a text that is not closed, where the line or file ends.
func endOfQuoted(_ bytes: [UInt8], from start: Int) -> Int {
  let quote = bytes[start]
  let isBasic = quote == UInt8(ascii: "\"")
  let isMultiline = run(of: quote, in: bytes, from: start) >= 3
  var index = start + (isMultiline ? 3 : 1)
  while index < bytes.count {
    let byte = bytes[index]
    if byte == quote {
      guard isMultiline else { return index + 1 }
      // Up to two quotes may stand right before the three that close.
      let quotes = run(of: quote, in: bytes, from: index)
      if quotes >= 3 { return index + min(quotes, 5) }
      index += quotes
    } else if byte == UInt8(ascii: "\\"), isBasic {
      index += 2
    } else if byte == UInt8(ascii: "\n"), !isMultiline {
      return index
    } else {
      index += 1
    }
  }
  return bytes.count
}

private func run(of byte: UInt8, in bytes: [UInt8], from start: Int) -> Int {
  var end = start
  while end < bytes.count, bytes[end] == byte { end += 1 }
  return end - start
}

/// What a key says: bare as it stands, quoted without its quotes and escapes.
func keyText(_ part: ArraySlice<UInt8>) -> String {
  guard let first = part.first, first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") else {
    return String(decoding: part, as: UTF8.self)
  }
  let inner = String(decoding: part.dropFirst().dropLast(), as: UTF8.self)
  return first == UInt8(ascii: "\"") ? unescaped(inner) : inner
}

private func unescaped(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  var rest = text.unicodeScalars[...]
  while let scalar = rest.popFirst() {
    guard scalar == "\\", let kind = rest.popFirst() else {
      result.append(scalar)
      continue
    }
    switch kind {
    case "b": result.append("\u{8}")
    case "t": result.append("\t")
    case "n": result.append("\n")
    case "f": result.append("\u{c}")
    case "r": result.append("\r")
    case "u", "U":
      let digits = String(String.UnicodeScalarView(rest.prefix(kind == "u" ? 4 : 8)))
      rest = rest.dropFirst(digits.count)
      if let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) { result.append(scalar) }
    default: result.append(kind)
    }
  }
  return String(result)
}
