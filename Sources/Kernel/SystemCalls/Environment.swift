// Owns reading what the process was started with: environment and working folder.
// It must not change it, but for what was meant for one process alone.

internal import Glibc

extension ProcessSetup {
  /// getenv(3).
  public static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// The whole environment, as NAME=VALUE (environ(7)).
  public static var wholeEnvironment: [String] {
    var texts: [String] = []
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      unsafe texts.append(String(cString: text))
      unsafe entry += 1
    }
    return texts
  }

  /// unsetenv(3). Before the first thread starts.
  public static func removeFromEnvironment(_ name: String) { unsafe unsetenv(name) }

  /// The program that runs, as it was named when it was started (proc(5), /proc/self/exe). Ask before it is replaced.
  public static func ownProgram() throws(Errno) -> String {
    String(decoding: try readLink("/proc/self/exe"), as: UTF8.self)
  }

  /// getcwd(3); `/` where it cannot be told.
  public static var currentDirectory: String {
    var buffer = [CChar](repeating: 0, count: 4096)
    guard unsafe getcwd(&buffer, buffer.count) != nil else { return "/" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
