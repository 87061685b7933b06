// Owns the canonical path of a file, as the trust database has it.
// It must not open a file for reading: naming it raises no permission event.

internal import Glibc
public import SystemCalls
internal import TrustSources

public enum RealPath {
  private static let pathOnly: Int32 = 0o10000000

  /// Absolute, from the working folder.
  public static func absolute(_ path: [UInt8]) -> [UInt8] {
    path.first == 0x2f ? path : PathBytes(ProcessSetup.currentDirectory).appending(path).bytes
  }

  /// All links followed, the last one as well (open(2), O_PATH; proc_pid_fd(5)).
  public static func of(_ path: [UInt8]) throws(Errno) -> [UInt8] {
    let file = try Descriptor.open(PathBytes(path), pathOnly)
    return try readLink("/proc/self/fd/\(file.rawValue)")
  }

  /// The same where something lies there; otherwise the links of the folders are followed as far as there are folders.
  public static func ofAny(_ path: [UInt8]) -> [UInt8] {
    if let found = try? of(path) { return found }
    let parts = path.split(separator: 0x2f).filter { !$0.elementsEqual([0x2e]) }
    let plain = parts.reduce(into: [UInt8]()) { $0 += [0x2f] + $1 }
    guard let resolver = try? FolderResolver(root: "/"), let place = resolver.place(of: plain) else { return path }
    return place
  }
}
