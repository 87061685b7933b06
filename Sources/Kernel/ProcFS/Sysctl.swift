// Owns reading and writing one whole-number sysctl below /proc/sys (proc(5)).
// It must not know what any of them means.

internal import Glibc
public import SystemCalls

/// A sysctl whose value is one whole number.
public struct Sysctl: Sendable {
  private let path: String

  /// `name` as sysctl(8) writes it, with dots between its parts.
  public init(_ name: String, below folder: String = "/proc/sys") {
    path = "\(folder)/" + name.split(separator: ".").joined(separator: "/")
  }

  /// ENOENT where this kernel has no such sysctl; EBADMSG where it is no whole number.
  public func read() throws(Errno) -> Int {
    let bytes = try Descriptor.open(path, O_RDONLY).readAll(limit: 64)
    let text = String(decoding: bytes, as: UTF8.self)
    guard let value = Int(text.prefix { $0 != "\n" }) else { throw .badMessage }
    return value
  }

  /// EPERM where the kernel refuses the value, or this process; EACCES and EROFS where it may not be opened.
  public func write(_ value: Int) throws(Errno) {
    try Descriptor.open(path, O_WRONLY).writeAll(Array("\(value)\n".utf8))
  }

  /// Whether it could be opened for writing; the value may be refused all the same.
  public func checkWritable() throws(Errno) {
    _ = try Descriptor.open(path, O_WRONLY).rawValue
  }
}
