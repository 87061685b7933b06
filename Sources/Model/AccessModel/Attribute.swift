// Owns the attributes that rules may read: name, type, the facts that each rests on, and one line of documentation.
// It must not evaluate anything: PolicyDecision does.

/// The types of the policy language.
public enum ValueType: UInt8, Sendable, Hashable {
  case bool, int, string, intList, stringList

  public var name: String {
    switch self {
    case .bool: "bool"
    case .int: "int"
    case .string: "string"
    case .intList: "list(int)"
    case .stringList: "list(string)"
    }
  }
}

/// An attribute of the subject, object or operation.
public enum Attribute: UInt8, CaseIterable, Sendable, Hashable {
  case subjectPID, subjectPPID, subjectUID, subjectEUID, subjectGID, subjectEGID, subjectGroups, subjectAUID
  case subjectSession, subjectComm, subjectExe, subjectExeDev, subjectExeInode, subjectCapabilities
  case subjectPermittedCapabilities, subjectUserNSInitial, subjectMountNSInitial, subjectCGroup, subjectUnit
  case subjectTerminal, subjectParentExe
  case objectPath, objectDirectory, objectDev, objectInode, objectSize, objectOwner, objectGroup, objectMode
  case objectSetuid, objectSetgid, objectGroupWritable, objectWorldWritable, objectLinks, objectKind
  case objectInterpreter, objectFSType, objectMountFlags, objectPathVerified, objectDirectoryWorldWritable
  case objectTrusted, objectSHA256
  case targetPID, targetUID, targetComm, targetExe
  case operationKind, operationSyscall, operationArchitecture, operationRequest, operationRequestNumber
  case operationFlags, operationProtection, operationNamespaces, operationSource, operationModule

  /// What this attribute is: name, type, the facts it rests on, and what it means.
  public var definition: Definition { Self.definitions[Int(rawValue)] }
  public var name: String { definition.name }
  public var type: ValueType { definition.type }
  public var facts: FactSet { definition.facts }
  /// The mechanisms whose requests have this attribute.
  public var mechanisms: MechanismSet { definition.mechanisms }

  public struct Definition: Sendable {
    public let attribute: Attribute
    public let name: String
    public let type: ValueType
    public let facts: FactSet
    public let mechanisms: MechanismSet
    public let summary: String

    init(
      _ attribute: Attribute, _ name: String, _ type: ValueType, _ facts: FactSet, _ summary: String,
      of mechanisms: MechanismSet = .all
    ) {
      self.attribute = attribute
      self.name = name
      self.type = type
      self.facts = facts
      self.mechanisms = mechanisms
      self.summary = summary
    }
  }

  public init?(name: some StringProtocol) {
    guard let found = Self.definitions.first(where: { $0.name == name }) else { return nil }
    self = found.attribute
  }

  /// In the order of the raw values; a test holds that.
  public static let definitions: [Definition] =
    subjectDefinitions + objectDefinitions + targetDefinitions + operationDefinitions

  private static let subjectDefinitions: [Definition] = [
    Definition(.subjectPID, "subject.pid", .int, .request, "process id"),
    Definition(.subjectPPID, "subject.ppid", .int, .subjectStatus, "parent's process id"),
    Definition(.subjectUID, "subject.uid", .int, .subjectStatus, "real user id"),
    Definition(.subjectEUID, "subject.euid", .int, .subjectStatus, "effective user id"),
    Definition(.subjectGID, "subject.gid", .int, .subjectStatus, "real group id"),
    Definition(.subjectEGID, "subject.egid", .int, .subjectStatus, "effective group id"),
    Definition(.subjectGroups, "subject.groups", .intList, .subjectCapabilities, "supplementary group ids"),
    Definition(.subjectAUID, "subject.auid", .int, .subjectLogin, "login user id; 4294967295 without a login"),
    Definition(.subjectSession, "subject.session", .int, .subjectLogin, "audit session; 4294967295 without one"),
    Definition(.subjectComm, "subject.comm", .string, .subjectStatus, "thread name; the process may set it freely"),
    Definition(.subjectExe, "subject.exe", .string, .subjectExecutable, "path of the program that runs"),
    Definition(.subjectExeDev, "subject.exe_dev", .string, .subjectExecutable, "its device as MAJOR:MINOR"),
    Definition(.subjectExeInode, "subject.exe_inode", .int, .subjectExecutable, "its inode number"),
    Definition(
      .subjectCapabilities, "subject.capabilities", .stringList, .subjectCapabilities, "effective capabilities by name"),
    Definition(
      .subjectPermittedCapabilities, "subject.permitted_capabilities", .stringList, .subjectCapabilities,
      "permitted capabilities by name"),
    Definition(
      .subjectUserNSInitial, "subject.userns_initial", .bool, .subjectNamespaces, "runs in the initial user namespace"),
    Definition(
      .subjectMountNSInitial, "subject.mntns_initial", .bool, .subjectNamespaces, "runs in the initial mount namespace"),
    Definition(.subjectCGroup, "subject.cgroup", .string, .subjectControlGroup, "control group path"),
    Definition(
      .subjectUnit, "subject.unit", .string, .subjectControlGroup, "systemd unit; \"\" where there is none"),
    Definition(
      .subjectTerminal, "subject.terminal", .string, .subjectStat, "controlling terminal, as in pts/3; \"\" without one"
    ),
    Definition(
      .subjectParentExe, "subject.parent_exe", .string, [.subjectStatus, .subjectParent],
      "path of the program that the parent runs"),
  ]

