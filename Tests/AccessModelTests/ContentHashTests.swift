// A digest's ways in and out: bytes, digits, and nothing that is neither.

import AccessModel
import Testing

@Suite struct ContentHashTests {
  private let bytes = (0..<32).map { UInt8($0 * 7 + 1) }
  private let digits = Array("01080f161d242b323940474e555c636a71787f868d949ba2a9b0b7bec5ccd3da".utf8)

  @Test func bytesAndDigitsAreTheSame() throws {
    let hash = try #require(ContentHash(bytes))
    #expect(hash.bytes == bytes && hash.hexadecimal == digits)
    #expect(ContentHash(hexadecimal: digits) == hash)
    #expect(ContentHash(hexadecimal: Array(String(decoding: digits, as: UTF8.self).uppercased().utf8)) == hash)
    #expect((0..<64).map { hash.digit(at: $0) } == digits)
    #expect(hash.prefix == 0x0108_0f16_1d24_2b32)
    #expect(ContentHash().hexadecimal == [UInt8](repeating: 0x30, count: 64))
  }

  @Test func everyBitCounts() throws {
    let hash = try #require(ContentHash(bytes))
    for bit in 0..<256 {
      var other = bytes
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      let changed = try #require(ContentHash(other))
      #expect(changed != hash && changed.bytes == other)
      #expect(ContentHash(hexadecimal: changed.hexadecimal) == changed)
    }
  }

  @Test(arguments: [0, 1, 31, 33, 64])
  func otherLengthsAreNone(_ count: Int) {
    #expect(ContentHash([UInt8](repeating: 1, count: count)) == nil)
    #expect(count == 64 || ContentHash(hexadecimal: [UInt8](repeating: 0x30, count: count)) == nil)
    #expect(ContentHash(hexadecimal: [UInt8](repeating: 0x30, count: 65)) == nil)
  }

  @Test func onlyDigitsAreDigits() {
    for byte in UInt8.min...UInt8.max {
      var text = digits
      text[63] = byte
      let isDigit = Character(UnicodeScalar(byte)).isHexDigit && byte < 0x80
      #expect((ContentHash(hexadecimal: text) != nil) == isDigit, "\(byte)")
    }
  }
}
