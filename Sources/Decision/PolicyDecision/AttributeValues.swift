// Owns how each attribute's value is read from the facts. The caller has made sure that it may be.
// It must not allocate: texts are borrowed, and what has no text in the facts is written on the stack.

internal import AccessModel
internal import PolicyLanguage

extension Program {
  func flagValue(_ attribute: Attribute, _ facts: Facts) -> Bool {
    switch attribute {
    case .subjectUserNSInitial: facts.subject.userNamespaceInitial
    case .subjectMountNSInitial: facts.subject.mountNamespaceInitial
    case .objectSetuid: facts.object.mode & 0o4000 != 0
    case .objectSetgid: facts.object.mode & 0o2000 != 0
    case .objectGroupWritable: facts.object.mode & 0o020 != 0
    case .objectWorldWritable: facts.object.mode & 0o002 != 0
    case .objectPathVerified: facts.object.pathVerified
    case .objectDirectoryWorldWritable: facts.object.directoryWorldWritable
    case .objectTrusted: facts.object.trust == .trusted
    default: preconditionFailure("not a bool attribute")
    }
  }

  /// Wider than the language's int, so that no 64-bit inode number or size is mistaken for another.
  func intValue(_ operand: IntOperand, _ facts: Facts) -> Int128 {
    switch operand {
    case .literal(let value): Int128(value)
    case .attribute(let attribute): intValue(attribute, facts)
    case .size(let text): withText(text, facts) { Int128(Text.count($0)) }
    case .count(.subjectGroups): Int128(facts.subject.groups.count)
    case .count(.objectMountFlags): Int128(facts.object.mountFlags.rawValue.nonzeroBitCount)
    case .count(let list) where list.isCapabilityList:
      Int128((capabilities(list, facts).bits & knownCapabilities).nonzeroBitCount)
    case .count(let list): Int128(words(list, facts).count)
    }
  }

  private func intValue(_ attribute: Attribute, _ facts: Facts) -> Int128 {
    switch attribute {
    case .subjectPID: Int128(facts.subject.pid)
    case .subjectPPID: Int128(facts.subject.parent)
    case .subjectUID: Int128(facts.subject.uid)
    case .subjectEUID: Int128(facts.subject.euid)
    case .subjectGID: Int128(facts.subject.gid)
    case .subjectEGID: Int128(facts.subject.egid)
    case .subjectAUID: Int128(facts.subject.auditUID)
    case .subjectSession: Int128(facts.subject.auditSession)
    case .subjectExeInode: Int128(facts.subject.executableIdentity.inode)
    case .objectInode: Int128(facts.object.identity.inode)
    case .objectSize: Int128(facts.object.size)
    case .objectOwner: Int128(facts.object.owner)
    case .objectGroup: Int128(facts.object.group)
    case .objectMode: Int128(facts.object.mode)
    case .objectLinks: Int128(facts.object.links)
    case .targetPID: Int128(facts.target.pid)
    case .targetUID: Int128(facts.target.uid)
    case .operationRequestNumber: Int128(facts.call.requestNumber)
    default: preconditionFailure("not an int attribute")
    }
  }

  /// The elements of a list attribute that the facts hold as texts.
  func words(_ attribute: Attribute, _ facts: Facts) -> [[UInt8]] {
    switch attribute {
    case .operationFlags: facts.call.flags
    case .operationProtection: facts.call.protection
    case .operationNamespaces: facts.call.namespaces
    default: preconditionFailure("not a list of texts")
    }
  }

  func capabilities(_ attribute: Attribute, _ facts: Facts) -> CapabilitySet {
    attribute == .subjectCapabilities
      ? facts.subject.effectiveCapabilities : facts.subject.permittedCapabilities
  }

  /// Lends a text for the time of `body`.
  func withText<Result>(_ operand: TextOperand, _ facts: Facts, _ body: (Span<UInt8>) -> Result) -> Result {
    switch operand {
    case .literal(let index): lend(texts[Int(index)], body)
    case .attribute(let attribute): withText(attribute, facts, body)
    }
  }

  private func withText<Result>(_ attribute: Attribute, _ facts: Facts, _ body: (Span<UInt8>) -> Result) -> Result {
    switch attribute {
    case .subjectComm: lend(facts.subject.comm, body)
    case .subjectExe: lend(facts.subject.executable, body)
    case .subjectExeDev: withText(of: facts.subject.executableIdentity.device, body)
    case .subjectCGroup: lend(facts.subject.controlGroup, body)
    case .subjectUnit: lend(facts.subject.unit, body)
    case .subjectTerminal: lend(facts.subject.terminal, body)
    case .subjectParentExe: lend(facts.subject.parentExecutable, body)
    case .objectPath: lend(facts.object.path, body)
    case .objectDirectory: lend(facts.object.path) { body($0.extracting(0..<Text.directoryLength(of: $0))) }
    case .objectDev: withText(of: facts.object.identity.device, body)
    case .objectKind: lend(names.kinds[Int(facts.object.kind.rawValue)], body)
    case .objectInterpreter: lend(facts.object.interpreter, body)
    case .objectFSType: lend(facts.object.fileSystemType, body)
    case .objectSHA256: withText(of: facts.object.digest, body)
    case .targetComm: lend(facts.target.comm, body)
    case .targetExe: lend(facts.target.executable, body)
    case .operationKind: lend(names.operations[Int(facts.operation.rawValue)], body)
    case .operationSyscall: lend(facts.call.name, body)
    case .operationArchitecture: lend(facts.call.architecture, body)
    case .operationRequest: lend(facts.call.request, body)
    case .operationSource: lend(facts.call.source, body)
    case .operationModule: lend(facts.call.module, body)
    default: preconditionFailure("not a string attribute")
    }
  }

  /// A span lives no longer than the access to what it spans: passing the bytes makes that access last for `body`.
  private func lend<Result>(_ bytes: [UInt8], _ body: (Span<UInt8>) -> Result) -> Result { body(bytes.span) }

  /// 64 digits in lower case.
  private func withText<Result>(of digest: ContentHash, _ body: (Span<UInt8>) -> Result) -> Result {
    let digits = InlineArray<64, UInt8> { digest.digit(at: $0) }
    return body(digits.span)
  }

  /// `MAJOR:MINOR`, written from the right into a buffer that holds the longest.
  private func withText<Result>(of device: DeviceNumber, _ body: (Span<UInt8>) -> Result) -> Result {
    var digits = InlineArray<21, UInt8>(repeating: UInt8(ascii: ":"))
    var start = digits.count
    write(device.minor, before: &start, in: &digits)
    start -= 1
    write(device.major, before: &start, in: &digits)
    return body(digits.span.extracting(start..<digits.count))
  }

  private func write(_ number: UInt32, before start: inout Int, in digits: inout InlineArray<21, UInt8>) {
    var rest = number
    repeat {
      start -= 1
      digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
  }
}
