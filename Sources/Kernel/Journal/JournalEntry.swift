// Owns the framing of one journal entry in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
// It must not know what the fields mean.

/// The bytes of one entry. Every value is framed by its length, also where it need not be: name, '\n', the length as
/// 64 bits little-endian, the bytes, '\n'. So no value, whatever bytes it has, can end its field and forge another.
public struct JournalEntry: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() { bytes.reserveCapacity(2048) }

  /// Adds a field. False, and nothing is added, where journald would refuse the name: 1 to 64 capital letters, digits
  /// and _, beginning with a letter.
  @discardableResult
  public mutating func append(_ name: String, _ value: [UInt8]) -> Bool {
    guard Self.isValid(name) else { return false }
    bytes.append(contentsOf: name.utf8)
    bytes.append(UInt8(ascii: "\n"))
    let length = UInt64(value.count)
    for place in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(8 * place))) }
    bytes.append(contentsOf: value)
    bytes.append(UInt8(ascii: "\n"))
    return true
  }

  private static func isValid(_ name: String) -> Bool {
    guard let first = name.utf8.first, (1...64).contains(name.utf8.count), isCapital(first) else { return false }
    return name.utf8.allSatisfy { isCapital($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
  }

  private static func isCapital(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
