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
  case operationKind

  /// What this attribute is: name, type, the facts it rests on, and what it means.
  public var definition: Definition { Self.definitions[Int(rawValue)] }
  public var name: String { definition.name }
  public var type: ValueType { definition.type }
  public var facts: FactSet { definition.facts }

  public struct Definition: Sendable {
    public let attribute: Attribute
    public let name: String
    public let type: ValueType
    public let facts: FactSet
    public let summary: String

    init(_ attribute: Attribute, _ name: String, _ type: ValueType, _ facts: FactSet, _ summary: String) {
      self.attribute = attribute
      self.name = name
      self.type = type
      self.facts = facts
      self.summary = summary
    }
  }

  public init?(name: some StringProtocol) {
    guard let found = Self.definitions.first(where: { $0.name == name }) else { return nil }
    self = found.attribute
  }

  /// In the order of the raw values; a test holds that.
  public static let definitions: [Definition] = subjectDefinitions + objectDefinitions + operationDefinitions

  private static let subjectDefinitions: [Definition] = [
    Definition(.subjectPID, "subject.pid", .int, [], "process id"),
    Definition(.subjectPPID, "subject.ppid", .int, .subjectStatus, "parent's process id"),
    Definition(.subjectUID, "subject.uid", .int, .subjectStatus, "real user id"),
    Definition(.subjectEUID, "subject.euid", .int, .subjectStatus, "effective user id"),
    Definition(.subjectGID, "subject.gid", .int, .subjectStatus, "real group id"),
    Definition(.subjectEGID, "subject.egid", .int, .subjectStatus, "effective group id"),
    Definition(.subjectGroups, "subject.groups", .intList, .subjectStatus, "supplementary group ids"),
    Definition(.subjectAUID, "subject.auid", .int, .subjectLogin, "login user id; 4294967295 without a login"),
    Definition(.subjectSession, "subject.session", .int, .subjectLogin, "audit session; 4294967295 without one"),
    Definition(.subjectComm, "subject.comm", .string, .subjectStatus, "thread name; the process may set it freely"),
    Definition(.subjectExe, "subject.exe", .string, .subjectExecutable, "path of the program that runs"),
    Definition(.subjectExeDev, "subject.exe_dev", .string, .subjectExecutable, "its device as MAJOR:MINOR"),
    Definition(.subjectExeInode, "subject.exe_inode", .int, .subjectExecutable, "its inode number"),
    Definition(
      .subjectCapabilities, "subject.capabilities", .stringList, .subjectStatus, "effective capabilities by name"),
    Definition(
      .subjectPermittedCapabilities, "subject.permitted_capabilities", .stringList, .subjectStatus,
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

  private static let objectDefinitions: [Definition] = [
    Definition(
      .objectPath, "object.path", .string, [.objectStatus, .objectPath], "path; undecided while not verified"),
    Definition(
      .objectDirectory, "object.directory", .string, [.objectStatus, .objectPath],
      "path of the folder that holds it, without a final slash"),
    Definition(.objectDev, "object.dev", .string, .objectStatus, "device as MAJOR:MINOR"),
    Definition(.objectInode, "object.inode", .int, .objectStatus, "inode number"),
    Definition(.objectSize, "object.size", .int, .objectStatus, "size in bytes"),
    Definition(.objectOwner, "object.owner", .int, .objectStatus, "owner's user id"),
    Definition(.objectGroup, "object.group", .int, .objectStatus, "group id"),
    Definition(.objectMode, "object.mode", .int, .objectStatus, "permission bits, as in 493 or 0x1ed for rwxr-xr-x"),
    Definition(.objectSetuid, "object.setuid", .bool, .objectStatus, "set-user-ID bit"),
    Definition(.objectSetgid, "object.setgid", .bool, .objectStatus, "set-group-ID bit"),
    Definition(.objectGroupWritable, "object.group_writable", .bool, .objectStatus, "its group may write it"),
    Definition(.objectWorldWritable, "object.world_writable", .bool, .objectStatus, "everybody may write it"),
    Definition(.objectLinks, "object.links", .int, .objectStatus, "hard links; 0 for a file without a name"),
    Definition(
      .objectKind, "object.kind", .string, .objectContent,
      "elf-executable, elf-library, elf-other, script or other"),
    Definition(
      .objectInterpreter, "object.interpreter", .string, .objectContent, "what a script's #! names; \"\" otherwise"),
    Definition(.objectFSType, "object.fstype", .string, [.objectStatus, .objectFileSystem], "file system type"),
    Definition(
      .objectMountFlags, "object.mount_flags", .stringList, [.objectStatus, .objectFileSystem],
      "of ro, nosuid, nodev, noexec"),
    Definition(
      .objectPathVerified, "object.path_verified", .bool, [.objectStatus, .objectPath],
      "the path names this very file in the initial mount namespace"),
    Definition(
      .objectDirectoryWorldWritable, "object.directory_world_writable", .bool,
      [.objectStatus, .objectPath, .objectDirectory], "everybody may write the folder that holds it"),
  ]

  private static let operationDefinitions: [Definition] = [
    Definition(.operationKind, "operation.kind", .string, [], "execute (execve of it) or open")
  ]
}
