// Descriptors that close themselves, reading and writing through them, and what the kernel says of files.

import Glibc
import SystemCalls
import Testing

/// A temporary folder that goes with its owner.
final class Folder {
  let path: String

  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  func write(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws -> String {
    let file = "\(path)/\(name)"
    try Descriptor.open(file, O_WRONLY | O_CREAT | O_TRUNC, mode: mode).writeAll(bytes)
    return file
  }

  deinit {
    guard let stream = opendir(path) else { return }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map { $0 } }
      unlink("\(path)/\(String(decoding: name, as: UTF8.self))")
    }
    closedir(stream)
    rmdir(path)
  }
}

@Suite struct DescriptorTests {
  private let folder = Folder()

  private func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) >= 0 }

  @Test func anOwnerClosesItsDescriptor() throws {
    var number: Int32 = -1
    do {
      // A high number, which no other thread is given meanwhile.
      let high = fcntl(0, F_DUPFD_CLOEXEC, 900)
      try #require(high >= 900)
      let owner = Descriptor(owning: high)
      number = owner.rawValue
      #expect(isOpen(number))
    }
    #expect(!isOpen(number))
  }

  @Test func aReleasedDescriptorStaysOpen() throws {
    let number = try Descriptor.open("/dev/null", O_RDONLY).release()
    #expect(isOpen(number))
    #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0, "nothing is handed on to a program")
    closeDescriptor(number)
  }

  @Test func aDuplicateIsTheSameFile() throws {
    let first = try Descriptor.open("/etc/passwd", O_RDONLY)
    let second = try Descriptor.duplicate(first.rawValue)
    let (number, other) = (first.rawValue, second.rawValue)
    #expect(number != other && other >= 3)
    #expect(try FileStatus.of(descriptor: number).isSameFile(as: FileStatus.of(descriptor: other)))
    #expect(throws: Errno.badDescriptor) { _ = try Descriptor.duplicate(-1) }
  }

  @Test func whatIsWrittenIsReadUpToALimit() throws {
    let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let file = try folder.write("big", content)
    #expect(try Descriptor.open(file, O_RDONLY).readAll(limit: 200_000) == content)
    #expect(throws: Errno(EFBIG)) { _ = try Descriptor.open(file, O_RDONLY).readAll(limit: 199_999) }
    #expect(throws: Errno.noEntry) { _ = try Descriptor.open(self.folder.path + "/none", O_RDONLY) }
  }

  @Test func readingAtAnOffsetEndsWithTheFile() throws {
    let file = try Descriptor.open(try folder.write("ten", Array("0123456789".utf8)), O_RDONLY)
    var buffer = [UInt8](repeating: 0, count: 4)
    let number = file.rawValue
    for (offset, expected) in [(0, "0123"), (8, "89"), (10, ""), (1 << 40, "")] as [(Int64, String)] {
      let count = try buffer.withUnsafeMutableBytes { try readDescriptor(number, $0, at: offset) }
      #expect(String(decoding: buffer[..<count], as: UTF8.self) == expected)
    }
  }

  @Test func theStatusIsThatOfTheFile() throws {
    let file = try folder.write("program", Array("abc".utf8), mode: 0o600)
    try #require(chmod(file, 0o4751) == 0)
    let status = try FileStatus.of(path: file)
    var own = stat()
    try #require(stat(file, &own) == 0)
    #expect(status.inode == own.st_ino)
    #expect(status.size == 3 && status.links == 1 && status.mode == 0o104751 && status.isRegular)
    #expect(status.owner == geteuid())
    #expect(status.deviceMajor == UInt32((own.st_dev >> 8) & 0xfff))
    #expect(status.changeTime == Int64(own.st_ctim.tv_sec) * 1_000_000_000 + Int64(own.st_ctim.tv_nsec))
    #expect(try FileStatus.of(path: folder.path).isDirectory)
  }

  @Test func aLinkIsFollowedOnRequest() throws {
    let file = try folder.write("file", [1])
    let link = folder.path + "/link"
    try #require(symlink(file, link) == 0)
    #expect(try FileStatus.of(path: link).isSameFile(as: FileStatus.of(path: file)))
    #expect(try !FileStatus.of(path: link, followingLinks: false).isRegular)
    #expect(try readLink(link) == Array(file.utf8))
    #expect(throws: Errno.invalid) { _ = try readLink(file) }
  }

  /// Without CAP_DAC_READ_SEARCH the kernel opens no handle.
  @Test(.enabled(if: geteuid() == 0))
  func aHandleLeadsToTheFileWhateverItsName() throws {
    let file = try folder.write("before", [1, 2, 3])
    let open = try Descriptor.open(file, O_RDONLY)
    var handle = try FileHandle(of: open.rawValue)
    try #require(rename(file, folder.path + "/after") == 0)
    let mount = try Descriptor.open(folder.path, O_RDONLY | O_DIRECTORY)
    let found = try handle.openPath(mount: mount.rawValue)
    let (number, original) = (found.rawValue, open.rawValue)
    #expect(try FileStatus.of(descriptor: number).isSameFile(as: FileStatus.of(descriptor: original)))
    #expect(try readLink("/proc/self/fd/\(number)") == Array((folder.path + "/after").utf8))
  }
}
