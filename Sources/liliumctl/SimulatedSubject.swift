// Owns the facts of a process that does not exist, from what the command line says of it.
// It must not look at a process.

internal import AccessModel
internal import Glibc
internal import SystemCalls

/// What the command line says of the subject.
struct SimulatedSubject {
  var executable: String
  var uid: UInt32
  var gid: UInt32
  var unit: String
}

/// Knows everything about its subject: it runs in the initial namespaces, root has every capability, others none.
struct SimulatedSubjectInformation: InformationPoint {
  private let subject: SimulatedSubject
  private let program: ObjectFacts
  private let interpreter: Interpreter?

  init(_ subject: SimulatedSubject, program: ObjectFacts, interpreters: [Interpreter]) {
    self.subject = subject
    self.program = program
    let path = String(decoding: program.path, as: UTF8.self)
    interpreter = interpreters.first { $0.paths.contains { fnmatch($0, path, FNM_PATHNAME) == 0 } }
  }

  func fetch(_ wanted: FactSet, into facts: Facts) {
    let groups = facts.missing(of: wanted.intersection(.subject))
    facts.subject.parent = 1
    (facts.subject.uid, facts.subject.euid) = (subject.uid, subject.uid)
    (facts.subject.gid, facts.subject.egid) = (subject.gid, subject.gid)
    facts.subject.groups = [subject.gid]
    facts.subject.effectiveCapabilities = CapabilitySet(bits: subject.uid == 0 ? .max : 0)
    facts.subject.permittedCapabilities = facts.subject.effectiveCapabilities
    facts.subject.comm = Array(program.path.split(separator: UInt8(ascii: "/")).last?.prefix(15) ?? [])
    facts.subject.auditUID = subject.uid
    facts.subject.auditSession = 1
    facts.subject.userNamespaceInitial = true
    facts.subject.mountNamespaceInitial = true
    facts.subject.executable = program.path
    facts.subject.executableVerified = program.pathVerified
    facts.subject.executableIdentity = program.identity
    facts.subject.controlGroup = Array((subject.unit.isEmpty ? "/" : "/system.slice/\(subject.unit)").utf8)
    facts.subject.unit = Array(subject.unit.utf8)
    facts.subject.programClass = programClass
    // The most telling case: what an interpreter opens is what its arguments name.
    facts.subject.objectNamedByArguments = interpreter?.readsArguments ?? false
    facts.subject.objectHasModuleSuffix =
      interpreter?.suffixes.contains { facts.object.path.ends(with: $0.utf8) } ?? false
    facts.markPresent(groups)
    // Of the parent nothing is said.
    facts.markFailed(groups.intersection(.subjectParent), because: .subjectUnreadable)
  }

  private var programClass: ProgramClass {
    if program.isLoadableLibrary, program.kind == .elfLibrary { return .loader }
    return interpreter == nil ? .ordinary : .interpreter
  }
}

extension Sequence<UInt8> {
  fileprivate func ends(with suffix: some Collection<UInt8>) -> Bool {
    Array(self).suffix(suffix.count).elementsEqual(suffix)
  }
}
