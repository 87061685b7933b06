// Owns random requests in both forms: as `decide` reads them, and as the kernel's side does.
// It must not let the two differ: each value is drawn once.

public import AccessModel

/// One request. Few values each, so that conditions are true and false about as often.
public struct RandomCall {
  public let facts = Facts()
  public private(set) var kernel = KernelFacts()
  private var random: FixedRandom

  public init(_ mechanism: Mechanism, _ source: inout FixedRandom) {
    random = source
    facts.begin(pid: random.pick([7, 100, 1000]), operation: .call)
    kernel[.pid] = UInt64(facts.subject.pid)
    drawCaller()
    drawProgram()
    drawCall(mechanism)
    drawTarget()
    drawObject()
    source = random
  }

  /// Whether a group is known this time.
  private mutating func knows(_ groups: FactSet) -> Bool {
    let isKnown = random.chance(85)
    if isKnown { facts.markPresent(groups) } else { facts.markUnknown(groups) }
    return isKnown
  }

  private mutating func user() -> UInt32 { random.pick([0, 0, 7, 1000, .max]) }

  private mutating func drawCaller() {
    facts.subject.parent = random.pick([1, 7, 100])
    facts.subject.uid = user()
    facts.subject.euid = user()
    facts.subject.gid = user()
    facts.subject.egid = user()
    kernel[.ppid] = UInt64(facts.subject.parent)
    kernel[.uid] = UInt64(facts.subject.uid)
    kernel[.euid] = UInt64(facts.subject.euid)
    kernel[.gid] = UInt64(facts.subject.gid)
    kernel[.egid] = UInt64(facts.subject.egid)
    facts.subject.effectiveCapabilities = CapabilitySet(bits: random.pick([0, .max, 1 << 19, 1 << 21]))
    facts.subject.permittedCapabilities = CapabilitySet(bits: random.pick([0, .max, 1]))
    kernel[.effective] = facts.subject.effectiveCapabilities.bits
    kernel[.permitted] = facts.subject.permittedCapabilities.bits
    facts.subject.userNamespaceInitial = random.chance(50)
    facts.subject.mountNamespaceInitial = random.chance(50)
    kernel[.userNamespaceInitial] = facts.subject.userNamespaceInitial ? 1 : 0
    kernel[.mountNamespaceInitial] = facts.subject.mountNamespaceInitial ? 1 : 0
    facts.markPresent([.subjectStatus, .subjectCapabilities, .subjectNamespaces])
    guard knows(.subjectLogin) else { return }
    facts.subject.auditUID = user()
    facts.subject.auditSession = random.pick([0, 7, .max])
    kernel[.auid] = UInt64(facts.subject.auditUID)
    kernel[.session] = UInt64(facts.subject.auditSession)
  }

  private mutating func file() -> (path: [UInt8], identity: FileIdentity) {
    let path = random.pick(NameBook.files.keys.sorted())
    return ([UInt8](path.utf8), NameBook.files[path] ?? FileIdentity())
  }

  private static func number(_ device: DeviceNumber) -> UInt64 { UInt64(device.major) << 20 | UInt64(device.minor) }

  private mutating func drawProgram() {
    if knows(.subjectExecutable) {
      let (path, identity) = file()
      facts.subject.executable = path
      facts.subject.executableVerified = true
      facts.subject.executableIdentity = identity
      kernel[.exeDevice] = Self.number(identity.device)
      kernel[.exeInode] = identity.inode
    }
    if knows(.subjectControlGroup) {
      let path = random.pick(NameBook.controlGroups.keys.sorted())
      facts.subject.controlGroup = [UInt8](path.utf8)
      kernel[.controlGroup] = NameBook.controlGroups[path]
    }
  }

