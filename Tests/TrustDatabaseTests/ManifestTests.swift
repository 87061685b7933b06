// The manifest's text: round trip, and nothing but what would be written.

import AccessModel
import Testing

@testable import TrustDatabase

@Suite struct ManifestTests {
  private static let sample = TrustManifest(
    generation: 41, byteCount: 123_456, hash: digest(1), paths: 1000, contents: 3, written: 1_700_000_000)

  private func parse(_ bytes: [UInt8]) -> Result<TrustManifest, TrustStoreError> {
    Result { () throws(TrustStoreError) in try TrustManifest(parsing: bytes, path: "/t/current") }
  }

  /// The manifest of these lines, with the checksum that belongs to them.
  private func signed(_ body: String) throws -> [UInt8] {
    bytes("\(body)check \(String(decoding: try Checksum.of(bytes(body)).hexadecimal, as: UTF8.self))\n")
  }

  /// All lines but the checksum.
  private func body() throws -> String {
    String(decoding: try Self.sample.text().dropLast(71), as: UTF8.self)
  }

  @Test func whatIsWrittenIsRead() throws {
    let text = try Self.sample.text()
    #expect(parse(text) == .success(Self.sample))
    #expect(text.count < 400 && Self.sample.file == "generation-41.mdb" && Self.sample.schema == 1)
    #expect(try parse(signed(body())) == .success(Self.sample))
  }

  @Test func everyFlippedBitIsDamage() throws {
    let text = try Self.sample.text()
    for place in text.indices {
      for bit in 0..<8 {
        var other = text
        other[place] ^= 1 << bit
        // A hexadecimal digit in capitals says the same, but is not what was written.
        guard case .failure(.damaged) = parse(other) else {
          Issue.record("byte \(place), bit \(bit) was believed")
          continue
        }
      }
    }
  }

  @Test func everyOtherLengthIsDamage() throws {
    let text = try Self.sample.text()
    for count in 0..<text.count {
      guard case .failure(.damaged) = parse(Array(text[..<count])) else {
        Issue.record("\(count) bytes were believed")
        continue
      }
    }
    for extra in [[0], [0x0a], [0x20], text] as [[UInt8]] {
      guard case .failure(.damaged) = parse(text + extra) else {
        Issue.record("bytes behind the end were believed")
        continue
      }
    }
  }

  @Test(arguments: [
    ("generation 41", "generation 041"), ("generation 41", "generation +41"), ("generation 41", "generation 42"),
    ("generation 41", "generation"), ("generation 41", "generation 41\ngeneration 41"),
    (
      "generation 41\nfile generation-41.mdb", "generation 4611686018427387904\nfile generation-4611686018427387904.mdb"
    ),
    ("file generation-41.mdb", "file ../41.mdb"), ("file generation-41.mdb", "file generation-40.mdb"),
    ("bytes 123456", "bytes 4294967297"), ("bytes 123456", "bytes -1"), ("bytes 123456", "bytes 123456 "),
    ("bytes 123456", "bytes  123456"), ("bytes 123456", "Bytes 123456"),
    ("paths 1000", "paths 18446744073709551615"), ("paths 1000", "paths 99999999999999999999"),
    ("paths 1000\ncontents 3", "contents 3\npaths 1000"), ("contents 3\n", ""), ("contents 3", "contents 3\nmore 1"),
    ("written 1700000000", "written 9223372036854775807"), ("written 1700000000", "written -5"),
    ("lilium-trust 1", "lilium-trust 0x1"), ("lilium-trust 1", "trust 1"), ("lilium-trust 1\n", ""),
    ("lilium-trust 1", "lilium-trust 18446744073709551615"),
  ])
  func aRightChecksumDoesNotMakeItRight(_ old: String, _ new: String) throws {
    let changed = try body().replacing(old, with: new)
    #expect(try changed != body())
    guard case .failure(.damaged(let path, _)) = try parse(signed(changed)) else {
      Issue.record("believed: \(changed)")
      return
    }
    #expect(path == "/t/current")
  }

  @Test(arguments: [0, 2, 99])
  func anotherSchemaIsNamed(_ schema: Int) throws {
    let text = try signed("lilium-trust \(schema)\nwhatever comes\n")
    guard case .failure(let error) = parse(text) else {
      Issue.record("schema \(schema) was read")
      return
    }
    #expect(error == .unsupportedSchema(path: "/t/current", schema: schema))
    #expect(error.description.contains("schema \(schema)") && error.description.contains("install the release"))
  }

  @Test(arguments: 0..<500)
  func noiseIsDamage(_ seed: Int) {
    var random = Random(seed)
    let noise = (0..<Int.random(in: 0...5000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    guard case .failure(.damaged) = parse(noise) else {
      Issue.record("noise \(seed) was believed")
      return
    }
  }
}
