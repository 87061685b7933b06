// SipHash against values of another implementation (openssl mac -macopt size:16 SIPHASH).

import Testing

@testable import TrustDatabase

@Suite struct PathHashTests {
  private let hash = PathHash(key: 0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

  private func hexadecimal(_ value: PathHash.Value) -> String {
    var text = ""
    for word in [value.low, value.high] {
      for place in 0..<8 {
        let byte = UInt8(truncatingIfNeeded: word >> UInt64(place * 8))
        text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return text
  }

  @Test(arguments: [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
    (2, "8177228da4a45dc7fca38bdef60affe4"), (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
    (8, "3b62a9ba6258f5610f83e264f31497b4"), (9, "264499060ad9baabc47f8b02bb6d71ed"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"), (16, "6ee2a4ca67b054bbfd3315bf85230577"),
    (17, "473d06e8738db89854c066c47ae47740"), (63, "5150d1772f50834a503e069a973fbd7c"),
  ])
  func valuesAreThoseOfTheReference(_ count: Int, _ expected: String) {
    // One byte further on as well: the words need not be aligned.
    for shift in 0...1 {
      let bytes = [UInt8](repeating: 0, count: shift) + (0..<count).map { UInt8($0) }
      let value = bytes.withUnsafeBytes { hash(UnsafeRawBufferPointer(rebasing: $0[shift...])) }
      #expect(hexadecimal(value) == expected)
    }
  }

  @Test func theKeyIsAnotherOneEachTime() {
    let path = bytes("/usr/bin/bash")
    let values = Set((0..<100).map { _ in path.withUnsafeBytes { PathHash()($0) } })
    #expect(values.count == 100)
  }
}
