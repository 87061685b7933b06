// Owns which processes may open files without being asked about: those that read files in order to vouch for them.
// It must not let them execute anything, nor take another process for one of them.

internal import Synchronization
internal import SystemCalls

/// Whoever vouches for code that is not trusted yet must be able to read it. A process is held by its pidfd, so that its
/// exemption ends with it. Thread-safe.
public final class UnaskedReaders: Sendable {
  private struct Readers: ~Copyable {
    var processes: [Int32: ProcessHandleBox] = [:]
  }

  /// So many at once, ended ones aside: more than anybody runs by hand.
  public static let most = 64
  private let readers = Mutex(Readers())
  /// Spares everybody else the lock.
  private let count = Atomic<Int>(0)

  public init() {}

  /// The caller knows that this process is alive and is the administrator's. False where there are too many, or it has
  /// ended.
  public func admit(pid: Int32) -> Bool {
    readers.withLock { readers in
      for (other, process) in readers.processes where !process.handle.isAlive { readers.processes[other] = nil }
      if readers.processes.count < Self.most, let handle = try? ProcessHandle(pid: pid) {
        readers.processes[pid] = ProcessHandleBox(handle)
      }
      count.store(readers.processes.count, ordering: .releasing)
      return readers.processes[pid] != nil
    }
  }

  /// Whether this process, which waits for an answer now, is one of them.
  func contains(pid: Int32) -> Bool {
    guard count.load(ordering: .acquiring) > 0 else { return false }
    return readers.withLock { readers in
      guard let process = readers.processes[pid] else { return false }
      if process.handle.isAlive { return true }
      readers.processes[pid] = nil
      count.store(readers.processes.count, ordering: .releasing)
      return false
    }
  }
}

/// A noncopyable handle in a dictionary.
private final class ProcessHandleBox: Sendable {
  let handle: ProcessHandle
  init(_ handle: consuming ProcessHandle) { self.handle = handle }
}
