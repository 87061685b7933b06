// Owns one audit record: its event's time and serial, and its fields by name.
// It must not trust a byte of it: any text gives a record or nil, and no field is found inside the value of another.

/// A record as the kernel or auditd writes it: `audit(SECONDS.MILLISECONDS:SERIAL): NAME=VALUE ...`.
public struct AuditEntry: Sendable, Hashable {
  /// `AuditType`.
  public let type: UInt16
  /// Nanoseconds since the epoch; the kernel gives milliseconds. With the serial it names the event.
  public let time: Int64
  public let serial: UInt64
  private let bytes: [UInt8]
  private let fields: [FieldSpan]

  /// Longer texts are none of the kernel's, whose records end at 8,970 bytes.
  public static let maximumLength = 65_000

  /// Nil where the text does not begin with a time and serial, or is too long. What auditd appends behind 0x1d when it
  /// translates a record is left out.
  public static func parse(type: UInt16, text: UnsafeRawBufferPointer) -> AuditEntry? {
    guard text.count <= maximumLength else { return nil }
    var rest = unsafe text[...]
    if let translated = unsafe rest.firstIndex(of: 0x1d) { unsafe rest = rest[..<translated] }
    while let last = unsafe rest.last, last == 0 || last == 0x0a || last == 0x20 { unsafe rest.removeLast() }
    let bytes = unsafe [UInt8](rest)
    guard let head = EntryHead(bytes) else { return nil }
    return AuditEntry(type: type, head: head, bytes: bytes)
  }

  /// As `parse(type:text:)`.
  public init?(type: UInt16, text: [UInt8]) {
    guard let entry = unsafe text.withUnsafeBytes({ unsafe Self.parse(type: type, text: $0) }) else { return nil }
    self = entry
  }

  private init(type: UInt16, head: EntryHead, bytes: [UInt8]) {
    self.type = type
    time = head.time
    serial = head.serial
    self.bytes = bytes
    fields = FieldSpan.scan(bytes, from: head.length)
  }

  /// Bytes that the record takes, about.
  public var size: Int { bytes.count + fields.count * MemoryLayout<FieldSpan>.stride + 64 }

  /// The names of all fields in their order.
  public var names: [String] { fields.map { String(decoding: bytes[$0.name], as: UTF8.self) } }

  /// The value's bytes as they stand there, quotes included.
  public func raw(_ name: String) -> [UInt8]? { span(name).map { Array(bytes[$0.value]) } }

  /// The value of a field whose bytes an unprivileged user may choose (comm, exe, a path, the key, an argument of
  /// EXECVE) or of any other. The kernel writes the former between double quotes or, where they hold a quote, a blank,
  /// a control character or a byte that is not ASCII, as upper-case hexadecimal digits without quotes. Nil where the
  /// record has no such field, or no value for it: `(null)`.
  public func text(_ name: String) -> [UInt8]? {
    guard let span = span(name) else { return nil }
    let value = bytes[span.value]
    switch span.quoting {
    case .double, .single: return Array(value.dropFirst().dropLast())
    case .open: return Array(value.dropFirst())
    case .none: return isUntrusted(name) ? Self.decoded(value) : Array(value)
    }
  }

  /// A plain value; without its quotes if it has some, and undecoded.
  public func word(_ name: String) -> String? {
    guard let span = span(name) else { return nil }
    let value = bytes[span.value]
    return switch span.quoting {
    case .double, .single: String(decoding: value.dropFirst().dropLast(), as: UTF8.self)
    case .open: String(decoding: value.dropFirst(), as: UTF8.self)
    case .none: String(decoding: value, as: UTF8.self)
    }
  }

  /// A decimal number with its sign; nil where it is none or does not fit.
  public func decimal(_ name: String) -> Int64? { number(name, radix: 10) }

  /// A number of bare hexadecimal digits: `arch` and `a0` to `a3` of SYSCALL, sets of capabilities.
  public func hexadecimal(_ name: String) -> UInt64? { number(name, radix: 16) }

  private func number<Number: FixedWidthInteger>(_ name: String, radix: Int) -> Number? {
    guard let span = span(name), span.quoting == .none else { return nil }
    // Number's initializer would take a plus sign, which the kernel never writes.
    return bytes[span.value].first == UInt8(ascii: "+")
      ? nil : Number(String(decoding: bytes[span.value], as: UTF8.self), radix: radix)
  }

  /// The first of that name: what the kernel writes of a process stands before any label that a policy may choose.
  private func span(_ name: String) -> FieldSpan? {
    fields.first { bytes[$0.name].elementsEqual(name.utf8) }
  }

  /// Fields that the kernel writes with audit_log_untrustedstring.
  private static let untrusted: Set<String> = [
    "acct", "cmd", "comm", "cwd", "data", "dir", "exe", "file", "key", "name", "ocomm", "path", "proctitle", "profile",
    "watch",
  ]

  private func isUntrusted(_ name: String) -> Bool {
    if Self.untrusted.contains(name) { return true }
    // a0, a1[2]; a0_len and argc are numbers.
    return type == AuditType.execve && name.first == "a" && name.dropFirst().first?.isNumber == true
      && !name.hasSuffix("_len")
  }

  private static func decoded(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
    guard digits.count % 2 == 0 else { return nil }
    var text: [UInt8] = []
    text.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for byte in digits {
      guard let digit = hexDigit(byte) else { return nil }
      if let first = high {
        text.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return text
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    default: nil
    }
  }
}
