// Owns a compiled RE2 pattern. RE2 is what CEL's `matches` means, and its time is linear in the text.
// It must not log, and knows nothing of rules.

internal import CRegularExpression

/// Why RE2 refuses a pattern, in RE2's own words.
public struct RegularExpressionError: Error, Sendable, Hashable {
  public let reason: String
}

/// A compiled pattern; several threads may use it at once. Safe: the handle is its own and never leaves it.
@safe public final class RegularExpression: Sendable {
  /// Freed in `deinit` and never changed in between, so it may cross threads.
  private nonisolated(unsafe) let handle: OpaquePointer

  /// Compiles a pattern in RE2's syntax (https://github.com/google/re2/wiki/Syntax), UTF-8.
  public init(_ pattern: [UInt8]) throws(RegularExpressionError) {
    var reason = [CChar](repeating: 0, count: 256)
    // Both buffers outlive the call, which keeps neither.
    let compiled = unsafe pattern.withUnsafeBytes { bytes in
      unsafe reason.withUnsafeMutableBufferPointer { text in
        unsafe lilium_regex_compile(
          bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, text.baseAddress, text.count)
      }
    }
    guard let compiled = unsafe compiled else {
      let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw RegularExpressionError(reason: String(decoding: text, as: UTF8.self))
    }
    unsafe handle = compiled
  }

  /// Whether the pattern matches some part of the text.
  public func matches(_ text: [UInt8]) -> Bool { matches(text.span) }

  /// Whether the pattern matches some part of the text. Allocates nothing once the pattern's caches are warm.
  public func matches(_ text: Span<UInt8>) -> Bool {
    // The bytes are borrowed for the call.
    unsafe text.withUnsafeBytes { bytes in
      unsafe lilium_regex_search(handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
  }

  deinit { unsafe lilium_regex_free(handle) }
}
