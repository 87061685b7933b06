// Owns which processes may open files without being asked about: those that read files in order to vouch for them.
// It must not let them execute anything, nor take another process or another program for one of them.

internal import ProcFS
internal import Synchronization
internal import SystemCalls

/// Whoever vouches for code that is not trusted yet must be able to read it. A process is held by its pidfd, and the
/// program that it runs is remembered: its exemption ends with either. Thread-safe.
public final class UnaskedReaders: Sendable {
  private struct Readers: ~Copyable {
    var processes: [Int32: Reader] = [:]
  }

  /// So many at once, ended ones aside: more than anybody runs by hand.
  public static let most = 64
  private let readers = Mutex(Readers())
  /// Spares everybody else the lock.
  private let count = Atomic<Int>(0)

  public init() {}

  /// Admits the process until it ends or executes anything. False where there are too many, where it has ended, and
  /// where it does not hold CAP_SYS_ADMIN over the host: its number may be another's by now.
  public func admit(pid: Int32) -> Bool {
    readers.withLock { readers in
      for (other, process) in readers.processes where !process.handle.isAlive { readers.processes[other] = nil }
      if readers.processes.count < Self.most || readers.processes[pid] != nil {
        readers.processes[pid] = Reader(pid: pid)
      }
      count.store(readers.processes.count, ordering: .releasing)
      return readers.processes[pid] != nil
    }
  }

  /// Those that are admitted and live.
  public var processes: [Int32] {
    readers.withLock { readers in readers.processes.filter { $0.value.handle.isAlive }.map(\.key).sorted() }
  }

  /// Keeps none but these.
  public func keep(only pids: Set<Int32>) {
    readers.withLock { readers in
      for pid in readers.processes.keys where !pids.contains(pid) { Self.drop(pid, &readers, count) }
    }
  }

  /// Whether this process, which waits for an answer now, is one of them and still runs the program that was admitted.
  func contains(pid: Int32) -> Bool {
    guard count.load(ordering: .acquiring) > 0 else { return false }
    return readers.withLock { readers in
      guard let process = readers.processes[pid] else { return false }
      if process.isUnchanged { return true }
      Self.drop(pid, &readers, count)
      return false
    }
  }

  /// The process executes something: what it becomes was not admitted, even where it is the same program.
  func drop(pid: Int32) {
    guard count.load(ordering: .acquiring) > 0 else { return }
    readers.withLock { readers in Self.drop(pid, &readers, count) }
  }

  private static func drop(_ pid: Int32, _ readers: inout Readers, _ count: borrowing Atomic<Int>) {
    readers.processes[pid] = nil
    count.store(readers.processes.count, ordering: .releasing)
  }
}

/// One process, and the program that it ran when it was admitted.
private final class Reader: Sendable {
  let handle: ProcessHandle
  private let pid: Int32
  private let program: FileStatus

  init?(pid: Int32) {
    guard let handle = try? ProcessHandle(pid: pid), let program = try? ProcessFile.exe.status(pid: pid),
      HostAdministrator.holds(handle, pid: pid)
    else { return nil }
    self.pid = pid
    self.program = program
    self.handle = handle
  }

  /// The number is the process's own as long as it lives, so that is looked at last.
  var isUnchanged: Bool {
    guard let now = try? ProcessFile.exe.status(pid: pid), now.isSameFile(as: program) else { return false }
    return handle.isAlive
  }
}
