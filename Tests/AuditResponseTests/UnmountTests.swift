// Holds that a mount is taken away only where it is the one that was meant. Every mount lives in a child's namespace.

import Glibc
import SystemCalls
import Testing

@testable import ProcFS

@Suite("Taking mounts away")
struct UnmountTests {
  /// A shell in a namespace of its own, in a tmpfs of its own with a mount `m` and a file `f` that is mounted upon.
  private func helper() throws -> Helper {
    let child = try Helper(unshare: ["-m", "--propagation", "private"])
    try child.run(
      "cd $(mktemp -d /tmp/lilium-unmount-XXXXXX) && mount -t tmpfs own . && cd . && mkdir m && echo under >f "
        + "&& echo upon >g && mount -t tmpfs new m && mount --bind g f")
    return child
  }

  private func cleanUp(_ child: Helper) throws { try child.run(#"d=$PWD; cd /; umount -l "$d"; rmdir "$d""#) }

  private func entry(_ child: Helper, _ name: String) throws -> MountEntry {
    let place = Array("\(try child.run("pwd"))/\(name)".utf8)
    return try #require(MountInfo.read(pid: child.pid).last { $0.mountPoint == place })
  }

  private func detach(_ place: [UInt8], id: UInt64, _ child: Helper) -> UnmountFailure? {
    do {
      let namespace = try Descriptor.open("/proc/\(child.pid)/ns/mnt", 0)
      do throws(UnmountFailure) {
        try MountControl.detach(PathBytes(place), id: id, mountNamespace: namespace.rawValue)
        return nil
      } catch {
        return error
      }
    } catch {
      return .refused(Errno(0))
    }
  }

  @Test(arguments: ["m", "f"])
  func theMountGoesAndNoOther(_ name: String) throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    let before = try MountInfo.read(pid: child.pid)
    let mount = try entry(child, name)
    let own = try MountInfo.read()
    #expect(detach(mount.mountPoint, id: mount.id, child) == nil)
    #expect(try MountInfo.read(pid: child.pid) == before.filter { $0 != mount })
    #expect(try MountInfo.read() == own, "this namespace stays as it was")
    #expect(detach(mount.mountPoint, id: mount.id, child) == .changed)
  }

  /// Who is in it keeps it, without a place.
  @Test func aMountInUseGoesToo() throws {
    let child = try helper()
    let mount = try entry(child, "m")
    try child.run("cd m")
    #expect(detach(mount.mountPoint, id: mount.id, child) == nil)
    #expect(try !MountInfo.read(pid: child.pid).contains { $0.id == mount.id })
    let folder = PathBytes(mount.mountPoint).folder
    try child.run("cd /; umount -l '\(folder)'; rmdir '\(folder)'")
  }

  @Test func anotherMountStays() throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    let mount = try entry(child, "m")
    #expect(detach(mount.mountPoint, id: mount.id + 1, child) == .changed)
    #expect(detach(mount.mountPoint + Array("/none".utf8), id: mount.id, child) == .changed)
    try child.run("mount -t tmpfs upon m")
    #expect(detach(mount.mountPoint, id: mount.id, child) == .changed, "one that lies upon it hides it")
    #expect(try entry(child, "m").id != mount.id)
  }

  /// The last part of a path may have become a link to a mount that nobody meant.
  @Test func aLinkIsNotFollowed() throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    try child.run("ln -s m link")
    let mount = try entry(child, "m")
    let folder = mount.mountPoint.dropLast(1)
    #expect(detach(folder + Array("link".utf8), id: mount.id, child) == .changed)
    #expect(try entry(child, "m") == mount)
  }

  @Test func whatIsNoNamespaceIsRefused() throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    let mount = try entry(child, "m")
    let other = try Descriptor.open("/proc/self/ns/uts", 0)
    #expect(throws: UnmountFailure.self) {
      try MountControl.detach(PathBytes(mount.mountPoint), id: mount.id, mountNamespace: other.rawValue)
    }
    #expect(throws: UnmountFailure.self, "in this namespace it is not there") {
      try MountControl.detach(PathBytes(mount.mountPoint), id: mount.id, mountNamespace: -1)
    }
    #expect(try entry(child, "m") == mount)
  }
}
