// Holds that the host's own /proc names the program, the files and the control group of this very process, and no other.

import AccessModel
import Foundation
import ProcFS
import SystemCalls
import Testing

@testable import LSMEnforcement

@Suite("What is looked up on the host") struct SightTests {
  private let pid = ProcessSetup.processID
  private let sight = ProcessSight()

  private func start() throws -> UInt64 {
    let text = Array(try #require(FileManager.default.contents(atPath: "/proc/self/stat")))
    return try #require(text.withUnsafeBytes { ProcessStat($0)?.startTime })
  }

  private func identity(_ path: String) throws -> FileIdentity {
    let status = try FileStatus.of(path: PathBytes(path))
    return FileIdentity(
      device: DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor), inode: status.inode)
  }

  @Test func theOwnProgram() throws {
    let file = try identity("/proc/self/exe")
    let start = try start()
    let seen = try #require(sight.program(of: pid, startedAt: start, file))
    #expect(seen.path == (try readLink("/proc/self/exe")))
    #expect(sight.program(of: pid, startedAt: start + 1, file) == nil, "another process that had the number")
    #expect(sight.program(of: pid, startedAt: start, FileIdentity(device: file.device, inode: 1)) == nil)
    #expect(sight.program(of: .max, startedAt: start, file) == nil)
  }

  @Test func anOpenFile() throws {
    let path = "/tmp/lilium-sight-\(pid)"
    try Data().write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = try Descriptor.open(path, 0)
    let (identity, start) = (try identity(path), try start())
    let seen = try #require(sight.openFile(file.rawValue, of: pid, startedAt: start, identity))
    #expect(seen.path == Array(path.utf8))
    #expect(sight.openFile(-1, of: pid, startedAt: start, identity) == nil)
    #expect(sight.openFile(0, of: pid, startedAt: start, identity) == nil, "another file")
    try FileManager.default.removeItem(atPath: path)
    let gone = sight.openFile(file.rawValue, of: pid, startedAt: start, identity)
    #expect(gone?.isVerified != true, "nothing has that name any more")
  }

  /// Handles need CAP_DAC_READ_SEARCH; where there is no cgroup2 hierarchy there is nothing to find.
  @Test(.enabled(if: geteuid() == 0 && FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")))
  func aControlGroupByItsNumber() throws {
    let root = try FileStatus.of(path: PathBytes("/sys/fs/cgroup")).inode
    let found = sight.controlGroup(root)
    #expect(found == [UInt8(ascii: "/")] && sight.controlGroup(root) == found)
    let children = try FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup")
    for name in children {
      let path = "/sys/fs/cgroup/\(name)"
      guard let status = try? FileStatus.of(path: PathBytes(path)), status.isDirectory else { continue }
      #expect(sight.controlGroup(status.inode) == Array("/\(name)".utf8))
    }
    #expect(sight.controlGroup(.max) == nil)
  }
}
