// Owns reading the environment that the process was started with.
// It must not change it.

internal import Glibc

extension ProcessSetup {
  /// getenv(3).
  public static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
