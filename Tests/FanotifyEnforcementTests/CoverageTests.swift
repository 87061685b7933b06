// Which file systems are local, where a mount is marked, and which losses count as losses.

import Fanotify
import Glibc
import ProcFS
import SystemCalls
import Testing

@testable import FanotifyEnforcement

@Suite struct CoverageTests {
  @Test(arguments: [
    "ext4", "xfs", "btrfs", "tmpfs", "ramfs", "overlay", "squashfs", "erofs", "vfat", "exfat", "iso9660", "f2fs", "zfs",
    "bcachefs", "devtmpfs", "ntfs3", "a-file-system-of-tomorrow", "procfs", "nfsd4",
  ])
  func isLocal(_ type: String) { #expect(FileSystemKinds.isLocal(Array(type.utf8))) }

  @Test(arguments: [
    "proc", "sysfs", "cgroup", "cgroup2", "devpts", "securityfs", "debugfs", "tracefs", "bpf", "mqueue", "hugetlbfs",
    "nsfs", "pipefs", "sockfs", "autofs", "binfmt_misc", "configfs", "pstore", "efivarfs",
  ])
  func isMadeByTheKernel(_ type: String) { #expect(!FileSystemKinds.isLocal(Array(type.utf8))) }

  @Test(arguments: [
    "nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "virtiofs", "afs", "lustre", "glusterfs", "fuse", "fuse.sshfs",
    "fuse.rclone", "fuseblk", "fuse.",
  ])
  func isAnsweredElsewhere(_ type: String) { #expect(!FileSystemKinds.isLocal(Array(type.utf8))) }

  @Test func thisMachinesMountsAreReadAndFound() throws {
    let entries = try Mounts.own()
    let entry = { path in Mounts.status(of: path).flatMap { Mounts.entry(holding: $0, in: entries) } }
    let root = try #require(entry("/"))
    #expect(root.mountPoint == Array("/".utf8))
    let status = try FileStatus.of(path: "/")
    #expect(root.major == status.deviceMajor && root.minor == status.deviceMinor)
    let device = { Mounts.device(mountedAt: $0, in: entries) }
    #expect(device("/") != nil && device("/proc") != nil && device("/proc") != device("/"))
    // A path on a file system does not stand for it: what is meant may be mounted there later.
    #expect(device("/usr/bin/env") == nil && device("/proc/self") == nil && device("/nothing-here") == nil)
    #expect(entry("/proc/self/status")?.type == Array("proc".utf8))
    #expect(entry("/nothing-here") == nil)
  }

  @Test(arguments: [
    ("/", false), ("/usr", false), ("/remote", true), ("/remote/tmp", true), ("/remoted", false), ("/proc/x", true),
  ])
  func theWayOverAnotherHostMayNotEnd(_ path: String, _ mayWait: Bool) {
    let text = """
      22 1 254:1 / / rw - ext4 /dev/vda1 rw
      23 22 0:5 / /proc rw - proc proc rw
      24 22 0:40 / /remote rw - fuse.sshfs host: rw
      25 24 0:41 / /remote/tmp rw - tmpfs tmpfs rw

      """
    let entries = Array(text.utf8).withUnsafeBytes { MountInfo.parse($0).entries }
    #expect(entries.count == 4 && Mounts.mayWait(Array(path.utf8), in: entries) == mayWait)
  }

  @Test func theExcludedFileSystemIsTheOneOnTop() {
    let text = "24 22 0:40 / /mnt rw - fuse x rw\n25 24 0:41 / /mnt rw - tmpfs tmpfs rw\n"
    let entries = Array(text.utf8).withUnsafeBytes { MountInfo.parse($0).entries }
    #expect(Mounts.device(mountedAt: "/mnt", in: entries) == 41)
    #expect(Mounts.device(mountedAt: "/mnt/", in: entries) == nil)
  }

  @Test func aTargetIsReachedThroughItsNamespace() throws {
    let text = Array("36 35 98:7 / /mnt\\0401 rw - ext4 /dev/x rw\n".utf8)
    let entry = try #require(text.withUnsafeBytes { MountInfo.parse($0).entries.first })
    let own = CoverageTarget(entry, prefix: "")
    let foreign = CoverageTarget(entry, prefix: "/proc/9/root")
    #expect(own.path == PathBytes("/mnt 1") && foreign.path == PathBytes("/proc/9/root/mnt 1"))
    #expect(own.device == foreign.device && own.device == 98 << 32 | 7 && own.mount == 36)
  }

  @Test func everyLossIsCountedUnderItsOwnName() {
    let losses = ListenerLosses()
    for (index, kind) in ListenerLosses.Kind.allCases.enumerated() {
      for _ in 0...index { losses.count(kind) }
    }
    for (index, kind) in ListenerLosses.Kind.allCases.enumerated() { #expect(losses.value(kind) == UInt64(index + 1)) }
    #expect(Set(ListenerLosses.Kind.allCases.map(\.name)).count == ListenerLosses.Kind.allCases.count)
  }

  /// A process that was killed while it waited needs no answer.
  @Test func anAnswerThatNobodyWaitsForIsNoLoss() {
    let losses = ListenerLosses()
    losses.noteAnswer(.noEntry)
    losses.noteAnswer(.permission)
    #expect(losses.value(.subjectGone) == 1 && losses.value(.answerRefused) == 1)
    #expect(ListenerLosses.Kind.allCases.filter { !$0.isLoss } == [.subjectGone])
  }
}

extension MemoryTests {
  /// What is told of mounts that come and go.
  @Suite final class MountChangeTests {
    private let folder = Tree()
    private let coverage: FileSystemCoverage
    private let groups: [PermissionGroup]

    init() throws {
      groups = [try PermissionGroup(), try PermissionGroup()]
      coverage = try FileSystemCoverage(
        group: groups[0], guests: groups[1], events: [.open, .execute], scope: .paths([]), exclude: [],
        mounts: MountTable())
      try folder.directory("one")
      try folder.directory("two")
    }

    deinit {
      for name in ["two", "one"] {
        guard let pid = try? ChildProcess.start("/usr/bin/umount", ["umount", "-q", place(name)]) else { continue }
        waitpid(pid, nil, 0)
      }
    }

    @Test func aDeviceNumberThatIsUsedAgainIsAnotherFileSystem() throws {
      try mount("-t", "tmpfs", "first", place("one"))
      let first = try device("one")
      #expect(try changes(at: "one") == ["marked one"])
      #expect(try changes(at: "one").isEmpty)
      try unmount("one")
      try mount("-t", "tmpfs", "second", place("one"))
      // Otherwise this test tries nothing: the kernel gives the lowest number that is free.
      try #require(try device("one") == first)
      #expect(try changes(at: "one") == ["gone one", "marked one"])
      #expect(try changes(at: "one").isEmpty)
      try unmount("one")
      try mount("-t", "tmpfs", "third", place("two"))
      try #require(try device("two") == first)
      #expect(try changes(at: "two") == ["gone one", "marked two"])
      #expect(coverage.marked.map(\.mountPoint) == [Array(place("two").utf8)])
    }

    @Test func anotherMountOfTheSameFileSystemIsNoNews() throws {
      try mount("-t", "tmpfs", "first", place("one"))
      #expect(try changes(at: "one") == ["marked one"])
      try mount("--bind", place("one"), place("two"))
      #expect(try changes(at: "one", "two").isEmpty)
      try unmount("one")
      #expect(try changes(at: "two").isEmpty)
      #expect(coverage.marked.map(\.mountPoint) == [Array(place("two").utf8)])
    }

    private func place(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func device(_ name: String) throws -> UInt64 {
      let status = try FileStatus.of(path: PathBytes(place(name)))
      return UInt64(status.deviceMajor) << 32 | UInt64(status.deviceMinor)
    }

    /// Never where nothing is mounted: the file system of the tests themselves would be marked, and nobody answers.
    private func changes(at names: String...) throws -> [String] {
      let root = try FileStatus.of(path: PathBytes(folder.path))
      for name in names { try #require(try device(name) != UInt64(root.deviceMajor) << 32 | UInt64(root.deviceMinor)) }
      coverage.replace(scope: .paths(names.map(place)), exclude: [])
      return try coverage.update().map { change in
        switch change {
        case .marked(let file): "marked \(name(file))"
        case .gone(let file): "gone \(name(file))"
        case .failed(let file, let why): "failed \(name(file)) \(why)"
        }
      }
    }

    private func name(_ file: MarkedFileSystem) -> String {
      String(decoding: file.mountPoint.suffix(3), as: UTF8.self)
    }

    private func mount(_ arguments: String...) throws { try run("/usr/bin/mount", arguments) }
    private func unmount(_ name: String) throws { try run("/usr/bin/umount", [place(name)]) }

    private func run(_ program: String, _ arguments: [String]) throws {
      let pid = try ChildProcess.start(program, [program] + arguments)
      var status: Int32 = 0
      try #require(waitpid(pid, &status, 0) == pid && status == 0, "\(program) \(arguments)")
    }
  }
}
