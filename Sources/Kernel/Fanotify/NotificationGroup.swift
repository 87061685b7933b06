// Owns a fanotify group that only tells: which files were changed, by their handles (fanotify(7), FAN_REPORT_FID).
// It must not be the group of permission events, whose full queue would allow silently.

internal import CFanotify
public import SystemCalls

/// What a group tells of a file.
public struct FileEvents: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// FAN_MODIFY: written or cut, but by stores into a mapping.
  public static let modify = FileEvents(rawValue: 1)
  /// FAN_CLOSE_WRITE: the last descriptor or mapping that could write is gone.
  public static let closeWrite = FileEvents(rawValue: 2)
  /// FAN_ATTRIB: owner, mode, times, extended attributes, count of links.
  public static let attributes = FileEvents(rawValue: 4)
  /// FAN_MOVE_SELF: renamed; not by a rename of a folder above.
  public static let moved = FileEvents(rawValue: 8)
  /// FAN_DELETE_SELF: the last name and the last user are gone.
  public static let deleted = FileEvents(rawValue: 16)
  /// FAN_ONDIR: of folders too.
  public static let ofFolder = FileEvents(rawValue: 32)

  var mask: UInt64 {
    let bits: [(FileEvents, UInt64)] = [
      (.modify, lil_fan_modify), (.closeWrite, lil_fan_close_write), (.attributes, lil_fan_attrib),
      (.moved, lil_fan_move_self), (.deleted, lil_fan_delete_self), (.ofFolder, lil_fan_ondir),
    ]
    return bits.reduce(0) { contains($1.0) ? $0 | $1.1 : $0 }
  }
}

/// A group of class FAN_CLASS_NOTIF. Thread-safe. Its queue is bounded (fs.fanotify.max_queued_events), so that whoever
/// changes watched files again and again cannot fill the memory: a full queue ends in an overflow event.
public final class NotificationGroup: Sendable {
  private let group: Descriptor

  /// EINVAL before Linux 5.1.
  public init() throws(Errno) {
    let flags = lil_fan_class_notif | lil_fan_report_fid | lil_fan_unlimited_marks | lil_fan_nonblock
    group = Descriptor(owning: try shimCall { lil_fanotify_init(flags, 0) })
  }

  /// Readable (poll(2)) while there are events.
  public var descriptor: Int32 { group.rawValue }

  /// Watches an open file. An evictable mark goes with the inode when the kernel needs memory; one that is not keeps
  /// the inode in memory (about 1 KB). EXDEV, ENODEV, EOPNOTSUPP: the file system has no handles to report.
  public func watch(_ descriptor: Int32, _ events: FileEvents, evictable: Bool) throws(Errno) {
    let number = group.rawValue
    let mask = events.mask
    _ = try shimCall { lil_fanotify_mark(number, Self.adding(evictable), mask, descriptor, nil) }
  }

  /// The same for a path, as that of a descriptor in /proc that only names the file (open(2), O_PATH).
  public func watch(at path: String, _ events: FileEvents, evictable: Bool) throws(Errno) {
    let number = group.rawValue
    let mask = events.mask
    _ = try shimCall { unsafe lil_fanotify_mark(number, Self.adding(evictable), mask, lil_at_cwd, path) }
  }

  /// Ends a watch. ENOENT where there is none.
  public func stopWatching(at path: String, _ events: FileEvents) throws(Errno) {
    let number = group.rawValue
    let mask = events.mask
    _ = try shimCall { unsafe lil_fanotify_mark(number, lil_fan_mark_remove, mask, lil_at_cwd, path) }
  }

  /// Ends every watch; events in the queue stay.
  public func stopWatchingAll() throws(Errno) {
    let number = group.rawValue
    _ = try shimCall { unsafe lil_fanotify_mark(number, lil_fan_mark_flush, 0, lil_at_cwd, "/") }
  }

  /// Hands over what is in the queue, at most a buffer full; false where there was nothing. EBADMSG where the kernel
  /// wrote what no kernel should: nothing is known then of any file.
  public func readEvents(_ body: (FileEvent) -> Void) throws(Errno) -> Bool {
    try unsafe withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 8) { buffer throws(Errno) in
      let number = group.rawValue
      var count = 0
      do throws(Errno) {
        count = Int(try shimCall { unsafe lil_fanotify_read(number, buffer.baseAddress, buffer.count) })
      } catch {
        guard error == .again else { throw error }
        return false
      }
      var rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
      while unsafe !rest.isEmpty {
        do throws(EventBufferError) {
          let (event, length) = try unsafe EventBuffer.firstFile(in: rest)
          body(event)
          unsafe rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        } catch {
          throw Errno.badMessage
        }
      }
      return count > 0
    }
  }

  private static func adding(_ evictable: Bool) -> UInt32 {
    lil_fan_mark_add | (evictable ? lil_fan_mark_evictable : 0)
  }
}
