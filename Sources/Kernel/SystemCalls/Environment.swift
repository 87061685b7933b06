// Owns reading what the process was started with: environment and working folder.
// It must not change it.

internal import Glibc

extension ProcessSetup {
  /// getenv(3).
  public static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// getcwd(3); `/` where it cannot be told.
  public static var currentDirectory: String {
    var buffer = [CChar](repeating: 0, count: 4096)
    guard unsafe getcwd(&buffer, buffer.count) != nil else { return "/" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
