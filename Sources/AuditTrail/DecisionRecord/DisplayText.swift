// Owns how a name of unknown origin is shown to a person: it can neither drive the terminal nor pose as other words.
// It must not cut a name unless told.

internal import AccessModel

/// The name with everything that is no visible character as `\xNN`, a backslash doubled. A name that is empty or
/// holds a space or a quotation mark is quoted, so that it cannot pose as the words around it.
public func displayText(_ name: [UInt8]) -> String {
  var needsQuotes = name.isEmpty
  var shown: [UInt8] = []
  shown.reserveCapacity(name.count)
  forEachUnit(of: name) { unit in
    switch unit {
    case .invalid(let byte): appendEscaped(byte, to: &shown)
    case .scalar("\\", _): shown.append(contentsOf: "\\\\".utf8)
    case .scalar("\"", _):
      needsQuotes = true
      shown.append(contentsOf: "\\\"".utf8)
    case .scalar(let scalar, let encoded) where scalar.isHazard:
      for byte in encoded { appendEscaped(byte, to: &shown) }
    case .scalar(let scalar, let encoded):
      if scalar.isSpace { needsQuotes = true }
      shown.append(contentsOf: encoded)
    }
  }
  let text = String(decoding: shown, as: UTF8.self)
  return needsQuotes ? "\"\(text)\"" : text
}

/// Sentences of Lilium's own, which may quote a name: hazards as `\xNN`, everything else as it is.
func displaySentence(_ text: String) -> String {
  var shown: [UInt8] = []
  forEachUnit(of: [UInt8](text.utf8)) { unit in
    guard case .scalar(let scalar, let encoded) = unit else { return }
    if scalar.isHazard {
      for byte in encoded { appendEscaped(byte, to: &shown) }
    } else {
      shown.append(contentsOf: encoded)
    }
  }
  return String(decoding: shown, as: UTF8.self)
}

private func appendEscaped(_ byte: UInt8, to out: inout [UInt8]) {
  out.append(contentsOf: "\\x".utf8)
  appendHex(UInt32(byte), digits: 2, to: &out)
}
