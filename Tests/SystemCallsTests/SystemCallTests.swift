// The gate for system calls, errors, clocks, threads and wake-ups.

import Glibc
import Synchronization
import SystemCalls
import Testing

@Suite struct SystemCallTests {
  @Test func anInterruptedCallIsMadeAgain() throws {
    var tries = 0
    let value = try systemCall { () -> Int32 in
      tries += 1
      errno = EINTR
      return tries < 4 ? -1 : 17
    }
    #expect(value == 17 && tries == 4)
    tries = 0
    let shimmed = try shimCall { () -> Int in
      tries += 1
      return tries < 3 ? -Int(EINTR) : 0
    }
    #expect(shimmed == 0 && tries == 3)
  }

  @Test func anErrorIsThrownOnce() {
    var tries = 0
    #expect(throws: Errno(EBADF)) {
      _ = try systemCall { () -> Int32 in
        tries += 1
        errno = EBADF
        return -1
      }
    }
    #expect(throws: Errno.permission) {
      _ = try shimCall { () -> Int32 in
        tries += 1
        return -EPERM
      }
    }
    #expect(tries == 2)
  }

  @Test func anErrorHasASentence() {
    #expect(Errno.noEntry.description == "No such file or directory")
    #expect(Errno(99999).description.contains("99999"))
    #expect(SystemCallError("open", "/x", .access).description == "open /x: Permission denied")
  }

  @Test func clocksRun() {
    let before = Clock.monotonic()
    Clock.sleep(nanoseconds: 2_000_000)
    #expect(Clock.monotonic() - before >= 2_000_000)
    #expect(abs(Clock.realtime() / 1_000_000_000 - Int64(time(nil))) <= 1)
  }

  @Test func aThreadRunsItsBodyUnderItsName() throws {
    let name = Mutex<[UInt8]>([])
    let thread = try Thread.start("lilium-a-name-of-more-than-fifteen") {
      let text = try? Descriptor.open("/proc/thread-self/comm", O_RDONLY).readAll(limit: 100)
      name.withLock { $0 = text ?? [] }
    }
    thread.join()
    #expect(name.withLock { String(decoding: $0, as: UTF8.self) } == "lilium-a-name-o\n")
  }

  @Test func aSignalWakesAThreadFromABlockingCall() throws {
    try Signals.makeInterrupting()
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let reader = Descriptor(owning: ends[0])
    let writer = Descriptor(owning: ends[1])
    let number = reader.rawValue
    let error = Shared()
    let thread = try Thread.start("reader") {
      var byte: UInt8 = 0
      if read(number, &byte, 1) < 0 { error.value.store(errno, ordering: .releasing) }
    }
    for _ in 0..<2000 where error.value.load(ordering: .acquiring) == 0 {
      thread.interrupt()
      Clock.sleep(nanoseconds: 1_000_000)
    }
    #expect(error.value.load(ordering: .acquiring) == EINTR)
    _ = try [UInt8(1)].withUnsafeBytes { try writer.write($0) }
    thread.join()
  }

  private final class Shared: Sendable {
    let value = Atomic<Int32>(0)
  }

  @Test func wakesCountAsOneAndAreCleared() throws {
    let wakeUp = try WakeUp()
    #expect(try waitForEvents([(wakeUp.descriptor, PollEvents.input)], milliseconds: 0) == [0])
    wakeUp.wake()
    wakeUp.wake()
    #expect(try waitForEvents([(wakeUp.descriptor, PollEvents.input)], milliseconds: 0) == [PollEvents.input])
    wakeUp.clear()
    #expect(try waitForEvents([(wakeUp.descriptor, PollEvents.input)], milliseconds: 0) == [0])
    wakeUp.clear()
  }
}
