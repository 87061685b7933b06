// Holds who is taken for the caller of a call, and how processes' namespaces compare; on real processes.

import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import AuditResponse

@Suite("Callers")
struct CallerTests {
  @Test func aLivingProcessIsItsCallsCaller() throws {
    let child = try Helper()
    let now = Clock.realtime()
    switch Caller(pid: child.pid, at: now) {
    case nil: Issue.record("the child was not found")
    case .some(let caller):
      let (isAlive, isKernelThread, start) = (caller.isAlive, caller.isKernelThread, caller.startTime)
      #expect(isAlive && !isKernelThread && start > 0)
      try caller.kill()
      #expect(child.endingSignal() == SIGKILL)
      let stillLives = caller.isAlive
      #expect(!stillLives)
    }
  }

  private func isFound(_ pid: Int32, at time: Int64) -> Bool {
    switch Caller(pid: pid, at: time) {
    case nil: false
    case .some: true
    }
  }

  /// Who began after the call did not make it.
  @Test func aLaterProcessIsNobody() throws {
    let before = Clock.realtime()
    Clock.sleep(nanoseconds: 100_000_000)
    let child = try Helper()
    #expect(!isFound(child.pid, at: before))
    #expect(!isFound(child.pid, at: 0) && !isFound(child.pid, at: Int64.min + 1_000_000_000))
    #expect(isFound(child.pid, at: Clock.realtime()))
    #expect(isFound(child.pid, at: Clock.realtime() + 3_600_000_000_000))
  }

  /// A record's time is cut to milliseconds, a start to clock ticks: who calls at once is still the caller.
  @Test func whoCallsAtOnceIsTheCaller() throws {
    for _ in 0..<20 {
      let pid = try ChildProcess.start("/bin/sleep", ["sleep", "60"])
      defer { ChildProcess.end(pid) }
      #expect(isFound(pid, at: Clock.realtime() / 1_000_000 * 1_000_000))
    }
  }

  @Test func whoIsGoneIsNobody() throws {
    let pid = try ChildProcess.start("/bin/true", ["true"])
    // Ended, but its number is not free: it does nothing any more.
    let handle = try ProcessHandle(pid: pid)
    while handle.isAlive { Clock.sleep(nanoseconds: 1_000_000) }
    #expect(!isFound(pid, at: Clock.realtime()))
    ChildProcess.end(pid)
    #expect(!isFound(pid, at: Clock.realtime()))
  }

  @Test(arguments: [0, -1, Int32.max, Int32.min] as [Int32])
  func numbersOfNobody(_ pid: Int32) { #expect(!isFound(pid, at: Clock.realtime())) }

  /// A signal to a thread's number would end its whole process.
  @Test func aThreadIsNoProcess() throws {
    let number = Atomic<Int32>(0)
    let end = try WakeUp()
    let thread = try Thread.start("lilium-test") {
      let link = (try? readLink("/proc/thread-self")).map(text) ?? ""
      number.store(link.split(separator: "/").last.flatMap { Int32($0) } ?? -1, ordering: .releasing)
      _ = try? waitForEvents([(end.descriptor, PollEvents.input)], milliseconds: 10_000)
    }
    while number.load(ordering: .acquiring) == 0 { Clock.sleep(nanoseconds: 1_000_000) }
    #expect(!isFound(number.load(ordering: .acquiring), at: Clock.realtime()))
    end.wake()
    thread.join()
  }
}

@Suite("Process handles")
struct ProcessHandleTests {
  @Test func aHandleOutlivesItsProcess() throws {
    let pid = try ChildProcess.start("/bin/sleep", ["sleep", "60"])
    let handle = try ProcessHandle(pid: pid)
    let wasAlive = handle.isAlive
    #expect(wasAlive)
    try handle.kill()
    while handle.isAlive { Clock.sleep(nanoseconds: 1_000_000) }
    var status: Int32 = 0
    #expect(waitpid(pid, &status, 0) == pid && status & 0x7f == SIGKILL)
    let refusal = refusal(of: handle)
    #expect(refusal == .noProcess)
    #expect(throws: Errno.noProcess) { _ = try ProcessHandle(pid: pid) }
  }

  private func refusal(of handle: borrowing ProcessHandle) -> Errno? {
    do throws(Errno) {
      try handle.kill()
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [0, -1, Int32.min] as [Int32]) func noProcess(_ pid: Int32) {
    #expect(throws: Errno.invalid) { _ = try ProcessHandle(pid: pid) }
  }
}

@Suite("Namespaces of processes")
struct NamespaceComparisonTests {
  private let own = ProcessSetup.processID

  @Test func anOrdinaryChildHasItsParents() throws {
    let child = try Helper()
    #expect(NamespaceComparison.kinds(of: child.pid, unlike: own) == [])
    #expect(NamespaceComparison.sharesProcessNumbers(child.pid) && NamespaceComparison.sharesProcessNumbers(own))
  }

  @Test(arguments: [
    (["-m"], ["mount"]), (["-u"], ["uts"]), (["-i"], ["ipc"]), (["-n"], ["net"]), (["-C"], ["cgroup"]),
    (["-U", "-r"], ["user"]), (["-m", "-u", "-i"], ["ipc", "mount", "uts"]),
  ])
  func whatIsNewIsNamed(_ options: [String], _ kinds: [String]) throws {
    let child = try Helper(unshare: options)
    #expect(NamespaceComparison.kinds(of: child.pid, unlike: own).map(texts) == kinds)
    #expect(NamespaceComparison.sharesProcessNumbers(child.pid))
  }

  /// unshare(2) of these is for the children: the process itself stays where it was, and its child is not new to it.
  @Test(arguments: [("-p", "pid"), ("-T", "time")])
  func namespacesOfTheChildren(_ option: String, _ kind: String) throws {
    let parent = try Helper(unshare: [option, "--fork"])
    let child = try parent.child()
    #expect(NamespaceComparison.kinds(of: child, unlike: own).map(texts) == [kind])
    #expect(NamespaceComparison.kinds(of: child, unlike: parent.pid) == [], "the parent had made it before")
    #expect(NamespaceComparison.sharesProcessNumbers(child) == (kind != "pid"))
  }

  @Test func whoIsGoneCannotBeCompared() throws {
    let pid = try ChildProcess.start("/bin/true", ["true"])
    ChildProcess.end(pid)
    #expect(
      NamespaceComparison.kinds(of: pid, unlike: own) == nil && NamespaceComparison.kinds(of: own, unlike: pid) == nil)
    #expect(!NamespaceComparison.sharesProcessNumbers(pid) && NamespaceComparison.inode(pid, "pid") == nil)
  }
}