  /// Requests whose object is a file that the caller holds open or opens.
  private static let filed = MechanismSet.files.union([MechanismSet(.module), MechanismSet(.ioctl)])
  /// Requests whose object has a place in the file tree.
  private static let placed = filed.union(MechanismSet(.mount))
  private static let traced = MechanismSet(.ptrace)

  private static let objectDefinitions: [Definition] = [
    Definition(
      .objectPath, "object.path", .string, .objectPath, "path; undecided while not verified", of: placed),
    Definition(
      .objectDirectory, "object.directory", .string, .objectPath,
      "path of the folder that holds it, without a final slash", of: placed),
    Definition(.objectDev, "object.dev", .string, .objectStatus, "device as MAJOR:MINOR", of: filed),
    Definition(.objectInode, "object.inode", .int, .objectStatus, "inode number", of: filed),
    Definition(.objectSize, "object.size", .int, .objectStatus, "size in bytes", of: filed),
    Definition(.objectOwner, "object.owner", .int, .objectStatus, "owner's user id", of: filed),
    Definition(.objectGroup, "object.group", .int, .objectStatus, "group id", of: filed),
    Definition(
      .objectMode, "object.mode", .int, .objectStatus, "permission bits, as in 493 or 0x1ed for rwxr-xr-x", of: filed),
    Definition(.objectSetuid, "object.setuid", .bool, .objectStatus, "set-user-ID bit", of: filed),
    Definition(.objectSetgid, "object.setgid", .bool, .objectStatus, "set-group-ID bit", of: filed),
    Definition(
      .objectGroupWritable, "object.group_writable", .bool, .objectStatus, "its group may write it", of: filed),
    Definition(
      .objectWorldWritable, "object.world_writable", .bool, .objectStatus, "everybody may write it", of: filed),
    Definition(.objectLinks, "object.links", .int, .objectStatus, "hard links; 0 for a file without a name", of: filed),
    Definition(
      .objectKind, "object.kind", .string, .objectContent,
      "elf-executable, elf-library, elf-other, script or other", of: .files),
    Definition(
      .objectInterpreter, "object.interpreter", .string, .objectContent, "what a script's #! names; \"\" otherwise",
      of: .files),
    Definition(.objectFSType, "object.fstype", .string, .objectFileSystem, "file system type", of: placed),
    Definition(
      .objectMountFlags, "object.mount_flags", .stringList, .objectFileSystem,
      "of ro, nosuid, nodev, noexec", of: filed),
    Definition(
      .objectPathVerified, "object.path_verified", .bool, .objectPath,
      "the path names this very file in the initial mount namespace", of: placed),
    Definition(
      .objectDirectoryWorldWritable, "object.directory_world_writable", .bool,
      [.objectPath, .objectDirectory], "everybody may write the folder that holds it", of: filed),
    Definition(
      .objectTrusted, "object.trusted", .bool, .objectTrust, "its content is in the trust database", of: .files),
    Definition(
      .objectSHA256, "object.sha256", .string, .objectDigest, "SHA-256 of its content, in lower-case hexadecimal",
      of: .files),
  ]

  private static let targetDefinitions: [Definition] = [
    Definition(.targetPID, "target.pid", .int, .targetStatus, "process id of the traced process", of: traced),
    Definition(.targetUID, "target.uid", .int, .targetStatus, "its real user id", of: traced),
    Definition(.targetComm, "target.comm", .string, .targetStatus, "its name, which it may set freely", of: traced),
    Definition(.targetExe, "target.exe", .string, .targetExecutable, "path of the program that it runs", of: traced),
  ]

  private static let operationDefinitions: [Definition] = [
    Definition(.operationKind, "operation.kind", .string, .request, "execute (execve of it), open or call"),
    Definition(.operationSyscall, "operation.syscall", .string, .call, "the system call by name", of: .calls),
    Definition(
      .operationArchitecture, "operation.architecture", .string, .call,
      "its calling convention: x86_64, i386, aarch64 or arm", of: .calls),
    Definition(
      .operationRequest, "operation.request", .string, .call, "the request by name, as in PTRACE_ATTACH or TIOCSTI",
      of: requested),
    Definition(
      .operationRequestNumber, "operation.request_number", .int, .call, "the request as a number", of: requested),
    Definition(
      .operationFlags, "operation.flags", .stringList, .call, "its flags by name, as in MS_BIND or CLONE_NEWUSER",
      of: [
        MechanismSet(.mprotect), MechanismSet(.module), MechanismSet(.kexec), MechanismSet(.mount),
        MechanismSet(.clone),
      ]),
    Definition(
      .operationProtection, "operation.protection", .stringList, .call, "of PROT_READ, PROT_WRITE, PROT_EXEC",
      of: MechanismSet(.mprotect)),
    Definition(
      .operationNamespaces, "operation.namespaces", .stringList, .callNamespaces,
      "kinds of namespace that it creates or enters: cgroup, ipc, mount, net, pid, time, user, uts",
      of: MechanismSet(.clone)),
    Definition(
      .operationSource, "operation.source", .string, .callSource, "what is mounted: a device or a remote name",
      of: MechanismSet(.mount)),
    Definition(
      .operationModule, "operation.module", .string, .callModule, "name of the kernel module", of: MechanismSet(.module)
    ),
  ]

  private static let requested: MechanismSet = [MechanismSet(.ptrace), MechanismSet(.ioctl)]
}
