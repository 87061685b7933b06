// Owns base64 as RFC 4648 section 4 has it: the exact bytes of a name that is not UTF-8.
// It must not decode: readers of the records do.

private let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

func base64(_ bytes: [UInt8]) -> [UInt8] {
  var out: [UInt8] = []
  out.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let part = bytes[start..<min(start + 3, bytes.count)]
    var word: UInt32 = 0
    for (place, byte) in part.enumerated() { word |= UInt32(byte) << UInt32(16 - 8 * place) }
    for sextet in 0..<4 {
      let known = sextet <= part.count
      out.append(known ? alphabet[Int(word >> UInt32(18 - 6 * sextet) & 0x3f)] : UInt8(ascii: "="))
    }
  }
  return out
}
