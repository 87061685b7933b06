// Owns what a record says of a subject, in fields and in words, from the facts that hold.
// It must not say what the subject did.

internal import AccessModel

/// A subject, and which of its facts hold.
struct SeenSubject {
  let subject: SubjectFacts
  let present: FactSet

  var fields: FieldGroup {
    var fields = FieldGroup()
    fields.add("pid", subject.pid)
    if present.contains(.subjectStatus) { fields.add("ppid", subject.parent) }
    if present.contains(.subjectStat) { fields.add("start", subject.startTime) }
    if present.contains(.subjectStatus) {
      fields.add("uid", subject.uid)
      fields.add("euid", subject.euid)
      fields.add("gid", subject.gid)
    }
    if present.contains(.subjectLogin) {
      // The kernel's way to say that nobody logged in (proc_pid_loginuid(5)).
      if subject.auditUID != .max { fields.add("auid", subject.auditUID) }
      if subject.auditSession != .max { fields.add("session", subject.auditSession) }
    }
    if present.contains(.subjectExecutable) { fields.add("exe", subject.executable) }
    if present.contains(.subjectStatus) { fields.add("comm", subject.comm) }
    if present.contains(.subjectCapabilities) {
      fields.add("capabilities", .texts(subject.effectiveCapabilities.members.map(\.name)))
    }
    if present.contains(.subjectNamespaces) {
      fields.add("userns_initial", subject.userNamespaceInitial)
      fields.add("mntns_initial", subject.mountNamespaceInitial)
    }
    if present.contains(.subjectControlGroup) {
      fields.add("cgroup", subject.controlGroup)
      if !subject.unit.isEmpty { fields.add("unit", subject.unit) }
    }
    if let identity { fields.add("identity", identity.name) }
    return fields
  }

  /// What the enforcement point found when it had read the facts; absent where it read none.
  private var identity: IdentityCertainty? { present.contains(.subjectStatus) ? subject.identity : nil }

  /// `bash[1234] uid 1000`. The program's own file name is shown rather than comm, which it may set freely.
  var words: String {
    var text = "[\(subject.pid)]"
    if present.contains(.subjectExecutable), !subject.executable.isEmpty {
      text = displayText(lastComponent(subject.executable)) + text
    } else if present.contains(.subjectStatus) {
      text = displayText(subject.comm) + text
    } else {
      text = "process" + text
    }
    return present.contains(.subjectStatus) ? "\(text) uid \(subject.uid)" : text
  }
}

extension TrailEntry {
  var seen: SeenSubject { SeenSubject(subject: subject, present: present) }
}

extension Tampering {
  var seen: SeenSubject { SeenSubject(subject: subject, present: present) }
}
