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
    let values = (0..<4).compactMap { entry.hexadecimal("a\($0)") }
    guard values.count == 4 else { return nil }
    arguments = CallArguments(values)
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

  /// A name that the call was given, and the device of the file that the kernel found there.
  struct NamedFile: Sendable {
    var path: [UInt8]
    var device: (major: UInt32, minor: UInt32)?
  }

  /// Names of files that the call was given, in the order of its arguments; relative ones with the caller's folder. One
  /// that begins at a descriptor's folder is left out: nobody knows which folder that was.
  var files: [NamedFile] {
    let folder = event.first(AuditType.cwd)?.text("cwd")
    let entries = event.all(AuditType.path).sorted { ($0.decimal("item") ?? 0) < ($1.decimal("item") ?? 0) }
      .filter { $0.text("name")?.isEmpty == false }
    return entries.indices.compactMap { index in
      let device = Self.device(entries[index])
      guard let name = entries[index].text("name") else { return nil }
      if name.first == UInt8(ascii: "/") { return NamedFile(path: PathText.plain(name), device: device) }
      guard let folder, beginsAtFolder(isLast: index == entries.count - 1) else { return nil }
      return NamedFile(path: PathText.plain(folder + [UInt8(ascii: "/")] + name), device: device)
    }
  }

  var paths: [[UInt8]] { files.map(\.path) }

  /// `dev=08:01`, in hexadecimal.
  private static func device(_ entry: AuditEntry) -> (major: UInt32, minor: UInt32)? {
    let parts = entry.word("dev")?.split(separator: ":").compactMap { UInt32($0, radix: 16) } ?? []
    return parts.count == 2 ? (parts[0], parts[1]) : nil
  }

  /// Whether a relative name begins at the caller's working folder (AT_FDCWD) rather than at a descriptor's.
  private func beginsAtFolder(isLast: Bool) -> Bool {
    let workingFolder = UInt32(bitPattern: -100)
    switch call {
    case .openTree, .openTreeAttr, .mountSetattr, .fspick: return arguments.low(0) == workingFolder
    case .moveMount: return arguments.low(isLast ? 2 : 0) == workingFolder
    default: return true
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
