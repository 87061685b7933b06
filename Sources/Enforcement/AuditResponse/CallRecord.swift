// Owns what the kernel's SYSCALL record says of one call and of who made it.
// It must not look at the process: what stands here was true when the call was made.

internal import AccessModel
internal import AuditNetlink

/// A system call as it was recorded.
struct CallRecord: Sendable {
  let event: AuditEvent
  let call: KnownCall
  let architecture: AuditArchitecture
  let arguments: CallArguments
  /// Nil where the record has none, as for a process that was killed in the call.
  let result: Int64?
  let succeeded: Bool
  let pid: Int32
  let parent: Int32

  /// Nil where the event has no SYSCALL record, or one of a call that is no door.
  init?(_ event: AuditEvent) {
    guard let entry = event.syscall, let pid = entry.decimal("pid").flatMap(Int32.init(exactly:)), pid > 0,
      let architecture = entry.hexadecimal("arch").flatMap(UInt32.init(exactly:)).map(AuditArchitecture.init),
      let number = entry.decimal("syscall").flatMap(UInt32.init(exactly:)),
      let call = KnownCall(number: number, on: architecture)
    else { return nil }
    self.event = event
    self.call = call
    self.architecture = architecture
    arguments = CallArguments((0..<4).map { entry.hexadecimal("a\($0)") ?? 0 })
    result = entry.decimal("exit")
    succeeded = entry.word("success") == "yes"
    self.pid = pid
    parent = entry.decimal("ppid").flatMap(Int32.init(exactly:)) ?? 0
  }

  /// What the record says of the caller: groups `subjectStatus` and `subjectLogin`, and the text of its program's path.
  func describeSubject(in facts: Facts) {
    guard let entry = event.syscall else { return }
    func number(_ name: String) -> UInt32? { entry.decimal(name).flatMap(UInt32.init(exactly:)) }
    guard let uid = number("uid"), let euid = number("euid"), let gid = number("gid"), let egid = number("egid") else {
      return facts.markFailed([.subjectStatus, .subjectLogin], because: .recordTorn)
    }
    facts.subject.parent = parent
    facts.subject.uid = uid
    facts.subject.euid = euid
    facts.subject.gid = gid
    facts.subject.egid = egid
    facts.subject.comm = entry.text("comm") ?? []
    facts.subject.executable = entry.text("exe") ?? []
    facts.subject.auditUID = number("auid") ?? .max
    facts.subject.auditSession = number("ses") ?? .max
    facts.markPresent([.subjectStatus, .subjectLogin])
  }

  /// The controlling terminal, as the device is called in /dev; empty without one.
  var terminal: [UInt8] {
    guard let name = event.syscall?.word("tty"), name != "(none)" else { return [] }
    // The kernel's name of a pseudo terminal lacks the slash.
    if name.hasPrefix("pts"), name.dropFirst(3).allSatisfy(\.isNumber) {
      return [UInt8]("pts/\(name.dropFirst(3))".utf8)
    }
    return [UInt8](name.utf8)
  }

  /// Names of files that the call was given, in the order of its arguments; relative ones with the caller's folder.
  var paths: [[UInt8]] {
    let folder = event.first(AuditType.cwd)?.text("cwd")
    return event.all(AuditType.path).sorted { ($0.decimal("item") ?? 0) < ($1.decimal("item") ?? 0) }.compactMap {
      guard let name = $0.text("name"), !name.isEmpty else { return nil }
      if name.first == UInt8(ascii: "/") { return PathText.plain(name) }
      return folder.map { PathText.plain($0 + [UInt8(ascii: "/")] + name) }
    }
  }
}

enum PathText {
  /// Without `//`, `/.` and a final slash, and with `..` taken back: what the kernel makes of it where no link lies on
  /// the way.
  static func plain(_ path: [UInt8]) -> [UInt8] {
    var parts: [ArraySlice<UInt8>] = []
    for part in path.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual(".".utf8) { continue }
      if part.elementsEqual("..".utf8) { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts.isEmpty ? [UInt8(ascii: "/")] : parts.flatMap { [UInt8(ascii: "/")] + $0 }
  }
}
