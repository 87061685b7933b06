// The table of processes on real ones: what a record is matched with, what changes, what is forgotten.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import SubjectInformation

/// What the enforcement point writes down of a call that this process makes now.
func call(
  of pid: Int32, _ name: String = "ptrace", isLiving: Bool = false, at time: Int64 = Clock.realtime()
) throws -> Facts {
  let seen = try facts([.subjectStatus, .subjectStat, .subjectExecutable], of: pid)
  let facts = Facts()
  facts.begin(pid: pid, operation: .call)
  var subject = SubjectFacts()
  subject.pid = pid
  subject.parent = seen.subject.parent
  subject.uid = seen.subject.uid
  subject.euid = seen.subject.euid
  subject.gid = seen.subject.gid
  subject.egid = seen.subject.egid
  subject.comm = seen.subject.comm
  subject.executable = seen.subject.executable
  subject.startTime = isLiving ? seen.subject.startTime : 0
  facts.subject = subject
  facts.call.name = Array(name.utf8)
  facts.call.succeeded = true
  // The kernel's clock for records lags, and is cut to milliseconds.
  facts.call.time = time / 1_000_000 * 1_000_000
  facts.markPresent([.call, .subjectStatus, .subjectLogin])
  if isLiving { facts.markPresent(.subjectStat) }
  return facts
}

func makeTable(capacity: Int = ProcessTable.capacity, round: Int64 = 3_600_000_000_000, numbers: UInt64 = 0) throws
  -> ProcessTable
{
  ProcessTable(namespaces: try InitialNamespaces(), capacity: capacity, round: round, numbers: numbers)
}

/// Waits until something is so; at most five seconds.
func wait(until isSo: () -> Bool) {
  for _ in 0..<2500 where !isSo() { Clock.sleep(nanoseconds: 2_000_000) }
}

/// A shell that runs `text` and then waits for ever.
private func shellChild(_ text: String) throws -> Child { try Child(["/bin/sh", "-c", text + "\nsleep 60; :"]) }

/// The first child of a process.
private func firstChild(of pid: Int32) -> Int32? {
  let text = try? Descriptor.open("/proc/\(pid)/task/\(pid)/children", O_RDONLY).readAll(limit: 256)
  return text.flatMap { String(decoding: $0, as: UTF8.self).split(separator: " ").first }.flatMap { Int32($0) }
}

@Suite struct ProcessTableTests {
  @Test func whoWasNotedIsKnownWhenItIsGone() throws {
    let table = try makeTable()
    let child = try Child(["/usr/bin/sleep", "60"])
    #expect(table.note(child.pid, how: .held) && table.count == 1)
    let record = try call(of: child.pid)
    child.reap()
    let found = try #require(table.state(of: record))
    #expect(found.certainty == .certain && found.state.subject.userNamespaceInitial)
    let own = try facts(.subjectCapabilities, of: getpid()).subject
    #expect(found.state.subject.effectiveCapabilities == own.effectiveCapabilities)
    #expect(found.state.subject.executableVerified && found.state.subject.executableIdentity.inode != 0)
    #expect(found.state.known == ProcessState.least.union(.subjectControlGroup))
  }

  @Test func whatTheRecordDeniesIsNotBelieved() throws {
    let table = try makeTable()
    let child = try Child(["/usr/bin/sleep", "60"])
    table.note(child.pid, how: .held)
    let changes: [(inout SubjectFacts) -> Void] = [
      { $0.uid = 4711 }, { $0.euid = 4711 }, { $0.gid = 4711 }, { $0.egid = 4711 },
      { $0.executable = Array("/usr/bin/other".utf8) }, { $0.executable = [] },
    ]
    for change in changes {
      let record = try call(of: child.pid)
      change(&record.subject)
      #expect(table.state(of: record) == nil)
    }
    #expect(table.state(of: try call(of: child.pid)) != nil)
  }

  @Test func aRecordWithoutTimeOrIdsIsAboutNobody() throws {
    let table = try makeTable()
    table.note(getpid(), how: .held)
    let timeless = try call(of: getpid())
    timeless.call.time = 0
    #expect(table.state(of: timeless) == nil)
    let torn = try call(of: getpid())
    torn.markFailed(.subjectStatus, because: .recordTorn)
    #expect(table.state(of: torn) == nil)
  }

