// Owns what is looked up for an event after the call: paths of what the kernel told by number.
// It must not believe a process or file that is not proven to be the one of the event, nor wait for a file server.

internal import AccessModel
internal import CBPFLSM
internal import Glibc
internal import ProcFS
internal import SystemCalls

/// A path, and whether the daemon's own file tree has this very file there.
struct SeenPath: Equatable {
  var path: [UInt8]
  var isVerified: Bool
}

/// What is asked of the host for an event. Tests have one of their own.
protocol EventSurroundings {
  /// The program that a process runs, which began at `start` (clock ticks since boot); nil where it is gone, or runs
  /// another file.
  func program(of pid: Int32, startedAt start: UInt64, _ file: FileIdentity) -> SeenPath?
  /// The file that a process holds open under a number; nil where it is not that file.
  func openFile(_ descriptor: Int32, of pid: Int32, startedAt start: UInt64, _ file: FileIdentity) -> SeenPath?
  /// The path of a control group of the cgroup2 hierarchy by its number; nil where it is gone.
  func controlGroup(_ id: UInt64) -> [UInt8]?
}

extension EventSurroundings {
  /// Finds the path of the caller's program, and its control group.
  func lookUpSubject(of event: lil_event, pid: Int32, _ facts: Facts) {
    let told = event.facts
    if let start = event.startTicks, let file = told.file(LIL_EXE_DEV, LIL_EXE_INO),
      let program = program(of: pid, startedAt: start, file)
    {
      facts.subject.executable = program.path
      // In a user namespace of its own a process may name any program as the one that it runs (prctl(2),
      // PR_SET_MM_MAP).
      facts.subject.executableVerified = program.isVerified && told.flag(LIL_USERNS_INITIAL) == true
      facts.subject.executableIdentity = file
      facts.markPresent(.subjectExecutable)
    }
    if let id = told[LIL_CGROUP], let path = controlGroup(id) {
      facts.subject.controlGroup = path
      facts.subject.unit = unsafe path.withUnsafeBytes { unsafe Array(ControlGroup.unit(in: $0)) }
      facts.markPresent(.subjectControlGroup)
    }
  }
}

/// The host's own /proc and control groups.
final class ProcessSight: EventSurroundings {
  private let controlGroups = ControlGroupNames()

  func program(of pid: Int32, startedAt start: UInt64, _ file: FileIdentity) -> SeenPath? {
    look(at: "/proc/\(pid)/exe", of: pid, startedAt: start, file)
  }

  func openFile(_ descriptor: Int32, of pid: Int32, startedAt start: UInt64, _ file: FileIdentity) -> SeenPath? {
    descriptor < 0 ? nil : look(at: "/proc/\(pid)/fd/\(descriptor)", of: pid, startedAt: start, file)
  }

  func controlGroup(_ id: UInt64) -> [UInt8]? { controlGroups.path(of: id) }

  /// What the link of a process leads to; the process and the file are the same before and after the text was read.
  private func look(at link: String, of pid: Int32, startedAt start: UInt64, _ file: FileIdentity) -> SeenPath? {
    guard began(pid, at: start), let before = try? FileStatus.of(path: PathBytes(link)), before.isFile(file),
      let path = try? readLink(link), let after = try? FileStatus.of(path: PathBytes(link)),
      after.isSameFile(as: before),
      began(pid, at: start)
    else { return nil }
    return SeenPath(path: path, isVerified: names(path, before))
  }

  private func began(_ pid: Int32, at start: UInt64) -> Bool {
    var buffer = InlineArray<1024, UInt8>(repeating: 0)
    var span = buffer.mutableSpan
    return unsafe span.withUnsafeMutableBytes { bytes in
      guard let count = try? unsafe ProcessFile.stat.read(pid: pid, into: bytes) else { return false }
      return unsafe ProcessStat(UnsafeRawBufferPointer(rebasing: bytes[..<count]))?.startTime == start
    }
  }

  /// Whether the path leads to the file here, as far as the kernel has it in memory: nobody takes this thread's place
  /// while it waits.
  private func names(_ path: [UInt8], _ status: FileStatus) -> Bool {
    let found = try? unsafe PathBytes(path).withPointer { name throws(Errno) in
      let file = try unsafe Descriptor.nameCached(name)
      return try FileStatus.of(descriptor: file.rawValue)
    }
    return found?.isSameFile(as: status) ?? false
  }
}

extension FileStatus {
  fileprivate func isFile(_ file: FileIdentity) -> Bool {
    inode == file.inode && deviceMajor == file.device.major && deviceMinor == file.device.minor
  }
}

/// Names of control groups by number. No number is given to another one, and none of them is renamed.
private final class ControlGroupNames {
  /// Type of a kernfs handle, whose bytes are the number (include/linux/exportfs.h, FILEID_KERNFS).
  private static let handleType: Int32 = 0xfe
  private static let most = 4096
  private var known: [UInt64: [UInt8]] = [:]

  func path(of id: UInt64) -> [UInt8]? {
    if let known = known[id] { return known }
    // Systemd's mixed set-up has the hierarchy in a folder of its own.
    for mount in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
      guard let path = Self.find(id, below: mount) else { continue }
      if known.count >= Self.most { known.removeAll(keepingCapacity: true) }
      known[id] = path
      return path
    }
    return nil
  }

  private static func find(_ id: UInt64, below mount: String) -> [UInt8]? {
    do throws(Errno) {
      let folder = try Descriptor.open(mount, O_RDONLY | O_DIRECTORY)
      var handle = try unsafe withUnsafeBytes(of: id) { bytes throws(Errno) in
        try unsafe FileHandle(type: handleType, bytes: bytes)
      }
      let found = try handle.openPath(mount: folder.rawValue)
      let path = try readLink("/proc/self/fd/\(found.rawValue)")
      guard path.starts(with: mount.utf8) else { return nil }
      return path.count == mount.utf8.count ? [UInt8(ascii: "/")] : Array(path.dropFirst(mount.utf8.count))
    } catch {
      return nil
    }
  }
}
