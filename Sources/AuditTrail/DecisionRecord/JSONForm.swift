// Owns the JSON form of a record: one object on one line (RFC 8259), safe to show on a terminal.
// It must not reorder or drop fields.

internal import AccessModel

extension AuditRecord {
  /// One JSON object without a line end. Bytes that are not UTF-8 keep a readable form under their key and stand
  /// exactly under KEY_b64.
  public var json: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(1024)
    appendJSON(fields, to: &out)
    return out
  }
}

private func appendJSON(_ group: FieldGroup, to out: inout [UInt8]) {
  out.append(UInt8(ascii: "{"))
  for (place, field) in group.fields.enumerated() {
    if place > 0 { out.append(UInt8(ascii: ",")) }
    appendKey(field.name, to: &out)
    appendJSON(field.value, to: &out)
    if case .bytes(let bytes) = field.value, !isUTF8(bytes) {
      out.append(UInt8(ascii: ","))
      appendKey(field.name + "_b64", to: &out)
      appendString(base64(bytes), to: &out)
    }
  }
  out.append(UInt8(ascii: "}"))
}

private func appendKey(_ name: String, to out: inout [UInt8]) {
  appendString([UInt8](name.utf8), to: &out)
  out.append(UInt8(ascii: ":"))
}

private func appendJSON(_ value: FieldValue, to out: inout [UInt8]) {
  switch value {
  case .bool(let flag): out.append(contentsOf: (flag ? "true" : "false").utf8)
  case .integer(let number): out.append(contentsOf: String(number).utf8)
  case .unsigned(let number): out.append(contentsOf: String(number).utf8)
  case .text(let text): appendString([UInt8](text.utf8), to: &out)
  case .bytes(let bytes): appendString(bytes, to: &out)
  case .texts(let texts): appendList(texts, to: &out) { appendString([UInt8]($0.utf8), to: &$1) }
  case .group(let group): appendJSON(group, to: &out)
  case .groups(let groups): appendList(groups, to: &out) { appendJSON($0, to: &$1) }
  }
}

private func appendList<Element>(
  _ elements: [Element], to out: inout [UInt8], _ append: (Element, inout [UInt8]) -> Void
) {
  out.append(UInt8(ascii: "["))
  for (place, element) in elements.enumerated() {
    if place > 0 { out.append(UInt8(ascii: ",")) }
    append(element, &out)
  }
  out.append(UInt8(ascii: "]"))
}

private func appendString(_ bytes: [UInt8], to out: inout [UInt8]) {
  out.append(UInt8(ascii: "\""))
  defer { out.append(UInt8(ascii: "\"")) }
  guard !bytes.allSatisfy(isPlain) else { return out.append(contentsOf: bytes) }
  forEachUnit(of: bytes) { unit in
    switch unit {
    case .invalid: out.append(contentsOf: "\u{fffd}".utf8)
    case .scalar("\"", _): out.append(contentsOf: "\\\"".utf8)
    case .scalar("\\", _): out.append(contentsOf: "\\\\".utf8)
    case .scalar("\n", _): out.append(contentsOf: "\\n".utf8)
    case .scalar("\r", _): out.append(contentsOf: "\\r".utf8)
    case .scalar("\t", _): out.append(contentsOf: "\\t".utf8)
    case .scalar(let scalar, _) where scalar.isHazard:
      for unit in String(scalar).utf16 {
        out.append(contentsOf: "\\u".utf8)
        appendHex(UInt32(unit), digits: 4, to: &out)
      }
    case .scalar(_, let encoded): out.append(contentsOf: encoded)
    }
  }
}

/// Stands for itself in a string: nearly every byte of nearly every name.
private func isPlain(_ byte: UInt8) -> Bool {
  byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
}
