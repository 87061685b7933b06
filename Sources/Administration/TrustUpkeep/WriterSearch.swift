// Owns finding out who holds a file open for writing.
// It must not end anybody, nor hold anybody up for longer than a look.

internal import Glibc
internal import SystemCalls

/// A process that has a file open for writing.
public struct Writer: Sendable, Hashable {
  public let pid: Int32
  /// The name of its main thread, which it may have set itself.
  public let name: [UInt8]
}

enum WriterSearch {
  /// fcntl(2), F_SETLEASE: a read lease is refused where somebody can write, by descriptor or by shared mapping.
  private static let setLease: Int32 = 1024
  /// O_PATH: such a descriptor cannot be written to.
  private static let pathOnly: Int32 = 0o10000000

  /// Nil where it cannot be told: the file is another user's and this process may not take leases.
  static func isOpenForWriting(_ descriptor: Int32) -> Bool? {
    do throws(Errno) {
      _ = try systemCall { fcntl(descriptor, setLease, Int32(F_RDLCK)) }
      _ = fcntl(descriptor, setLease, Int32(F_UNLCK))
      return false
    } catch .again { return true } catch { return nil }
  }

  /// The processes that have it open for writing (proc_pid_fd(5), proc_pid_fdinfo(5)); mappings whose descriptor is
  /// closed do not show here.
  static func writers(of file: FileStatus) -> [Writer] {
    FolderWalk.names(in: PathBytes("/proc")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }.sorted()
      .filter { hasWriter($0, file) }.map { pid in
        Writer(pid: pid, name: Array(readText("/proc/\(pid)/comm").prefix { $0 != 0x0a }))
      }
  }

  private static func hasWriter(_ pid: Int32, _ file: FileStatus) -> Bool {
    FolderWalk.names(in: PathBytes("/proc/\(pid)/fd")).contains { name in
      let number = String(decoding: name, as: UTF8.self)
      guard let status = try? FileStatus.of(path: "/proc/\(pid)/fd/\(number)"), status.isSameFile(as: file) else {
        return false
      }
      let info = String(decoding: readText("/proc/\(pid)/fdinfo/\(number)"), as: UTF8.self)
      let flags = info.split(separator: "\n").first { $0.hasPrefix("flags:") }?.split(whereSeparator: \.isWhitespace)
        .last
      return flags.flatMap { Int32($0, radix: 8) }.map { $0 & O_ACCMODE != O_RDONLY && $0 & pathOnly == 0 } ?? false
    }
  }
}