  @Test func aNumberMayHaveComeRound() throws {
    let table = try makeTable(round: 1)
    let child = try Child(["/usr/bin/sleep", "60"])
    table.note(child.pid, how: .held)
    Clock.sleep(nanoseconds: 60_000_000)
    let record = try call(of: child.pid)
    #expect(table.state(of: record) == nil, "it was last seen before the call")
    table.note(child.pid, how: .held)
    Clock.sleep(nanoseconds: 60_000_000)
    record.call.time -= 30_000_000
    #expect(table.state(of: record)?.certainty == .certain, "it was seen after the call")
    let living = try call(of: child.pid, isLiving: true)
    #expect(table.state(of: living)?.certainty == .certain)
    living.subject.startTime += 1
    #expect(table.state(of: living)?.certainty != .certain, "another process lives under the number")
  }

  @Test func theShortestRoundIsLongerThanMostProgramsTakeToCall() {
    #expect(NumberRound.shortest() >= 30_000_000)
  }

  @Test func aForkInheritsWhatItsParentHas() throws {
    let table = try makeTable()
    let parent = try shellChild("(while :; do read x; done) </dev/zero &")
    wait { firstChild(of: parent.pid) != nil }
    table.note(parent.pid, how: .held)
    let fork = try #require(firstChild(of: parent.pid))
    Clock.sleep(nanoseconds: 50_000_000)
    let record = try call(of: fork)
    defer { kill(fork, SIGKILL) }
    let found = try #require(table.state(of: record))
    #expect(found.certainty == .inherited && found.state.subject.pid == parent.pid)
    let other = try call(of: fork)
    other.subject.executable = Array("/usr/bin/true".utf8)
    #expect(table.state(of: other) == nil, "it executed a program of its own")
    table.capabilitiesSet(pid: fork, effective: CapabilitySet(), permitted: CapabilitySet())
    #expect(table.state(of: try call(of: fork))?.certainty != .inherited, "it is no copy any more")
  }

  @Test func aGrandchildInheritsNothing() throws {
    let table = try makeTable()
    table.note(getpid(), how: .held)
    let record = try call(of: getpid())
    record.subject.pid = 4_000_001
    record.subject.parent = 4_000_000
    #expect(table.state(of: record) == nil)
    record.subject.parent = 0
    #expect(table.state(of: record) == nil)
  }

  @Test func aNamespaceOfItsOwnShows() throws {
    let table = try makeTable()
    let child = try Child(["/usr/bin/unshare", "-Ur", "/usr/bin/sleep", "60"])
    wait { (try? readLink("/proc/\(child.pid)/exe")).map { text($0).hasSuffix("/sleep") } ?? false }
    table.note(child.pid, how: .held)
    let record = try call(of: child.pid)
    child.reap()
    let found = try #require(table.state(of: record))
    #expect(!found.state.subject.userNamespaceInitial && !found.state.subject.executableVerified)
    #expect(found.state.subject.effectiveCapabilities.bits != 0, "full to look at, and worth nothing")
  }

  @Test func capabilitiesThatWereSetHoldWhenTheProcessIsGone() throws {
    let table = try makeTable()
    let child = try Child(["/usr/bin/sleep", "60"])
    table.note(child.pid, how: .held)
    let record = try call(of: child.pid)
    child.reap()
    table.capabilitiesSet(pid: child.pid, effective: CapabilitySet(), permitted: CapabilitySet(bits: 1))
    let found = try #require(table.state(of: record))
    #expect(found.state.subject.effectiveCapabilities.bits == 0 && found.state.subject.permittedCapabilities.bits == 1)
  }

  @Test func whoseNamespacesChangedIsReadAgainOrForgotten() throws {
    let table = try makeTable()
    let child = try Child(["/usr/bin/sleep", "60"])
    table.note(child.pid, how: .held)
    let record = try call(of: child.pid)
    table.namespacesChanged(pid: child.pid)
    #expect(table.state(of: record)?.state.known.contains(.subjectNamespaces) == true, "it lives and was read again")
    child.reap()
    table.namespacesChanged(pid: child.pid)
    let found = try #require(table.state(of: record))
    #expect(!found.state.known.contains(.subjectNamespaces) && found.state.known.contains(.subjectCapabilities))
  }

