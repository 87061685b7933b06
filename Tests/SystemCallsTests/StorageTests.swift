// What lies beneath a file system, who can write a file, and file handles from their parts.

import Glibc
import SystemCalls
import Testing

@Suite struct StorageTests {
  private let folder = Folder()

  @Test(
    arguments: [
      (0xef53, .own), (0x5846_5342, .own), (0x9123_683e, .own), (0x0102_1994, .own), (0x7371_7368, .readOnly),
      (0xe0f5_e1e2, .readOnly), (0x794c_7630, .layered), (0x6573_5546, .foreign), (0x6969, .foreign),
      (0xff53_4d42, .foreign), (0x0102_1997, .foreign), (0x9fa0, .foreign), (0, .foreign), (0x1234_5678, .foreign),
    ] as [(UInt64, StorageKind)])
  func aKindIsKnownByItsMagic(_ magic: UInt64, _ kind: StorageKind) { #expect(StorageKind(magic: magic) == kind) }

  @Test(
    arguments: [
      (0o644, true), (0o755, true), (0o4755, true), (0o600, true), (0o664, false), (0o646, false), (0o620, false),
      (0o602, false), (0o777, false), (0o1755, true),
    ] as [(UInt32, Bool)])
  func whoMayWriteShowsInTheMode(_ mode: UInt32, _ isAlone: Bool) throws {
    let path = try folder.write("file", [1])
    try #require(chmod(path, mode) == 0)
    var status = try FileStatus.of(path: path)
    status.owner = 0
    #expect(status.isWrittenByRootAlone == isAlone)
    status.owner = 1
    #expect(!status.isWrittenByRootAlone)
  }

  /// acl(5): the mask of a list stands in the group's place.
  @Test(.enabled(if: ProcessSetup.effectiveUserID == 0)) func anAccessListThatGrantsWritingShowsInTheMode() throws {
    let path = try folder.write("file", [1])
    // Version 2; owner rw-, user 1 rw-, group r--, mask rw-, others r--.
    let list = "struct.pack('<I'+'HHI'*5,2,1,6,2**32-1,2,6,1,4,4,2**32-1,16,6,2**32-1,32,4,2**32-1)"
    try run("python3 -c \"import os,struct; os.setxattr('\(path)','system.posix_acl_access',\(list))\"")
    #expect(try FileStatus.of(path: path).mode & 0o020 != 0)
    #expect(try !FileStatus.of(path: path).isWrittenByRootAlone)
  }

  @Test func theFileSystemHasAName() throws {
    let first = try Descriptor.open(try folder.write("one", [1]), O_RDONLY)
    let second = try Descriptor.open(try folder.write("two", [1]), O_RDONLY)
    let process = try Descriptor.open("/proc/self/status", O_RDONLY)
    let system = try FileSystemStatus.of(descriptor: first.rawValue)
    #expect(try FileSystemStatus.of(descriptor: second.rawValue) == system)
    #expect(try FileSystemStatus.of(descriptor: process.rawValue).identity != system.identity)
  }

  @Test func aHandleHasBoundedRoom() throws {
    let bytes = [UInt8](repeating: 1, count: 129)
    func make(_ bytes: ArraySlice<UInt8>) -> Errno? {
      bytes.withUnsafeBytes { bytes in
        do throws(Errno) { _ = try FileHandle(type: 1, bytes: bytes) } catch { return error }
        return nil
      }
    }
    #expect(make(bytes[...]) == Errno(EOVERFLOW))
    #expect(make(bytes[..<128]) == nil)
    #expect(make(bytes[..<1]) == nil)
  }

  @Test(.enabled(if: ProcessSetup.effectiveUserID == 0)) func aHandleThatNobodyMadeOpensNothing() throws {
    let mount = try Descriptor.open("/tmp", O_RDONLY)
    for type in [1, 0x81, 0xff, -1] as [Int32] {
      let error = [UInt8](repeating: 0xee, count: 8).withUnsafeBytes { bytes -> Errno? in
        do throws(Errno) {
          var handle = try FileHandle(type: type, bytes: bytes)
          _ = try handle.openPath(mount: mount.rawValue)
          return nil
        } catch { return error }
      }
      #expect(error != nil, "type \(type)")
    }
  }

  // MARK: - Block devices

  @Test func memoryStandsOnNoFile() { #expect(StorageTable().isRootsAlone(major: 0, minor: 40)) }

  @Test func anUnknownDeviceIsNotTrusted() { #expect(!StorageTable().isRootsAlone(major: 511, minor: 1_000_000)) }

  static let hasLoops =
    ProcessSetup.effectiveUserID == 0 && (try? FileStatus.of(path: PathBytes("/dev/loop-control"))) != nil
    && (try? FileStatus.of(path: PathBytes("/usr/sbin/losetup"))) != nil

  /// Who can write the file behind a loop device writes the file system on it.
  @Test(
    .enabled(if: hasLoops),
    arguments: [(0o600, 0, true), (0o644, 0, true), (0o666, 0, false), (0o620, 0, false), (0o600, 1, false)]
      as [(UInt32, UInt32, Bool)])
  func aLoopDeviceIsAsSafeAsItsFile(_ mode: UInt32, _ owner: UInt32, _ isAlone: Bool) throws {
    let image = try folder.write("image", [UInt8](repeating: 0, count: 1 << 20))
    try #require(chown(image, owner, 0) == 0 && chmod(image, mode) == 0)
    let device = try attach(image)
    defer { try? detach(device) }
    var status = stat()
    try #require(stat(device, &status) == 0)
    let minor = UInt32(truncatingIfNeeded: status.st_rdev & 0xff)
    let table = StorageTable()
    #expect(table.isRootsAlone(major: 7, minor: minor) == isAlone)
    try #require(chmod(image, 0o666) == 0)
    Clock.sleep(nanoseconds: 150_000_000)
    #expect(!table.isRootsAlone(major: 7, minor: minor), "a loop device is not believed for long")
  }

  private func attach(_ image: String) throws -> String {
    let output = folder.path + "/device"
    try run("losetup -f --show '\(image)' > '\(output)'")
    let text = try Descriptor.open(output, O_RDONLY).readAll(limit: 100)
    return String(decoding: text.dropLast(), as: UTF8.self)
  }

  private func detach(_ device: String) throws { try run("losetup -d '\(device)'") }

  private func run(_ script: String) throws {
    let pid = try ChildProcess.start("/bin/sh", ["sh", "-c", script])
    var status: Int32 = 0
    try #require(waitpid(pid, &status, 0) == pid && status == 0, "\(script)")
  }
}
