// Owns the reading of /proc/PID/stat (proc_pid_stat(5)): start time, controlling terminal, kernel thread or not.
// It must not open the file.

public struct ProcessStat: Sendable, Hashable {
  /// Field 22, clock ticks since boot.
  public var startTime: UInt64
  /// Field 7, a device number as the kernel encodes it for user space (makedev(3)); 0 without a terminal.
  public var terminal: UInt32
  /// Field 9, PF_KTHREAD: a thread of the kernel itself, which no signal ends.
  public var isKernelThread: Bool

  /// Nil where the text is not what the kernel writes. The name in parentheses may hold anything, parentheses too, so
  /// the fields are counted from the last one.
  public init?(_ text: UnsafeRawBufferPointer) {
    guard let close = unsafe text.lastIndex(of: 0x29) else { return nil }
    var cursor = unsafe ByteCursor(UnsafeRawBufferPointer(rebasing: text[(close + 1)...]))
    var terminal: UInt32?
    var flags: UInt64 = 0
    for field in 3...22 {
      cursor.skipBlanks()
      if field == 7 {
        // The kernel shows the number as a signed one.
        let isNegative = cursor.take("-")
        guard let number = cursor.decimal() else { return nil }
        terminal = UInt32(truncatingIfNeeded: isNegative ? 0 &- number : number)
      } else if field == 9 {
        guard let number = cursor.decimal() else { return nil }
        flags = number
      } else if field == 22 {
        // A number that ends the text may have been cut.
        guard let start = cursor.decimal(), cursor.peek == 0x20, let terminal else { return nil }
        self.startTime = start
        self.terminal = terminal
        isKernelThread = flags & 0x0020_0000 != 0
        return
      } else if unsafe cursor.word().isEmpty {
        return nil
      }
    }
    return nil
  }

  /// Major and minor number of the terminal.
  public var terminalDevice: (major: UInt32, minor: UInt32) {
    ((terminal >> 8) & 0xfff, (terminal & 0xff) | ((terminal >> 12) & 0xfff00))
  }
}

/// A file that holds one decimal number, as loginuid and sessionid do.
public enum ProcessNumber {
  public static func read(_ text: UnsafeRawBufferPointer) -> UInt32? {
    var cursor = unsafe ByteCursor(text)
    guard let number = cursor.decimal() else { return nil }
    return UInt32(exactly: number)
  }
}
