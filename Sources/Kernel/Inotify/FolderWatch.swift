// Owns an inotify(7) instance that tells when the names in some folders change.
// It must not say what changed: who is told looks again.

internal import Glibc
public import SystemCalls

/// Watches folders for names that come, go or move. Thread-safe: the kernel keeps the watches.
public final class FolderWatch: Sendable {
  private let instance: Descriptor

  public init() throws(Errno) {
    instance = Descriptor(owning: try systemCall { inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)) })
  }

  /// Readable (poll(2)) when something has changed.
  public var descriptor: Int32 { instance.rawValue }

  /// Watches a folder; again is no harm.
  public func add(_ folder: PathBytes) throws(Errno) {
    let mask =
      UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)
      | UInt32(IN_ONLYDIR)
    let number = instance.rawValue
    _ = try unsafe folder.withPointer { path throws(Errno) in
      try systemCall { unsafe inotify_add_watch(number, path, mask) }
    }
  }

  /// Throws away what has been told.
  public func clear() {
    var buffer = [UInt8](repeating: 0, count: 16384)
    while let count = try? unsafe buffer.withUnsafeMutableBytes({ try unsafe instance.read(into: $0) }), count > 0 {}
  }
}
