// Owns the way out of a bad policy at boot: lilium.mode= on the kernel command line (kernel-command-line(7)).
// It must not override anything else.

import AccessModel
import SystemCalls

enum KernelCommandLine {
  /// The mode that every mechanism that is not off is set to, or nil. `enforce` cannot be asked for in this way.
  static func mode() -> Mode? {
    guard let text = try? Descriptor.open("/proc/cmdline", 0).readAll(limit: 65536) else { return nil }
    return mode(in: String(decoding: text, as: UTF8.self))
  }

  static func mode(in line: String) -> Mode? {
    let words = line.split { $0 == " " || $0 == "\n" }
    guard let word = words.last(where: { $0.hasPrefix("lilium.mode=") }) else { return nil }
    let name = word.dropFirst("lilium.mode=".count)
    guard let mode = Mode(name: name), mode != .enforce else {
      Console.error("liliumd: warning: \(word) on the kernel command line is neither audit nor off: ignored\n")
      return nil
    }
    return mode
  }
}
