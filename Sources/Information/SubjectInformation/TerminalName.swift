// Owns the name of a controlling terminal from its device number (Documentation/admin-guide/devices.txt).
// It must not look in /dev.

enum TerminalName {
  /// `pts/N`, `ttyN`, `ttySN`, or `MAJOR:MINOR` for others; empty for none.
  static func write(_ major: UInt32, _ minor: UInt32, into name: inout [UInt8]) {
    name.removeAll(keepingCapacity: true)
    switch major {
    case 0 where minor == 0: return
    case 136...143:
      append("pts/", &name)
      append((major - 136) << 20 | minor, &name)
    case 4 where minor < 64:
      append("tty", &name)
      append(minor, &name)
    case 4:
      append("ttyS", &name)
      append(minor - 64, &name)
    default:
      append(major, &name)
      append(":", &name)
      append(minor, &name)
    }
  }

  private static func append(_ text: StaticString, _ name: inout [UInt8]) {
    text.withUTF8Buffer { for index in $0.indices { name.append(unsafe $0[index]) } }
  }

  private static func append(_ number: UInt32, _ name: inout [UInt8]) {
    var divisor: UInt32 = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      name.append(UInt8(0x30 + number / divisor % 10))
      divisor /= 10
    }
  }
}
