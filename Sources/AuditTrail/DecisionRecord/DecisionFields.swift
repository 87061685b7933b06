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
    if let nanoseconds = entry.answerNanoseconds { add("answer_us", nanoseconds / 1000) }
    add("subject", .group(entry.seen.fields))
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

  fileprivate var objectFields: FieldGroup {
    var fields = FieldGroup()
    if present.contains(.objectPath) {
      fields.add("path", object.path)
      fields.add("path_verified", object.pathVerified)
    }
    fields.addStatus(of: object, present)
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

extension FieldGroup {
  /// The kernel may have told a part of it only.
  fileprivate mutating func addStatus(of object: ObjectFacts, _ present: FactSet) {
    let isWhole = present.contains(.objectStatus)
    if isWhole || present.contains(.objectIdentity) {
      add("dev", object.identity.device.recordName)
      add("inode", object.identity.inode)
    }
    if isWhole { add("size", object.size) }
    if isWhole || present.contains(.objectPermissions) { add("owner", object.owner) }
    if isWhole { add("group", object.group) }
    if isWhole || present.contains(.objectPermissions) { add("mode", octalMode(object.mode)) }
    if isWhole { add("links", object.links) }
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
