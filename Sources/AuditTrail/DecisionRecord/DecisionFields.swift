// Owns which facts of a decision stand in its record, under which names and in which order (schema 1).
// It must not show a field whose group of facts was not fetched: absent means not known.

internal import AccessModel

extension FieldGroup {
  /// The part of a decision's record after the head.
  mutating func addDecision(_ entry: TrailEntry) {
    addVerdict(of: entry.decision, effect: entry.effect)
    add("containment_failure", ifKnown: entry.containmentFailure?.name)
    add("capability", ifKnown: entry.bearingCapability?.name)
    // Why facts are absent; `failure` itself is kept for the reason.
    add("facts_failure", ifKnown: entry.failure?.name)
    add("answer_us", entry.answerNanoseconds / 1000)
    add("subject", .group(entry.subjectFields))
    let object = entry.objectFields
    if !object.fields.isEmpty { add("object", .group(object)) }
    let target = entry.targetFields
    if !target.fields.isEmpty { add("target", .group(target)) }
    var operation = FieldGroup()
    operation.add("kind", entry.operation.name)
    operation.addCall(of: entry)
    add("operation", .group(operation))
  }

  /// What was decided and why; the `effect` of one decision is left out where many are summed up.
  mutating func addVerdict(of decision: Decision, effect: Effect?) {
    add("mechanism", decision.mechanism.name)
    add("mode", decision.mode.name)
    add("verdict", decision.verdict.name)
    add("effect", ifKnown: effect?.name)
    add("reason", decision.reason.name)
    add("rule", ifKnown: decision.reason.rule?.name)
    if case .failure(let failure) = decision.reason { add("failure", failure.name) }
  }
}

extension TrailEntry {
  /// The capability that opened the door, or the one whose lack kept it shut.
  fileprivate var bearingCapability: Capability? {
    if case .capability(let held) = decision.reason { return held }
    guard decision.verdict == .deny, let wanted = decision.mechanism.capability else { return nil }
    guard present.contains([.subjectCapabilities, .subjectNamespaces]) else { return nil }
    let held = subject.effectiveCapabilities.contains(wanted) && subject.userNamespaceInitial
    return held ? nil : wanted
  }

  fileprivate var subjectFields: FieldGroup {
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

  fileprivate var objectFields: FieldGroup {
    var fields = FieldGroup()
    if present.contains(.objectPath) {
      fields.add("path", object.path)
      fields.add("path_verified", object.pathVerified)
    }
    if present.contains(.objectStatus) {
      fields.add("dev", object.identity.device.recordName)
      fields.add("inode", object.identity.inode)
      fields.add("size", object.size)
      fields.add("owner", object.owner)
      fields.add("group", object.group)
      fields.add("mode", octalMode(object.mode))
      fields.add("links", object.links)
    }
    if present.contains(.objectContent) { fields.add("kind", object.kind.name) }
    if present.contains(.objectFileSystem) { fields.add("fstype", object.fileSystemType) }
    if present.contains(.objectDigest) {
      fields.add("sha256", String(decoding: object.digest.hexadecimal, as: UTF8.self))
    }
    if present.contains(.objectTrust) {
      fields.add("trusted", object.trust == .trusted)
      if object.trust != .trusted { fields.add("trust", object.trust.name) }
    }
    return fields
  }
}

extension DeviceNumber {
  /// `MAJOR:MINOR`.
  var recordName: String { "\(major):\(minor)" }
}

/// Four octal digits, as chmod(1) takes them: `0755`, `4755`.
private func octalMode(_ mode: UInt16) -> String {
  let digits = String(mode & 0o7777, radix: 8)
  return String(repeating: "0", count: 4 - digits.count) + digits
}
