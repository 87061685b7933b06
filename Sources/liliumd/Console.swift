// Owns writing sentences to standard output and standard error.
// It must not be used for records: the trail has sinks.

import SystemCalls

enum Console {
  static func output(_ text: String) { write(text, to: 1) }
  static func error(_ text: String) { write(text, to: 2) }

  private static func write(_ text: String, to descriptor: Int32) {
    if text.isEmpty { return }
    try? Descriptor.duplicate(descriptor).writeAll(text.utf8)
  }
}
