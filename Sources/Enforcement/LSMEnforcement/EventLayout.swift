// Owns reading the C structures that the kernel's programs write: facts by field, texts that end with NUL.
// It must not interpret a fact.

internal import CBPFLSM

extension lil_facts {
  /// Nil where the program could not learn it.
  subscript(_ field: lil_field) -> UInt64? {
    guard known & (1 << UInt64(field.rawValue)) != 0 else { return nil }
    return unsafe withUnsafeBytes(of: value) { values in
      unsafe values.load(fromByteOffset: Int(field.rawValue) * MemoryLayout<UInt64>.stride, as: UInt64.self)
    }
  }

  /// A user, group or session id, which the kernel keeps in 32 bits.
  func id(_ field: lil_field) -> UInt32? { self[field].map { UInt32(truncatingIfNeeded: $0) } }

  /// A process id; nil also for 0, which is no process's.
  func pid(_ field: lil_field) -> Int32? { self[field].flatMap(Int32.init(exactly:)).flatMap { $0 > 0 ? $0 : nil } }

  func flag(_ field: lil_field) -> Bool? { self[field].map { $0 != 0 } }

  /// A text of up to 15 bytes that lies in two words, the first byte lowest; nil where it is not known or empty.
  func text(_ low: lil_field, _ high: lil_field) -> [UInt8]? {
    guard let first = self[low], let second = self[high] else { return nil }
    let bytes = [first, second].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    let text = bytes.prefix { $0 != 0 }
    return text.isEmpty ? nil : Array(text)
  }
}

extension lil_event {
  /// The caller's name, which it may set freely.
  var callerName: [UInt8] { unsafe withUnsafeBytes(of: comm) { unsafe text($0) } }
  var targetName: [UInt8] { unsafe withUnsafeBytes(of: target_comm) { unsafe text($0) } }
  /// The module or the file system type that the call named; empty where it named none.
  var objectName: [UInt8] { unsafe withUnsafeBytes(of: name) { unsafe text($0) } }
  /// In their order.
  var allArguments: [UInt64] {
    unsafe withUnsafeBytes(of: arguments) { unsafe Array($0.bindMemory(to: UInt64.self)) }
  }
}

/// What stands before the first NUL.
private func text(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { unsafe Array(bytes.prefix { $0 != 0 }) }
