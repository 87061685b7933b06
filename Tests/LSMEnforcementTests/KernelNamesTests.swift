// What rules name, looked up on this host: files by the device and inode that the kernel has, groups, calls.

import AccessModel
import Foundation
import Glibc
import Testing

@testable import LSMEnforcement

@Suite struct KernelNamesTests {
  private let folder = "/tmp/lilium-names-\(getpid())-\(UInt32.random(in: 0 ... .max))"

  @Test func aFileIsItsDeviceAndInode() throws {
    let files = FileManager.default
    try files.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? files.removeItem(atPath: folder) }
    #expect(files.createFile(atPath: "\(folder)/file", contents: nil))
    try files.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "file")
    try files.createSymbolicLink(atPath: "\(folder)/folder", withDestinationPath: folder)
    let names = HostNames()
    func file(_ path: String) -> FileIdentity? { names.file(at: Array(path.utf8)) }
    let found = try #require(file("\(folder)/file"))
    var status = stat()
    #expect(stat("\(folder)/file", &status) == 0)
    #expect(found.inode == status.st_ino)
    let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    #expect(mounts.contains(" \(found.device.major):\(found.device.minor) "))
    // No file is called by the path of a link, nor by one that leads through a link.
    #expect(file("\(folder)/folder/file") == nil)
    #expect(file("\(folder)/none") == nil)
    #expect(file("\(folder)/file/none") == nil)
    let link = try #require(file("\(folder)/link"))
    #expect(link.inode != found.inode)
  }

  @Test func aControlGroupIsAFolder() {
    let names = HostNames()
    #expect(names.controlGroup(at: Array("/no/such/group".utf8)) == nil)
    #expect(names.controlGroup(at: Array("/cgroup.procs".utf8)) == nil)
    var status = stat()
    guard stat("/sys/fs/cgroup/cgroup.controllers", &status) == 0, stat("/sys/fs/cgroup", &status) == 0 else { return }
    #expect(names.controlGroup(at: Array("/".utf8)) == UInt64(status.st_ino))
  }

  @Test(
    arguments: [
      ("ptrace", "x86_64", 101), ("ptrace", "i386", 26), ("ptrace", "aarch64", 117), ("openat", "x86_64", 257),
      ("kexec_file_load", "i386", nil), ("nosuch", "x86_64", nil), ("ptrace", "sparc", nil), ("", "x86_64", nil),
    ] as [(String, String, UInt32?)])
  func aCallHasItsNumber(_ name: String, _ architecture: String, _ number: UInt32?) {
    #expect(HostNames().call(name, on: architecture) == number)
  }
}