  private mutating func drawCall(_ mechanism: Mechanism) {
    let (known, knownNamespaces) = (knows(.call), knows(.callNamespaces))
    let name = random.pick(Self.calls(mechanism))
    let architecture = random.pick(name == "kexec_file_load" ? ["x86_64"] : ["x86_64", "x86_64", "i386"])
    let bits = UInt64.random(in: 0...0x7fff_ffff, using: &random) & random.pick([.max, 0x0f, 0x1001, 0x1002_0101])
    facts.call.name = [UInt8](name.utf8)
    facts.call.architecture = [UInt8](architecture.utf8)
    let flags = Self.flags(name)
    facts.call.flags = flags?.text(bits) ?? []
    let protection = mechanism == .mprotect ? bits & 7 : 0
    facts.call.protection = FlagNames.protection.text(protection)
    let request = Self.requests(name).map { random.pick($0) }
    facts.call.requestNumber = request ?? 0
    facts.call.request = request.map { Self.text($0, mechanism) } ?? []
    facts.call.namespaces = NamespaceKind.names(bits)
    if known {
      kernel[.call] = NameBook.number(name, architecture)
      kernel[.architecture] = NameBook.architectures[architecture]
      kernel[.request] = request ?? 0
      kernel[.flags] = flags == nil ? 0 : bits
      kernel[.protection] = protection
    }
    if knownNamespaces { kernel[.namespaces] = bits }
  }

  private static func text(_ request: UInt64, _ mechanism: Mechanism) -> [UInt8] {
    [UInt8]((RequestNames.name(of: request, mechanism) ?? "0x" + String(request, radix: 16)).utf8)
  }

  private static func calls(_ mechanism: Mechanism) -> [String] {
    switch mechanism {
    case .ptrace: ["ptrace", "ptrace", "process_vm_writev"]
    case .mprotect: ["mmap", "mprotect"]
    case .module: ["init_module", "finit_module", "delete_module"]
    case .kexec: ["kexec_load", "kexec_file_load"]
    case .mount: ["mount", "umount2", "open_tree", "fsmount", "move_mount"]
    case .clone: ["clone", "unshare", "setns"]
    case .ioctl, .exec, .open: ["ioctl"]
    }
  }

  private static func flags(_ call: String) -> FlagNames? {
    switch call {
    case "mmap": .map
    case "finit_module": .module
    case "delete_module": .unload
    case "kexec_load": .kexec
    case "mount": .mount
    case "umount2": .unmount
    case "open_tree": .tree
    case "fsmount": .mountAttributes
    case "clone", "unshare", "setns": .clone
    default: nil
    }
  }

  private static func requests(_ call: String) -> [UInt64]? {
    switch call {
    case "ptrace": [0, 16, 0x4206]
    case "ioctl": [0x5412, 1, 77, 0x8008_6601, 0x8004_6601, .max]
    default: nil
    }
  }

  private mutating func drawTarget() {
    if knows(.targetStatus) {
      facts.target.pid = random.pick([7, 100, 1000])
      facts.target.uid = user()
      kernel[.targetPID] = UInt64(facts.target.pid)
      kernel[.targetUID] = UInt64(facts.target.uid)
    }
    guard knows(.targetExecutable) else { return }
    let (path, identity) = file()
    facts.target.executable = path
    facts.target.executableVerified = true
    kernel[.targetDevice] = Self.number(identity.device)
    kernel[.targetInode] = identity.inode
  }

  private mutating func drawObject() {
    if knows([.objectStatus, .objectPath]) {
      let (path, identity) = file()
      facts.object.path = path
      facts.object.pathVerified = true
      facts.object.identity = identity
      facts.object.owner = user()
      facts.object.mode = random.pick([0o755, 0o4755, 0o2775, 0o666, 100])
      kernel[.objectDevice] = Self.number(identity.device)
      kernel[.objectInode] = identity.inode
      kernel[.objectOwner] = UInt64(facts.object.owner)
      kernel[.objectMode] = UInt64(facts.object.mode)
    }
    guard knows(.objectFileSystem) else { return }
    let name = random.pick(["ext4", "tmpfs", "fourteen-bytes", "nfs", "nfs4"])
    facts.object.fileSystemType = [UInt8](name.utf8)
    func word(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    kernel[.fileSystemLow] = word(name.utf8.prefix(8))
    kernel[.fileSystemHigh] = word(name.utf8.dropFirst(8))
  }
}
