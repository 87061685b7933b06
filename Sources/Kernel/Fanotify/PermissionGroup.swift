// Owns a fanotify group for permission events: its descriptor, its marks, its questions and answers (fanotify(7)).
// It must not decide, and it must not remember which questions are open: the kernel does.

internal import CFanotify
internal import Synchronization
public import SystemCalls

/// What a group is asked to watch.
public struct PermissionEvents: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// FAN_OPEN_PERM
  public static let open = PermissionEvents(rawValue: 1)
  /// FAN_OPEN_EXEC_PERM
  public static let execute = PermissionEvents(rawValue: 2)

  var mask: UInt64 {
    (contains(.open) ? lil_fan_open_perm : 0) | (contains(.execute) ? lil_fan_open_exec_perm : 0)
  }
}

/// A group of class FAN_CLASS_CONTENT with an unlimited queue. Thread-safe. When the last owner goes, the kernel allows
/// whatever is pending and takes the marks away.
public final class PermissionGroup: Sendable {
  private let group: Descriptor
  /// Whether events carry a pidfd (FAN_REPORT_PIDFD).
  public let reportsPIDDescriptors: Bool

  /// The kernel may write answers to its audit trail.
  private let mayAudit: Bool
  private let audits = Atomic<Bool>(false)

  /// A full bounded queue would allow silently, so the queue is unlimited; marks are not counted against the user.
  /// Answers may be audited (FAN_ENABLE_AUDIT) where the process has CAP_AUDIT_WRITE.
  public init() throws(Errno) {
    let base = lil_fan_class_content | lil_fan_unlimited_queue | lil_fan_unlimited_marks
    var refusal = Errno.invalid
    for extra in [
      lil_fan_report_pidfd | lil_fan_enable_audit, lil_fan_report_pidfd, lil_fan_enable_audit, 0,
    ] {
      do throws(Errno) {
        group = Self.firstToGo(Descriptor(owning: try shimCall { lil_fanotify_init(base | extra, Self.eventFlags) }))
        reportsPIDDescriptors = extra & lil_fan_report_pidfd != 0
        mayAudit = extra & lil_fan_enable_audit != 0
        return
      } catch {
        // EPERM: no CAP_AUDIT_WRITE, or no right to permission events at all, which the last try tells.
        guard error == .invalid || error == .permission else { throw error }
        refusal = error
      }
    }
    throw refusal
  }

  /// A process that ends releases its files from the highest number to the lowest (kernel/task_work.c), and until it
  /// comes to this one every question waits. Detaching BPF programs takes the kernel tens of milliseconds each (2.9 s
  /// for those of the self-protection, measured on an emulated 6.1), so the group is numbered above all of them.
  /// Where RLIMIT_NOFILE is lower it stays where it is.
  private static func firstToGo(_ group: consuming Descriptor) -> Descriptor {
    do throws(Errno) { return try Descriptor.duplicate(group.rawValue, from: 4096) } catch { return group }
  }

  var number: Int32 { group.rawValue }

  /// Whether denials are written to the kernel's audit trail; without effect where the process may not.
  public var auditsDenials: Bool {
    get { audits.load(ordering: .relaxed) }
    set { audits.store(newValue && mayAudit, ordering: .relaxed) }
  }

  /// O_NOATIME: a decision leaves no trace on the file it reads. O_NONBLOCK: the kernel opens the file for the event
  /// within read(2), and would wait there for the holder of a write lease (fcntl(2), F_SETLEASE), 45 seconds a reader,
  /// where no deadline sees it. So it denies that open instead, tells the holder to give way, and throws EAGAIN.
  private static let eventFlags: UInt32 = 0o1000000 | 0o4000

