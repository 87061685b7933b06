// Facts about open files: status, path, folder, file system.

import AccessModel
import Glibc
import ObjectInformation
import ProcFS
import SystemCalls
import Testing

@Suite struct ObjectInformationTests {
  private let folder = Folder()

  @Test func aFileIsKnownInFull() throws {
    let path = try folder.write("file", Array("hello".utf8))
    try #require(chmod(path, 0o4751) == 0)
    let facts = try facts(.object, ofFile: path)
    #expect(facts.present == ofObject.union(.request) && facts.missing(of: .object) == [.objectDigest, .objectTrust])
    let (object, status) = (facts.object, try FileStatus.of(path: path))
    #expect(object.identity.inode == status.inode)
    #expect(object.identity.device == DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor))
    #expect(object.size == 5 && object.owner == geteuid() && object.mode == 0o4751 && object.links == 1)
    #expect(object.changeTime == status.changeTime)
    #expect(text(object.path) == path && object.pathVerified)
    #expect(object.kind == .other && object.interpreter.isEmpty && !object.isLoadableLibrary)
    #expect(!object.directoryWorldWritable && object.protectedNames == [])
  }

  @Test func onlyWhatIsWantedIsFetched() throws {
    #expect(try facts(.objectContent, ofFile: "/etc/passwd").present == [.request, .objectContent])
    #expect(
      try facts(.objectFileSystem, ofFile: "/etc/passwd").present == [.request, .objectStatus, .objectFileSystem])
    for others: FactSet in [.subject, [.objectDigest, .objectTrust]] {
      let facts = try facts(others, ofFile: "/etc/passwd")
      #expect(facts.present == .request && facts.failed == [])
    }
  }

  /// What was found out about a content belongs to the status that was seen before it.
  @Test func theFirstStatusStays() throws {
    let path = try folder.write("grows", [1])
    let file = try Descriptor.open(path, O_RDONLY)
    let number = file.rawValue
    let facts = Facts()
    facts.begin(pid: 1, operation: .open, objectHandle: number)
    let information = ObjectInformation(mounts: try ownMounts(), room: Room())
    information.fetch(.objectStatus, into: facts)
    let (size, changed) = (facts.object.size, facts.object.changeTime)
    Clock.sleep(nanoseconds: 20_000_000)
    try folder.write("grows", [1, 2, 3])
    information.fetch([.objectFileSystem, .objectPath], into: facts)
    #expect(facts.object.size == size && facts.object.changeTime == changed && facts.object.pathVerified)
    facts.begin(pid: 1, operation: .open, objectHandle: number)
    information.fetch(.objectPath, into: facts)
    #expect(facts.object.size == 3 && facts.object.changeTime > changed, "the next request sees the file as it is")
    _ = consume file
  }

  @Test func aNameIsBytesAndMayHoldAnything() throws {
    for name in ["a b", "a\nb", "\u{1b}[31m", "x (deleted)", "caf\u{65}\u{301}", String(repeating: "n", count: 255)] {
      let path = try folder.write(name, [1])
      let facts = try facts([.objectPath, .objectDirectory], ofFile: path)
      #expect(facts.object.path == Array(path.utf8) && facts.object.pathVerified)
    }
    let raw = Array(folder.path.utf8) + [0x2f, 0xff, 0xfe]
    let number = (raw + [0]).withUnsafeBytes {
      open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    }
    let file = Descriptor(owning: number)
    #expect(try facts(.objectPath, of: number).object.path == raw)
    _ = consume file
  }

  @Test func aDeletedFileHasNoBelievablePath() throws {
    let path = try folder.write("gone", [1])
    let file = try Descriptor.open(path, O_RDONLY)
    try ProcessSetup.removeFile(path)
    let number = file.rawValue
    let first = try facts(.object, of: number)
    #expect(first.object.links == 0 && !first.object.pathVerified && text(first.object.path) == path + " (deleted)")
    #expect(first.failed == .objectDirectory && first.failure == .objectUnreadable)
    // Another file under the very name that the link shows now.
    try folder.write("gone (deleted)", [2])
    #expect(try !facts(.objectPath, of: number).object.pathVerified)
    try folder.write("gone", [2])
    #expect(try !facts(.objectPath, of: number).object.pathVerified)
  }

  @Test func aFileWithoutANameIsNotVerified() throws {
    // O_TMPFILE, which the Glibc module does not carry.
    let file = try Descriptor.open(folder.path, O_DIRECTORY | 0o20000000 | O_RDWR, mode: 0o600)
    let object = try facts([.objectStatus, .objectPath], of: file.rawValue).object
    #expect(object.links == 0 && !object.pathVerified)
  }

  @Test func aLinkIsSeenAsTheFileThatItLeadsTo() throws {
    let path = try folder.write("file", [1])
    try #require(symlink(path, folder.path + "/link") == 0)
    #expect(try text(facts(.objectPath, ofFile: folder.path + "/link").object.path) == path)
    try #require(link(path, folder.path + "/second") == 0)
    let second = try facts([.objectStatus, .objectPath], ofFile: folder.path + "/second").object
    #expect(text(second.path) == folder.path + "/second" && second.pathVerified && second.links == 2)
  }

  /// The name that was used is gone, but the file has another: its handle leads there.
  @Test(.enabled(if: geteuid() == 0))
  func aSecondNameIsFoundWhenTheFirstIsGone() throws {
    let path = try folder.write("first", [1])
    try #require(link(path, folder.path + "/second") == 0)
    // Through a folder of the same file system that is mounted with its whole root.
    let file = try Descriptor.open(path, O_RDONLY)
    try ProcessSetup.removeFile(path)
    let (number, room) = (file.rawValue, Room())
    let object = try facts(.objectPath, of: number, room: room).object
    #expect(room.visits == 1, "looking for a file by its handle may wait")
    #expect(!object.pathVerified || text(object.path) == folder.path + "/second")
    #expect(try !facts(.objectPath, of: number, room: Room(isFull: true)).object.pathVerified)
  }

  @Test func aFolderThatEverybodyMayWriteIsTold() throws {
    let path = "/tmp/lilium-test-\(getpid())-world"
    try Descriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600).writeAll([1])
    defer { unlink(path) }
    #expect(try facts(.objectDirectory, ofFile: path).object.directoryWorldWritable)
    #expect(try !facts(.objectDirectory, ofFile: "/etc/passwd").object.directoryWorldWritable)
    let inside = try folder.write("file", [1])
    try #require(chmod(folder.path, 0o1777) == 0)
    #expect(try facts(.objectDirectory, ofFile: inside).object.directoryWorldWritable, "sticky or not")
  }

  @Test func theFileSystemIsNamedAsTheMountsNameIt() throws {
    let proc = try facts(.objectFileSystem, ofFile: "/proc/version")
    #expect(text(proc.object.fileSystemType) == "proc")
    let status = try FileStatus.of(path: "/etc/passwd")
    let place = try #require(try ownMounts().place(major: status.deviceMajor, minor: status.deviceMinor))
    #expect(try facts(.objectFileSystem, ofFile: "/etc/passwd").object.fileSystemType == place.type)
  }

  /// A file system that is mounted elsewhere only is known by statfs(2)'s number.
  @Test func withoutAMountTheFileSystemIsKnownByItsNumber() throws {
    let file = try Descriptor.open("/proc/version", O_RDONLY)
    #expect(try text(facts(.objectFileSystem, of: file.rawValue, mounts: MountTable()).object.fileSystemType) == "proc")
  }

  @Test func mountFlagsAreThoseOfTheMount() throws {
    var own = statvfs()
    for path in ["/etc/passwd", "/proc/version", "/dev/null", "/sys/kernel/notes"] where access(path, R_OK) == 0 {
      try #require(statvfs(path, &own) == 0)
      let flags = try facts(.objectFileSystem, ofFile: path).object.mountFlags
      #expect(flags.contains(.readOnly) == (own.f_flag & UInt(ST_RDONLY) != 0), "\(path)")
      #expect(flags.contains(.noSetuid) == (own.f_flag & UInt(ST_NOSUID) != 0), "\(path)")
      #expect(flags.contains(.noDevices) == (own.f_flag & 4 != 0), "\(path)")
      #expect(flags.contains(.noExec) == (own.f_flag & 8 != 0), "\(path)")
    }
  }

  @Test func protectedNamesAreThoseOfTheFile() throws {
    let path = try folder.write("secret", [1])
    let status = try FileStatus.of(path: path)
    let names = Names(inode: status.inode)
    let file = try Descriptor.open(path, O_RDONLY)
    let other = try Descriptor.open("/etc/passwd", O_RDONLY)
    #expect(try facts(.objectPath, of: file.rawValue, protected: names).object.protectedNames == [Array("/a".utf8)])
    #expect(try facts(.objectPath, of: other.rawValue, protected: names).object.protectedNames == [])
  }

  private struct Names: ProtectedNames {
    let inode: UInt64
    func names(of file: FileIdentity) -> [[UInt8]] { file.inode == inode ? [Array("/a".utf8)] : [] }
  }

  @Test(arguments: [-1, 9999] as [Int32])
  func withoutAnObjectEverythingIsUnreadable(_ descriptor: Int32) throws {
    let facts = try facts(.object, of: descriptor)
    #expect(facts.present == .request && facts.failed == ofObject && facts.failure == .objectUnreadable)
  }
}
