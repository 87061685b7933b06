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

  /// As if a file on such a file system were open.
  private func isRootsAlone(_ magic: UInt64, _ major: UInt32, _ minor: UInt32) throws -> Bool {
    let file = try Descriptor.open(folder.path, O_RDONLY)
    var system = try FileSystemStatus.of(descriptor: file.rawValue)
    system.type = magic
    return StorageTable().isRootsAlone(file.rawValue, system, major: major, minor: minor)
  }

  @Test(
    arguments: [
      (0x0102_1994, true), (0x8584_58f6, true), (0x2fc1_2fc1, true),
      // A file in the place of a device; and a btrfs that does not say which one it is.
      (0xe0f5_e1e2, false), (0xca45_1a4e, false), (0x9123_683e, false), (0xef53, false),
    ] as [(UInt64, Bool)])
  func withoutADeviceTheKindTells(_ magic: UInt64, _ isAlone: Bool) throws {
    #expect(try isRootsAlone(magic, 0, 40) == isAlone)
  }

  @Test func anUnknownDeviceIsNotTrusted() throws { #expect(try !isRootsAlone(0xef53, 511, 1_000_000)) }

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
    let file = try Descriptor.open(folder.path, O_RDONLY)
    var system = try FileSystemStatus.of(descriptor: file.rawValue)
    system.type = 0xef53
    #expect(table.isRootsAlone(file.rawValue, system, major: 7, minor: minor) == isAlone)
    try #require(chmod(image, 0o666) == 0)
    Clock.sleep(nanoseconds: 150_000_000)
    #expect(
      !table.isRootsAlone(file.rawValue, system, major: 7, minor: minor), "a loop device is not believed for long")
  }

  static let hasBtrfs =
    hasLoops && (try? FileStatus.of(path: PathBytes("/usr/sbin/mkfs.btrfs"))) != nil
    && (try? FileStatus.of(path: PathBytes("/sys/fs/btrfs"))) != nil

  /// Somebody's image makes its own files doubtful, and nobody else's.
  @Test(.enabled(if: hasBtrfs)) func aBtrfsAnswersForItselfAlone() throws {
    let script = """
      set -e; cd '\(folder.path)'
      for n in one two; do
        truncate -s 128M $n.image; mkfs.btrfs -q $n.image; chmod 600 $n.image
        mkdir $n; mount -o loop $n.image $n; echo > $n/file
      done
      chmod 666 two.image; touch ready; exec sleep 60
      """
    let words = ["unshare", "-m", "--propagation", "private", "sh", "-c", script]
    let pid = try ChildProcess.start("/usr/bin/unshare", words)
    defer {
      ChildProcess.end(pid)
      try? run("cd '\(folder.path)' && rmdir one two && rm -f one.image two.image")
    }
    for _ in 0..<2000 where (try? FileStatus.of(path: PathBytes("\(folder.path)/ready"))) == nil {
      Clock.sleep(nanoseconds: 5_000_000)
    }
    let table = StorageTable()
    for (name, isAlone) in [("one", true), ("two", false), ("one", true)] {
      let file = try Descriptor.open("/proc/\(pid)/root\(folder.path)/\(name)/file", O_RDONLY)
      let status = try FileStatus.of(descriptor: file.rawValue)
      try #require(status.deviceMajor == 0)
      let system = try FileSystemStatus.of(descriptor: file.rawValue)
      let found = table.isRootsAlone(file.rawValue, system, major: 0, minor: status.deviceMinor)
      #expect(found == isAlone, "\(name)")
    }
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
