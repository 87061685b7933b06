// Owns the question what this kernel's fanotify can do, answered by trying each flag.
// It must not derive anything from a version number, and it must not mark a file system that others use.

internal import CFanotify
internal import SystemCalls

/// One thing that was tried.
public struct FanotifyFeature: Sendable, Hashable {
  public let name: String
  public let available: Bool
  /// Why it is not available, or what it is for.
  public let detail: String
}

public enum FanotifyProbe {
  /// Tries each flag that Lilium uses, or may use, on groups of its own without a mark.
  public static func run() -> [FanotifyFeature] {
    let content = lil_fan_class_content
    return [
      group("permission events (FAN_CLASS_CONTENT)", content, "needed by exec and open"),
      group(
        "unlimited queue (FAN_UNLIMITED_QUEUE)", content | lil_fan_unlimited_queue, "a full queue would allow silently"),
      group(
        "unlimited marks (FAN_UNLIMITED_MARKS)", content | lil_fan_unlimited_marks, "open rules may mark many files"),
      group("process descriptors (FAN_REPORT_PIDFD)", content | lil_fan_report_pidfd, "tells a reused pid"),
      group(
        "answers in the audit trail (FAN_ENABLE_AUDIT)", content | lil_fan_enable_audit, "denials are not written there"
      ),
      group(
        "error numbers in events (FAN_REPORT_FD_ERROR)", content | lil_fan_report_fd_error | lil_fan_report_pidfd,
        "not used by this version"),
      mark("open events (FAN_OPEN_PERM)", lil_fan_open_perm, 0, "needed by exec and open"),
      mark("exec events (FAN_OPEN_EXEC_PERM)", lil_fan_open_exec_perm, 0, "needed by exec"),
      mark(
        "evictable ignore marks (FAN_MARK_IGNORE, FAN_MARK_EVICTABLE)", lil_fan_open_perm,
        lil_fan_mark_ignore | lil_fan_mark_evictable, "lets the kernel remember an allow"),
      group(
        "file handles in events (FAN_REPORT_FID)", lil_fan_class_notif | lil_fan_report_fid,
        "tells when a remembered file changes"),
    ]
  }

  private static func group(_ name: String, _ flags: UInt32, _ purpose: String) -> FanotifyFeature {
    do {
      _ = Descriptor(owning: try shimCall { lil_fanotify_init(flags, 0) })
      return FanotifyFeature(name: name, available: true, detail: purpose)
    } catch {
      return FanotifyFeature(name: name, available: false, detail: "\(purpose); fanotify_init: \(error)")
    }
  }

  /// Tries an inode mark on a file that nobody else can open; the group goes at once.
  private static func mark(_ name: String, _ mask: UInt64, _ flags: UInt32, _ purpose: String) -> FanotifyFeature {
    do {
      let group = Descriptor(owning: try shimCall { lil_fanotify_init(lil_fan_class_content, 0) })
      let file = Descriptor(owning: try shimCall { lil_private_file() })
      let number = group.rawValue
      let path = "/proc/self/fd/\(file.rawValue)"
      _ = try shimCall { unsafe lil_fanotify_mark(number, lil_fan_mark_add | flags, mask, lil_at_cwd, path) }
      return FanotifyFeature(name: name, available: true, detail: purpose)
    } catch {
      return FanotifyFeature(name: name, available: false, detail: "\(purpose); fanotify_mark: \(error)")
    }
  }
}