  /// Reads one event; blocks while there is none. One, because each event that is read is an open descriptor, and
  /// because the next belongs to a thread that is free. An interrupting signal throws EINTR. EMFILE and ENFILE: the
  /// kernel has denied that event itself.
  public func nextEvent() throws(Errno) -> FanotifyEvent {
    // Room for one event with its pidfd record (32 bytes), not for two.
    try unsafe withUnsafeTemporaryAllocation(byteCount: 56, alignment: 8) { buffer throws(Errno) in
      let count = unsafe lil_fanotify_read(group.rawValue, buffer.baseAddress, buffer.count)
      guard count >= 0 else { throw Errno(Int32(-count)) }
      do throws(EventBufferError) {
        return try unsafe EventBuffer.first(in: UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)])).event
      } catch {
        throw Errno.badMessage
      }
    }
  }

  /// Answers the event that carries this open descriptor, before the descriptor is closed. ENOENT: nobody waits any more.
  public func answer(_ descriptor: Int32, allow: Bool) throws(Errno) {
    let number = group.rawValue
    _ = try shimCall { lil_fanotify_answer(number, descriptor, allow ? lil_fan_allow : lil_fan_deny) }
  }

  /// The same for a denial by the rule of this number; where denials are audited, the kernel writes a FANOTIFY record,
  /// with the number on kernels that take one (6.3).
  public func deny(_ descriptor: Int32, rule: UInt32) throws(Errno) {
    guard auditsDenials else { return try answer(descriptor, allow: false) }
    let number = group.rawValue
    do throws(Errno) {
      _ = try shimCall { lil_fanotify_answer_audited(number, descriptor, lil_fan_deny, rule) }
    } catch {
      guard error == .invalid else { throw error }
      _ = try shimCall { lil_fanotify_answer(number, descriptor, lil_fan_deny | lil_fan_audit) }
    }
  }

  /// Marks the whole superblock that holds what `path` names. Idempotent.
  public func markFileSystem(_ events: PermissionEvents, of path: String) throws(Errno) {
    try mark(lil_fan_mark_add | lil_fan_mark_filesystem, events.mask, path)
  }

  public func unmarkFileSystem(_ events: PermissionEvents, of path: String) throws(Errno) {
    try mark(lil_fan_mark_remove | lil_fan_mark_filesystem, events.mask, path)
  }

  /// Whether the superblock that holds what `path` names carries a mark of this group. A mark goes with its superblock,
  /// so this tells a new one from the one that had the same device number before.
  public func marksFileSystem(of path: String) throws(Errno) -> Bool {
    do throws(Errno) {
      // No mark has this event: to take it away changes nothing, and says ENOENT where there is no mark.
      try mark(lil_fan_mark_remove | lil_fan_mark_filesystem, lil_fan_access_perm, path)
      return true
    } catch .noEntry {
      return false
    }
  }

  /// Marks one file, or a folder and the files directly in it; a link stands for what it leads to.
  public func markInode(_ events: PermissionEvents, of path: PathBytes, children: Bool) throws(Errno) {
    let childMask = children ? lil_fan_event_on_child : 0
    try mark(lil_fan_mark_add, events.mask | childMask, path)
  }

  public func unmarkInode(_ events: PermissionEvents, of path: PathBytes, children: Bool) throws(Errno) {
    let childMask = children ? lil_fan_event_on_child : 0
    try mark(lil_fan_mark_remove, events.mask | childMask, path)
  }

  /// From now on nobody is asked about these events on this open file, by whatever path, until the kernel sees it
  /// written or drops it from memory (FAN_MARK_IGNORE, FAN_MARK_EVICTABLE; Linux 6.0). Adds nothing, without an error,
  /// while somebody holds the file open for writing. Stores through a shared mapping, changed attributes and new names
  /// do not end it. EEXIST where the file carries a mark of its own that is not evictable.
  public func ignore(_ events: PermissionEvents, _ descriptor: Int32) throws(Errno) {
    let flags = lil_fan_mark_add | lil_fan_mark_ignore | lil_fan_mark_evictable
    let number = group.rawValue
    _ = try shimCall { lil_fanotify_mark(number, flags, events.mask, descriptor, nil) }
  }

  /// Asks again. ENOENT where nothing is ignored.
  public func stopIgnoring(_ events: PermissionEvents, _ descriptor: Int32) throws(Errno) {
    let number = group.rawValue
    let flags = lil_fan_mark_remove | lil_fan_mark_ignore
    _ = try shimCall { lil_fanotify_mark(number, flags, events.mask, descriptor, nil) }
  }

  /// The same for a path, as that of a descriptor in /proc that only names the file (open(2), O_PATH).
  public func stopIgnoring(_ events: PermissionEvents, at path: String) throws(Errno) {
    try mark(lil_fan_mark_remove | lil_fan_mark_ignore, events.mask, path)
  }

  /// Takes every mark of a single file or folder away, ignored ones too; marks of whole file systems stay.
  public func forgetInodes() throws(Errno) { try mark(lil_fan_mark_flush, 0, "/") }

  /// Whether this kernel can ignore events on a file for as long as it stays as it is; tried once.
  public static let canIgnore: Bool = {
    guard let group = try? Descriptor(owning: shimCall { lil_fanotify_init(lil_fan_class_content, 0) }),
      let file = try? Descriptor(owning: shimCall { lil_private_file() })
    else { return false }
    let flags = lil_fan_mark_add | lil_fan_mark_ignore | lil_fan_mark_evictable
    let mask = lil_fan_open_perm | lil_fan_open_exec_perm
    let (number, path) = (group.rawValue, "/proc/self/fd/\(file.rawValue)")
    return (try? shimCall { unsafe lil_fanotify_mark(number, flags, mask, lil_at_cwd, path) }) != nil
  }()

  /// Takes every mark away; events in the queue stay.
  public func removeAllMarks() throws(Errno) {
    try mark(lil_fan_mark_flush | lil_fan_mark_filesystem, 0, "/")
    try forgetInodes()
  }

  /// Events that wait to be read. FIONREAD counts the metadata of each, not its information records.
  public func pendingEvents() throws(Errno) -> Int {
    let number = group.rawValue
    return Int(try shimCall { lil_fanotify_pending(number) }) / EventBuffer.metadataSize
  }

  /// From now on `nextEvent` throws EAGAIN where there is none: for the drain at shutdown.
  public func makeNonblocking() throws(Errno) { try SystemCalls.makeNonblocking(group.rawValue) }

  private func mark(_ flags: UInt32, _ mask: UInt64, _ path: String) throws(Errno) {
    try mark(flags, mask, PathBytes(path))
  }

  private func mark(_ flags: UInt32, _ mask: UInt64, _ path: PathBytes) throws(Errno) {
    let number = group.rawValue
    _ = try unsafe path.withPointer { pointer throws(Errno) in
      try shimCall { unsafe lil_fanotify_mark(number, flags, mask, lil_at_cwd, pointer) }
    }
  }
}
