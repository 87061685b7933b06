// Owns fetching facts about the object of a request from its open descriptor (design: PIP).
// It must not open a file by path on the answer path, and it must not decide.

public import AccessModel
internal import BinaryFormat
public import ProcFS
internal import SystemCalls

/// One thread's object information point.
@safe public final class ObjectInformation: InformationPoint {
  private let head: UnsafeMutableRawBufferPointer
  private let paths: PathVerification
  private let mounts: MountTable
  private let room: any WaitingRoom
  private let protected: any ProtectedNames
  /// Of the request at hand, where its status is present.
  private var looked: FileStatus?

  public init(mounts: MountTable, room: any WaitingRoom, protected: any ProtectedNames = NoProtectedNames()) {
    unsafe head = .allocate(byteCount: BinaryInspection.headSize, alignment: 8)
    paths = PathVerification(mounts: mounts, room: room)
    self.mounts = mounts
    self.room = room
    self.protected = protected
  }

  deinit { unsafe head.deallocate() }

  /// Digest and trust are another information point's.
  private static let own = FactSet.object.subtracting([.objectDigest, .objectTrust])

  public func fetch(_ wanted: FactSet, into facts: Facts) {
    let missing = facts.missing(of: wanted.intersection(Self.own))
    if missing.isEmpty { return }
    if missing.contains(.objectContent) { fetchContent(into: facts) }
    guard !missing.isDisjoint(with: FactSet.object.subtracting(.objectContent)) else { return }
    do {
      let status = try self.status(for: facts)
      if missing.contains(.objectFileSystem) { fetchFileSystem(status, into: facts) }
      if !missing.isDisjoint(with: [.objectPath, .objectDirectory]) { fetchPath(status, missing, into: facts) }
    } catch {
      facts.markFailed(missing.subtracting(.objectContent), because: .objectUnreadable)
    }
  }

  /// The first look of a request stays: what was read of the content since then rests on it.
  private func status(for facts: Facts) throws(Errno) -> FileStatus {
    if facts.present.contains(.objectStatus), let looked { return looked }
    let status = try FileStatus.of(descriptor: facts.objectHandle)
    looked = status
    facts.object.set(status)
    facts.markPresent(.objectStatus)
    return status
  }

  private func fetchContent(into facts: Facts) {
    var failure = Failure.objectUnreadable
    let descriptor = facts.objectHandle
    let finding = unsafe BinaryInspection.inspect(head: head) { offset, buffer in
      unsafe ContentAccess.read(descriptor, offset, buffer, room, &failure)
    }
    guard let finding else { return facts.markFailed(.objectContent, because: failure) }
    facts.object.kind = ContentKind(finding.format)
    facts.object.isLoadableLibrary = finding.isLoadableLibrary
    unsafe facts.object.interpreter.replace(with: UnsafeRawBufferPointer(rebasing: head[finding.interpreter]))
    facts.markPresent(.objectContent)
  }

  private func fetchFileSystem(_ status: FileStatus, into facts: Facts) {
    do {
      let system = try FileSystemStatus.of(descriptor: facts.objectHandle)
      facts.object.mountFlags = MountFlags(rawValue: UInt8(truncatingIfNeeded: system.flags & 0xf))
      if let place = mounts.place(major: status.deviceMajor, minor: status.deviceMinor) {
        facts.object.fileSystemType = place.type
      } else {
        let name = FileSystemNames.name(magic: system.type)
        name.withUTF8Buffer { unsafe facts.object.fileSystemType.replace(with: UnsafeRawBufferPointer($0)) }
      }
      facts.markPresent(.objectFileSystem)
    } catch {
      facts.markFailed(.objectFileSystem, because: .objectUnreadable)
    }
  }

  private func fetchPath(_ status: FileStatus, _ missing: FactSet, into facts: Facts) {
    do {
      facts.object.pathVerified = try paths.read(facts.objectHandle, status: status, into: &facts.object.path)
      facts.object.protectedNames = protected.names(of: facts.object.identity)
      facts.markPresent(.objectPath)
    } catch {
      facts.markFailed([.objectPath, .objectDirectory], because: .objectUnreadable)
      return
    }
    guard missing.contains(.objectDirectory) else { return }
    guard facts.object.pathVerified, let mode = Self.folderMode(of: facts.object.path) else {
      return facts.markFailed(.objectDirectory, because: .objectUnreadable)
    }
    facts.object.directoryWorldWritable = mode & 0o002 != 0
    facts.markPresent(.objectDirectory)
  }

  /// Permission bits of the folder that holds a path.
  private static func folderMode(of path: [UInt8]) -> UInt16? {
    guard let slash = path.lastIndex(of: 0x2f) else { return nil }
    let length = max(slash, 1)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 1) { buffer in
      for index in 0..<length { unsafe buffer[index] = CChar(bitPattern: path[index]) }
      unsafe buffer[length] = 0
      return try? unsafe FileStatus.of(path: UnsafePointer(buffer.baseAddress!)).mode
    }
  }
}

extension ObjectFacts {
  mutating func set(_ status: FileStatus) {
    identity = FileIdentity(
      device: DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor), inode: status.inode)
    size = status.size
    owner = status.owner
    group = status.group
    mode = status.mode & 0o7777
    links = status.links
    changeTime = status.changeTime
  }
}

extension ContentKind {
  init(_ format: BinaryFormat) {
    switch format {
    case .elfProgram: self = .elfExecutable
    case .elfLibrary: self = .elfLibrary
    case .elfOther: self = .elfOther
    case .script: self = .script
    case .other: self = .other
    }
  }
}
