// What surrounds remembered files: other names, other mounts, mounts that change, a clock that is set.

import AccessModel
import Glibc
import ProcFS
import SystemCalls
import Testing

@testable import FanotifyEnforcement

extension MemoryTests {
  @Suite
  final class SurroundingsTests: MemoryWorld {
    /// The kernel remembers the file, not the path that was decided on.
    @Test func aFileWithTwoNamesIsNotRememberedByPath() throws {
      let file = try make("file")
      try #require(link(file, path("other")) == 0)
      wait()
      #expect(try !remember(file) && !takeMark(file))
      #expect(try remember(file, withPath: false))
      try #require(unlink(path("other")) == 0)
      wait()
      #expect(try remember(file))
    }

    @Test(arguments: [("a", "b"), ("a/file", "other")])
    func aFileWithTwoMountsIsNotRememberedByPath(_ source: String, _ target: String) throws {
      let file = try make("a/file")
      if source == "a" { try folder.directory(target) } else { try folder.file(target) }
      #expect(try remember(file))
      let flushed = memory.counts.flushed
      try mount(["--bind", path(source), path(target)])
      defer { leave(path(target)) }
      #expect(eventually { memory.counts.flushed > flushed })
      #expect(try !takeMark(file))
      #expect(try !remember(file))
      let second = source == "a" ? path("b/file") : path("other")
      #expect(try !remember(second))
      #expect(try remember(file, withPath: false))
      let before = memory.counts.flushed
      try unmount(path(target))
      #expect(eventually { memory.counts.flushed > before })
      #expect(try remember(file))
    }

    /// Another image may be mounted under the same device number, with other content in the same inode.
    @Test func whatOthersKeepEndsWithAMount() throws {
      try folder.directory("place")
      #expect(witness.files.isEmpty)
      try mount(["-t", "tmpfs", "none", path("place")])
      defer { leave(path("place")) }
      #expect(eventually { witness.files.contains(nil) })
      let told = witness.files.count
      wait()
      try unmount(path("place"))
      #expect(eventually { witness.files.count > told })
    }

    /// By a nanosecond, and back.
    @Test func aClockThatIsSetEndsEverything() throws {
      let file = try make("file")
      #expect(try remember(file))
      #expect(witness.files.isEmpty)
      guard Self.setClock(forward: true) else { return }
      defer { _ = Self.setClock(forward: false) }
      #expect(eventually { witness.files.contains(nil) })
      #expect(try !takeMark(file))
    }

    /// False where this process may not (CAP_SYS_TIME). clock_adjtime(2), which the Glibc module does not carry.
    private static func setClock(forward: Bool) -> Bool {
      typealias Call = @convention(c) (clockid_t, UnsafeMutablePointer<Int64>) -> Int32
      guard let symbol = dlsym(nil, "clock_adjtime") else { return false }
      // struct timex: its first word is `modes`, the tenth and eleventh are the time.
      var change = [Int64](repeating: 0, count: 64)
      // ADJ_SETOFFSET, ADJ_NANO; the part of a second is never negative.
      change[0] = 0x0100 | 0x2000
      (change[9], change[10]) = forward ? (0, 1) : (-1, 999_999_999)
      return unsafeBitCast(symbol, to: Call.self)(CLOCK_REALTIME, &change) >= 0
    }

    private func mount(_ arguments: [String]) throws { try run("/usr/bin/mount", arguments) }
    private func unmount(_ path: String) throws { try run("/usr/bin/umount", [path]) }

    /// Whatever is still mounted there.
    private func leave(_ path: String) {
      guard let pid = try? ChildProcess.start("/usr/bin/umount", ["umount", "-q", path]) else { return }
      waitpid(pid, nil, 0)
    }

    private func run(_ program: String, _ arguments: [String]) throws {
      let pid = try ChildProcess.start(program, [program] + arguments)
      var status: Int32 = 0
      try #require(waitpid(pid, &status, 0) == pid && status == 0, "\(program) \(arguments)")
    }
  }
}

@Suite struct OnlyPlaceTests {
  @Test(
    arguments: [
      ("/usr/bin/ls", 1, 1, true), ("/usr/bin/ls", 1, 2, false), ("/usr/bin/ls", 9, 1, false),
      ("/srv/data/x", 1, 1, false), ("/srv/data2/x", 1, 1, true), ("/srv/data", 1, 1, false), ("/srv/dat", 1, 1, true),
      ("/mnt/data/x", 2, 1, false), ("/usr/bin/one", 1, 1, false), ("/usr/bin/one2", 1, 1, true),
      ("/home/x", 4, 1, true), ("/homes/x", 4, 1, false), ("/boot/x", 5, 1, false), ("/efi/x", 6, 1, false),
    ] as [(String, UInt64, UInt32, Bool)])
  func aFileHasOnePlaceWhereNoOtherMountShowsIt(_ path: String, _ mount: UInt64, _ links: UInt32, _ isOnly: Bool) {
    let files = LastingFiles()
    // Of a kind that is not looked at.
    let text = """
      1 0 8:1 / / rw - proc x rw
      2 1 8:1 /srv/data /mnt/data rw - proc x rw
      3 1 8:1 /usr/bin/one /mnt/one rw - proc x rw
      4 1 8:2 /home /home rw - proc x rw
      5 1 8:3 / /boot rw - proc x rw
      6 1 8:3 / /efi rw - proc x rw
      """
    files.replace(with: Array(text.utf8).withUnsafeBytes { MountInfo.parse($0).entries })
    #expect(files.isOnlyPlace(Array(path.utf8), mount: mount, links: links) == isOnly)
  }
}
