// Owns the object's way out of the text in which the build put it.
// It must not look into the object.

extension ProgramObject {
  /// The ELF object with all programs.
  static var bytes: [UInt8] {
    digits.withUTF8Buffer { text in
      (0..<text.count / 2).map { place in
        unsafe value(of: text[2 * place]) << 4 | value(of: text[2 * place + 1])
      }
    }
  }

  private static func value(of digit: UInt8) -> UInt8 {
    digit < UInt8(ascii: "a") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10
  }
}
