// Which allows are handed to the kernel: with ignore marks of this kernel on files of the test's own, in a group that
// asks nobody.

import AccessModel
import Fanotify
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import FanotifyEnforcement

extension MemoryTests {
  @Suite
  final class RememberingTests: MemoryWorld {
    @Test(arguments: [0o755, 0o644, 0o600, 0o4755] as [UInt32]) func aFileOfRootsIsRemembered(_ mode: UInt32) throws {
      let file = try make("a/b/file", mode: mode)
      #expect(try remember(file))
      #expect(memory.counts.remembered == 1 && memory.counts.refused == 0)
      #expect(memory.counts.folders == folder.path.split(separator: "/").count + 2, "all folders but the root")
      #expect(try takeMark(file))
    }

    @Test(arguments: [0o775, 0o757, 0o777, 0o664, 0o662] as [UInt32])
    func whatOthersMayWriteIsNot(_ mode: UInt32) throws {
      let file = try make("file", mode: mode)
      #expect(try !remember(file) && !takeMark(file))
      #expect(memory.counts.refused == 1)
    }

    @Test func whatAnotherOwnsIsNot() throws {
      let file = try make("file")
      try #require(chown(file, 1000, 0) == 0)
      wait()
      #expect(try !remember(file) && !takeMark(file))
    }

    @Test func whatHasNoNameIsNot() throws {
      let file = try make("file")
      let held = try open(file)
      try #require(unlink(file) == 0)
      wait()
      let facts = try facts(file, held.rawValue, withPath: false)
      #expect(!memory.remember(held.rawValue, facts, received: Clock.monotonic(), epoch: memory.epoch))
    }

    @Test(arguments: ["/proc/self/maps", "/sys/kernel/mm/transparent_hugepage/enabled", "/dev/null", "/tmp"])
    func whatIsNoFileOfADiskIsNot(_ path: String) throws {
      guard (try? FileStatus.of(path: PathBytes(path))) != nil else { return }
      #expect(try !remember(path))
    }

    /// Its change time may not have moved on.
    @Test func whatWasChangedJustNowIsNot() throws {
      let file = try make("file")
      try #require(chmod(file, 0o700) == 0)
      #expect(try !remember(file))
      wait()
      #expect(try remember(file))
    }

    /// What matters is how old the change was when the request came, not when it was answered.
    @Test func aSlowAnswerDoesNotMakeAChangeOld() throws {
      let path = try make("file")
      try #require(chmod(path, 0o700) == 0)
      let file = try open(path)
      let facts = try facts(path, file.rawValue)
      let received = Clock.monotonic()
      wait()
      #expect(!memory.remember(file.rawValue, facts, received: received, epoch: memory.epoch))
      #expect(memory.remember(file.rawValue, facts, received: Clock.monotonic(), epoch: memory.epoch))
    }

    @Test func whatIsNotWhatWasDecidedIsNot() throws {
      let path = try make("file")
      let file = try open(path)
      for change in 0..<3 {
        let facts = try facts(path, file.rawValue)
        switch change {
        case 0: facts.object.size += 1
        case 1: facts.object.changeTime -= 1
        default: facts.object.identity.inode += 1
        }
        #expect(!memory.remember(file.rawValue, facts, received: Clock.monotonic(), epoch: memory.epoch))
      }
      #expect(try !takeMark(path))
    }

    @Test func aPathThatIsNotTheFilesIsNot() throws {
      let (path, other) = (try make("one"), try make("two"))
      let file = try open(path)
      let wrong = try facts(other, file.rawValue)
      #expect(!memory.remember(file.rawValue, wrong, received: Clock.monotonic(), epoch: memory.epoch))
      let unverified = try facts(path, file.rawValue)
      unverified.object.pathVerified = false
      #expect(!memory.remember(file.rawValue, unverified, received: Clock.monotonic(), epoch: memory.epoch))
      #expect(try !takeMark(path))
    }

    /// The policy was changed between the request and its answer.
    @Test func anOldRequestIsNotRememberedAfterAFlush() throws {
      let path = try make("file")
      let file = try open(path)
      let facts = try facts(path, file.rawValue)
      let epoch = memory.epoch
      memory.forgetAll()
      #expect(!memory.remember(file.rawValue, facts, received: Clock.monotonic(), epoch: epoch))
      #expect(try !takeMark(path))
      #expect(memory.remember(file.rawValue, facts, received: Clock.monotonic(), epoch: memory.epoch))
    }

    @Test func withoutAGroupOrAThreadNothingIsRemembered() throws {
      let path = try make("file")
      memory.use(nil)
      #expect(try !remember(path))
      let idle = try RememberedAllows()
      idle.use(group)
      let file = try open(path)
      let facts = try facts(path, file.rawValue)
      #expect(!idle.remember(file.rawValue, facts, received: Clock.monotonic(), epoch: idle.epoch))
      #expect(!idle.watch(file.rawValue))
    }

    /// Requests and flushes at once: what is still on its way when a flush comes leaves nothing behind it.
    @Test func noMarkOutlivesAFlush() throws {
      let files = (0..<8).map { path("\($0)") }
      for index in 0..<8 { try folder.file("\(index)") }
      wait()
      let race = Race(memory: memory, files: files)
      let workers = try (0..<3).map { _ in try Thread.start("worker") { race.work() } }
      var left = 0
      for _ in 0..<400 {
        race.epoch.store(memory.epoch, ordering: .releasing)
        Clock.sleep(nanoseconds: 200_000)
        memory.forgetAll()
        // From here every worker's request is older than the flush.
        Clock.sleep(nanoseconds: 500_000)
        for file in files where try takeMark(file) { left += 1 }
      }
      race.isOver.store(true, ordering: .releasing)
      for worker in workers { worker.join() }
      #expect(left == 0)
      #expect(memory.counts.remembered > 0 && memory.counts.refused > 0, "no race, no test")
    }

    private final class Race: Sendable {
      let memory: RememberedAllows
      let files: [String]
      let epoch = Atomic<UInt64>(0)
      let isOver = Atomic(false)

      init(memory: RememberedAllows, files: [String]) {
        self.memory = memory
        self.files = files
      }

      func work() {
        while !isOver.load(ordering: .acquiring) {
          for path in files {
            guard let file = try? Descriptor.open(path, O_RDONLY) else { continue }
            let facts = Facts()
            facts.begin(pid: 1, operation: .open, objectHandle: file.rawValue)
            memory.remember(
              file.rawValue, facts, received: Clock.monotonic(), epoch: epoch.load(ordering: .acquiring))
          }
        }
      }
    }
  }
}

@Suite struct PlainMountTests {
  @Test func mountsThatShowOtherOwnersAreLeftOut() {
    let text = """
      22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw
      36 35 98:7 / /mnt\\0401 rw,relatime,idmapped - ext4 /dev/x rw
      37 35 98:7 /idmapped /idmapped rw,relatime master:1 - ext4 /dev/idmapped rw,idmapped
      x 35 98:7 / / rw - ext4 /dev/x rw
      38 35 98:7 / /
      """
    #expect(Mounts.plain(in: Array(text.utf8)) == [22, 37])
    #expect(Mounts.plain(in: []) == [])
  }

  @Test func thisMachinesRootIsPlain() throws {
    let root = try Descriptor.open("/", O_RDONLY)
    #expect(Mounts.plain().contains(try FileStatus.of(descriptor: root.rawValue).mount))
  }
}
