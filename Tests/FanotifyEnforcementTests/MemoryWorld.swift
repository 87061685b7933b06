// Owns a memory of allows with its thread, a group that asks nobody, files of root's, and a witness of what is told.
// It must not test anything.

import AccessModel
import Fanotify
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import FanotifyEnforcement

/// Counts who is told.
final class Witness: ContentMemory {
  let told = Mutex<[FileIdentity?]>([])
  func forget(_ file: FileIdentity?) { told.withLock { $0.append(file) } }
  var files: [FileIdentity?] { told.withLock { $0 } }
}

/// One after the other: a mount of one test would make the memories of all others forget.
@Suite(.serialized, .enabled(if: ProcessSetup.effectiveUserID == 0)) enum MemoryTests {}

class MemoryWorld {
  let folder = Tree()
  let memory: RememberedAllows
  let group: PermissionGroup
  let witness = Witness()
  let thread: Thread

  init() throws {
    memory = try RememberedAllows()
    try #require(memory.isAvailable)
    group = try PermissionGroup()
    memory.inform(witness)
    thread = try memory.start()
    memory.use(group)
  }

  deinit {
    memory.stop()
    thread.join()
  }

  func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  /// A file of root's that lies long enough.
  func make(_ name: String, mode: UInt32 = 0o755) throws -> String {
    try folder.file(name)
    try #require(chmod(path(name), mode) == 0)
    wait()
    return path(name)
  }

  func wait() { Clock.sleep(nanoseconds: 80_000_000) }

  func open(_ path: String) throws -> Descriptor { try Descriptor.open(path, O_RDONLY) }

  /// The facts of a request that has just been read.
  func facts(_ path: String, _ descriptor: Int32, withPath: Bool = true, rights: Bool = false) throws -> Facts {
    let facts = Facts()
    facts.begin(pid: 1, operation: .open, objectHandle: descriptor)
    let status = try FileStatus.of(descriptor: descriptor)
    facts.object.identity = FileIdentity(status)
    facts.object.size = status.size
    facts.object.changeTime = status.changeTime
    facts.markPresent(.objectStatus)
    if withPath {
      facts.object.path = Array(path.utf8)
      facts.object.pathVerified = true
      facts.markPresent(.objectPath)
    }
    if rights { facts.markPresent(.objectDirectory) }
    return facts
  }

  @discardableResult func remember(_ path: String, withPath: Bool = true, rights: Bool = false) throws -> Bool {
    let file = try open(path)
    return memory.remember(
      file.rawValue, try facts(path, file.rawValue, withPath: withPath, rights: rights),
      received: Clock.monotonic(), epoch: memory.epoch)
  }

  /// Whether the kernel ignores the file now; it does no longer afterwards.
  func takeMark(_ path: String) throws -> Bool {
    (try? group.stopIgnoring([.open, .execute], at: path)) != nil
  }

  /// Waits up to two seconds.
  func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<400 {
      if condition() { return true }
      Clock.sleep(nanoseconds: 5_000_000)
    }
    return condition()
  }
}