  @Test func everybodyWhoLivesIsScanned() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let table = try makeTable()
    table.scan()
    #expect(table.count >= 2 && table.forgotten == 0)
    Clock.sleep(nanoseconds: 50_000_000)
    #expect(table.state(of: try call(of: child.pid))?.certainty == .certain)
    #expect(table.state(of: try call(of: getpid()))?.certainty == .certain)
  }

  @Test(arguments: [0, -1, .max] as [Int32])
  func whatIsNoProcessIsNotNoted(_ pid: Int32) throws {
    let table = try makeTable()
    #expect(!table.note(pid, how: .held) && !table.note(pid, how: .scanned))
    table.namespacesChanged(pid: pid)
    #expect(table.count <= 1)
  }

  @Test func aProcessWithoutAProgramIsNotNoted() throws {
    let table = try makeTable()
    let child = try Child(["/usr/bin/sleep", "60"])
    child.kill()
    child.waitUntilDead()
    #expect(!table.note(child.pid, how: .held) && table.count == 0)
  }

  // MARK: Bounds

  private func madeUp(_ pid: Int32, start: UInt64 = 1) -> ProcessState {
    var subject = SubjectFacts()
    subject.pid = pid
    subject.startTime = start
    return ProcessState(subject, known: ProcessState.least, at: Clock.sinceBoot())
  }

  @Test func aFullTableForgetsWhoIsGoneFirstAndThatIsNoLoss() throws {
    let table = try makeTable(capacity: 64)
    for pid in 0..<1000 as Range<Int32> { table.take(madeUp(4_500_000 + pid)) }
    #expect(table.count == 64 && table.forgotten == 0)
    let full = try makeTable(capacity: 1)
    full.note(getpid(), how: .held)
    full.take(madeUp(4_500_000))
    #expect(full.count == 1 && full.forgotten == 1, "who lives had to make room")
    full.note(getppid(), how: .held)
    #expect(full.count == 1 && full.forgotten == 1)
  }

  @Test func forForgottenOnesNobodyInheritsForAWhile() {
    var book = ProcessBook(capacity: 8)
    for pid in 1...2 as ClosedRange<Int32> { _ = book.take(madeUp(pid)) }
    book.evict(1, isGone: true, at: 100)
    #expect(book.forgotten == 0 && !book.hasForgotten(shortlyBefore: 100))
    book.evict(3, isGone: false, at: 100)
    #expect(book.forgotten == 0, "nobody had that number")
    book.evict(2, isGone: false, at: 100)
    #expect(book.forgotten == 1 && book.hasForgotten(shortlyBefore: 100))
    #expect(book.hasForgotten(shortlyBefore: 100 + ProcessHistory.keep))
    #expect(!book.hasForgotten(shortlyBefore: 101 + ProcessHistory.keep))
  }

  /// Nobody is to fill the table by processes that change themselves and end.
  @Test func changesTidyToo() throws {
    let table = try makeTable(capacity: 32)
    for pid in 0..<200 as Range<Int32> {
      table.capabilitiesSet(pid: 4_500_000 + pid, effective: CapabilitySet(), permitted: CapabilitySet())
      table.namespacesChanged(pid: 4_510_000 + pid)
    }
    #expect(table.count == 32 && table.forgotten == 0)
  }

  @Test func whoIsGoneIsForgottenInTurn() {
    var book = ProcessBook(capacity: 8)
    for pid in 1...4 as ClosedRange<Int32> { _ = book.take(madeUp(pid)) }
    let turns = (0..<4).compactMap { _ in book.nextInTurn()?.pid }
    #expect(turns.sorted() == [1, 2, 3, 4])
    let keep = ProcessHistory.keep
    book.noteGone(2, start: 1, at: 5)
    book.noteGone(2, start: 1, at: 5 + keep)
    book.noteGone(3, start: 9, at: 5)
    book.noteGone(3, start: 9, at: 6 + keep)
    #expect(book.count == 4, "2 may have late records; 3 has another process by now")
    book.noteGone(2, start: 1, at: 6 + keep)
    #expect(book.count == 3 && book.history(of: 2) == nil)
    book.noteGone(4, start: 1, at: 5)
    _ = book.take(madeUp(4, start: 2))
    book.noteGone(4, start: 2, at: 6 + keep)
    #expect(book.count == 3, "the new process is gone for the first time")
    let rest = (0..<6).compactMap { _ in book.nextInTurn()?.pid }
    #expect(rest.count == 6 && Set(rest) == [1, 3, 4])
  }

  @Test func tidyingSparesWhoLives() throws {
    let table = try makeTable()
    table.note(getpid(), how: .held)
    table.note(getppid(), how: .held)
    table.tidy(100)
    #expect(table.count == 2)
  }

  @Test func manyThreadsMayAskAndNote() async throws {
    let table = try makeTable()
    let record = try call(of: getpid())
    let (pid, time) = (getpid(), record.call.time)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let reading = table.makeReader()
          for _ in 0..<200 {
            table.note(pid, how: .held, by: reading)
            table.capabilitiesSet(pid: 4_600_000, effective: CapabilitySet(), permitted: CapabilitySet())
            table.tidy()
          }
        }
      }
    }
    #expect(time > 0 && table.count == 2)
  }
}
