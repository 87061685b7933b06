// Owns the grouping of facts by what it takes to fetch them: one group is one trip to the kernel.
// It must not say how a group is fetched: Information does.

/// Groups of facts. A rule needs groups, an information point fetches groups.
public struct FactSet: OptionSet, Sendable, Hashable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Device, inode, size, owner, group, mode, link count, change time.
  public static let objectStatus = FactSet(rawValue: 1 << 0)
  /// Path, directory, and whether the path may be believed.
  public static let objectPath = FactSet(rawValue: 1 << 1)
  /// Kind of content, and the interpreter that a script names.
  public static let objectContent = FactSet(rawValue: 1 << 2)
  /// File system type and mount flags.
  public static let objectFileSystem = FactSet(rawValue: 1 << 3)
  /// Who may write the folder that holds the object.
  public static let objectDirectory = FactSet(rawValue: 1 << 4)
  /// SHA-256 of the content: the whole file is read.
  public static let objectDigest = FactSet(rawValue: 1 << 5)
  /// Whether the content is trusted; rests on status and path, reads the file only where it may be.
  public static let objectTrust = FactSet(rawValue: 1 << 6)
  /// Of `objectStatus` device and inode alone, where the kernel told no more of the object. No rule asks for it.
  public static let objectIdentity = FactSet(rawValue: 1 << 7)
  /// Of `objectStatus` owner and mode alone, where the kernel told no more of the object. No rule asks for it.
  public static let objectPermissions = FactSet(rawValue: 1 << 19)
  /// Parent, user and group ids, comm.
  public static let subjectStatus = FactSet(rawValue: 1 << 8)
  /// Start time and terminal.
  public static let subjectStat = FactSet(rawValue: 1 << 9)
  /// Login uid and audit session.
  public static let subjectLogin = FactSet(rawValue: 1 << 10)
  /// Whether the user and mount namespaces are the initial ones.
  public static let subjectNamespaces = FactSet(rawValue: 1 << 11)
  /// The program that the subject runs.
  public static let subjectExecutable = FactSet(rawValue: 1 << 12)
  /// The program that the subject's parent runs.
  public static let subjectParent = FactSet(rawValue: 1 << 13)
  /// Control group and systemd unit.
  public static let subjectControlGroup = FactSet(rawValue: 1 << 14)
  /// What kind of program opens the object: a loader, an interpreter, or neither.
  public static let subjectProgram = FactSet(rawValue: 1 << 15)
  /// Whether the object is what the opening interpreter runs: named by its arguments or by a module suffix.
  public static let subjectScript = FactSet(rawValue: 1 << 16)

  /// Effective and permitted capabilities, supplementary groups.
  public static let subjectCapabilities = FactSet(rawValue: 1 << 17)
  /// The subject's process id and the kind of access: they come with every request.
  public static let request = FactSet(rawValue: 1 << 18)
  /// What a system call's own record says: call, architecture, request, flags, result.
  public static let call = FactSet(rawValue: 1 << 20)
  /// Namespaces that the call created or entered.
  public static let callNamespaces = FactSet(rawValue: 1 << 21)
  /// What was mounted: the device or remote name.
  public static let callSource = FactSet(rawValue: 1 << 22)
  /// Name of the kernel module.
  public static let callModule = FactSet(rawValue: 1 << 23)
  /// The traced process: pid, uid, comm.
  public static let targetStatus = FactSet(rawValue: 1 << 24)
  /// The program that the traced process runs.
  public static let targetExecutable = FactSet(rawValue: 1 << 25)

  /// Everything that a record about a file shows.
  public static let record = ofFile.union(ofSubject)
  /// Everything that a record about a system call shows and that an information point fetches.
  public static let recordOfCall = ofSubject.union(.targetExecutable)

  private static let ofFile: FactSet = [.objectStatus, .objectPath, .objectContent, .objectFileSystem]
  private static let ofSubject: FactSet = [
    .subjectStatus, .subjectStat, .subjectLogin, .subjectNamespaces, .subjectExecutable, .subjectControlGroup,
    .subjectCapabilities,
  ]

  public static let object: FactSet = [
    .objectStatus, .objectPath, .objectContent, .objectFileSystem, .objectDirectory, .objectDigest, .objectTrust,
  ]
  public static let subject: FactSet = [
    .subjectStatus, .subjectStat, .subjectLogin, .subjectNamespaces, .subjectExecutable, .subjectParent,
    .subjectControlGroup, .subjectProgram, .subjectScript, .subjectCapabilities, .request,
  ]
  /// What comes with the request itself where a system call is concerned; no information point fetches it.
  public static let ofCall: FactSet = [
    .call, .callNamespaces, .callSource, .callModule, .targetStatus,
  ]
}
