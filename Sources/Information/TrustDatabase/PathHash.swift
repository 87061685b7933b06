// Owns the keyed hash by which the index knows paths: SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012).
// It must not be used for contents: those have their SHA-256.

/// Paths are chosen by whoever may make files, so the hash has a key that nobody outside can guess: no two paths can be
/// made to meet, neither to slow a look-up nor to borrow another path's trust. 128 bits leave nothing to chance;
/// SHA-256 would do as well at ten times the cost.
struct PathHash: Sendable {
  struct Value: Hashable, Sendable {
    var low: UInt64
    var high: UInt64
  }

  private let key: (low: UInt64, high: UInt64)

  /// With a key of the kernel's random numbers (getrandom(2)).
  init() {
    var random = SystemRandomNumberGenerator()
    key = (random.next(), random.next())
  }

  init(key low: UInt64, _ high: UInt64) { key = (low, high) }

  func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> Value {
    var state = State(key.low, key.high)
    let whole = bytes.count / 8 * 8
    var offset = 0
    while offset < whole {
      state.compress(unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    // The rest, and the length in the highest byte.
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    while offset < bytes.count {
      last |= unsafe UInt64(bytes[offset]) << UInt64((offset - whole) * 8)
      offset += 1
    }
    state.compress(last)
    return state.finish()
  }

  private struct State {
    private var a: UInt64
    private var b: UInt64
    private var c: UInt64
    private var d: UInt64

    init(_ low: UInt64, _ high: UInt64) {
      a = low ^ 0x736f_6d65_7073_6575
      b = high ^ 0x646f_7261_6e64_6f6d ^ 0xee
      c = low ^ 0x6c79_6765_6e65_7261
      d = high ^ 0x7465_6462_7974_6573
    }

    mutating func compress(_ word: UInt64) {
      d ^= word
      round()
      round()
      a ^= word
    }

    mutating func finish() -> Value {
      c ^= 0xee
      for _ in 0..<4 { round() }
      let low = a ^ b ^ c ^ d
      b ^= 0xdd
      for _ in 0..<4 { round() }
      return Value(low: low, high: a ^ b ^ c ^ d)
    }

    private mutating func round() {
      a &+= b
      c &+= d
      b = Self.rotate(b, 13) ^ a
      d = Self.rotate(d, 16) ^ c
      a = Self.rotate(a, 32)
      c &+= b
      a &+= d
      b = Self.rotate(b, 17) ^ c
      d = Self.rotate(d, 21) ^ a
      c = Self.rotate(c, 32)
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
  }
}
