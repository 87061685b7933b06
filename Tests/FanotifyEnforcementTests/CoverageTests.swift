// Which file systems are local, where a mount is marked, and which losses count as losses.

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
    let root = try #require(Mounts.entry(of: "/", in: entries))
    #expect(root.mountPoint == Array("/".utf8))
    let status = try FileStatus.of(path: "/")
    #expect(root.major == status.deviceMajor && root.minor == status.deviceMinor)
    let device = { Mounts.device(mountedAt: $0, in: entries) }
    #expect(device("/") != nil && device("/proc") != nil && device("/proc") != device("/"))
    // A path on a file system does not stand for it: what is meant may be mounted there later.
    #expect(device("/usr/bin/env") == nil && device("/proc/self") == nil && device("/nothing-here") == nil)
    #expect(Mounts.entry(of: "/proc/self/status", in: entries)?.type == Array("proc".utf8))
    #expect(Mounts.entry(of: "/nothing-here", in: entries) == nil)
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
