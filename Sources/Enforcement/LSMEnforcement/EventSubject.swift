// Owns what every event says about its caller and its time, whatever it is about.
// It must not look at a process: ProcessSight does.

internal import AccessModel
internal import CBPFLSM
internal import SystemCalls

extension lil_event {
  /// Nanoseconds since the epoch: as long ago as the call is; the clock may have been set since.
  var decidedAt: Int64 { Clock.realtime() - max(0, Clock.sinceBoot() - Int64(clamping: time)) }

  /// In clock ticks since boot, as /proc/PID/stat shows it; nil where the program could not learn it.
  var startTicks: UInt64? { Self.ticks(start) }
  var targetStartTicks: UInt64? { Self.ticks(target_start) }

  private static func ticks(_ nanoseconds: UInt64) -> UInt64? {
    nanoseconds == 0 ? nil : nanoseconds / UInt64(1_000_000_000 / Clock.ticksPerSecond)
  }

  /// Fills in what the kernel told of the caller.
  func describeSubject(in sheet: Facts) {
    // Taken in the call itself, of the very task that made it.
    sheet.subject.identity = .certain
    if let parent = facts[LIL_PPID].flatMap(Int32.init(exactly:)), let uid = facts.id(LIL_UID),
      let euid = facts.id(LIL_EUID), let gid = facts.id(LIL_GID), let egid = facts.id(LIL_EGID)
    {
      sheet.subject.parent = parent
      (sheet.subject.uid, sheet.subject.euid) = (uid, euid)
      (sheet.subject.gid, sheet.subject.egid) = (gid, egid)
      sheet.subject.comm = callerName
      sheet.markPresent(.subjectStatus)
    }
    if let auditUID = facts.id(LIL_AUID), let session = facts.id(LIL_SESSION) {
      (sheet.subject.auditUID, sheet.subject.auditSession) = (auditUID, session)
      sheet.markPresent(.subjectLogin)
    }
    if let effective = facts[LIL_EFFECTIVE], let permitted = facts[LIL_PERMITTED] {
      sheet.subject.effectiveCapabilities = CapabilitySet(bits: effective)
      sheet.subject.permittedCapabilities = CapabilitySet(bits: permitted)
      // The kernel's program does not count them, and no record shows them.
      sheet.subject.groups = []
      sheet.markPresent(.subjectCapabilities)
    }
    if let user = facts.flag(LIL_USERNS_INITIAL), let mount = facts.flag(LIL_MNTNS_INITIAL) {
      (sheet.subject.userNamespaceInitial, sheet.subject.mountNamespaceInitial) = (user, mount)
      sheet.markPresent(.subjectNamespaces)
    }
    if let start = startTicks {
      sheet.subject.startTime = start
      sheet.subject.terminal = []
      sheet.markPresent(.subjectStat)
    }
  }
}
