// Owns which process a package transaction belongs to, and whether it still lives.
// It must not know what the transaction does.

internal import Glibc
internal import SystemCalls

/// A process that cannot be mistaken for a later one of the same number: it has a start time, and the boot has an id.
public struct TransactionOwner: Sendable, Hashable {
  public let pid: Int32
  /// In clock ticks since boot.
  let start: UInt64
  /// Of /proc/sys/kernel/random/boot_id.
  let boot: String

  /// The process that has this number now; nil where there is none.
  public init?(pid: Int32) {
    guard let start = Self.startTime(of: pid) else { return nil }
    self.pid = pid
    self.start = start
    boot = Self.bootID
  }

  /// From `mark`; nil where it is none.
  init?(mark: [UInt8]) {
    let words = String(decoding: mark, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, let pid = Int32(words[0]), pid > 0, let start = UInt64(words[1]) else { return nil }
    self.pid = pid
    self.start = start
    boot = String(words[2])
  }

  /// For `ContentOrigin.mark`.
  var mark: [UInt8] { Array("\(pid) \(start) \(boot)".utf8) }

  var isAlive: Bool { boot == Self.bootID && Self.startTime(of: pid) == start }

  private static var bootID: String {
    String(decoding: readText("/proc/sys/kernel/random/boot_id").prefix { $0 != 0x0a }, as: UTF8.self)
  }

  /// The 22nd field of proc_pid_stat(5); the second one ends with the last parenthesis. Nil for a zombie, too.
  private static func startTime(of pid: Int32) -> UInt64? {
    let text = readText("/proc/\(pid)/stat")
    guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19, fields[0] != [UInt8(ascii: "Z")] else { return nil }
    return UInt64(String(decoding: fields[19], as: UTF8.self))
  }
}

/// A file of /proc; empty where it cannot be read.
func readText(_ path: String) -> [UInt8] {
  guard let file = try? Descriptor.open(path, O_RDONLY) else { return [] }
  return (try? file.readAll(limit: 4 << 20)) ?? []
}
