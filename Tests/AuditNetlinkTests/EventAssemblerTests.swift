// Tests that records come together to events, whatever their order, and that nothing grows without bound.

import AuditNetlink
import Testing

@Suite("Records come together")
struct EventAssemblerTests {
  private static let second: UInt64 = 1_000_000_000

  private func entry(
    _ type: UInt16, _ serial: UInt64, milliseconds: Int = 0, _ body: String = "pid=1"
  ) -> AuditEntry {
    let fraction = String(1000 + milliseconds).dropFirst()
    return AuditEntry(type: type, text: Array("audit(17.\(fraction):\(serial)): \(body)".utf8))!
  }

  private func types(_ event: AuditEvent?) -> [UInt16]? { event?.entries.map(\.type) }

  private func all(_ assembler: inout EventAssembler, now: UInt64 = 0) -> [AuditEvent] {
    var events: [AuditEvent] = []
    while let event = assembler.takeReady(now: now) { events.append(event) }
    return events
  }

  @Test func anEventEndsWithEOE() {
    var assembler = EventAssembler()
    for type in [AuditType.syscall, AuditType.cwd, AuditType.path, AuditType.path] {
      assembler.add(entry(type, 7), now: 0)
      #expect(assembler.takeReady(now: 0) == nil)
    }
    assembler.add(entry(AuditType.eoe, 7), now: 0)
    let event = assembler.takeReady(now: 0)
    #expect(
      types(event) == [AuditType.syscall, AuditType.cwd, AuditType.path, AuditType.path, AuditType.eoe])
    #expect(event?.isTorn == false && event?.serial == 7 && event?.time == 17_000_000_000)
    #expect(event?.all(AuditType.path).count == 2 && event?.first(AuditType.cwd)?.type == AuditType.cwd)
    #expect(event?.syscall?.decimal("pid") == 1)
    #expect(assembler.takeReady(now: 0) == nil && assembler.openCount == 0 && assembler.nextDeadline == nil)
  }

  @Test func anEventEndsWithProctitleAndALaterEOEIsNoLoss() {
    var assembler = EventAssembler()
    assembler.add(entry(AuditType.syscall, 1), now: 0)
    assembler.add(entry(AuditType.proctitle, 1), now: 0)
    #expect(types(assembler.takeReady(now: 0)) == [AuditType.syscall, AuditType.proctitle])
    assembler.add(entry(AuditType.eoe, 1), now: 0)
    #expect(assembler.takeReady(now: 9 * Self.second) == nil)
    #expect(assembler.counters == .init())
  }

  @Test func proctitleAloneEndsNothing() {
    var assembler = EventAssembler()
    assembler.add(entry(AuditType.proctitle, 1), now: 0)
    #expect(assembler.takeReady(now: 0) == nil)
    assembler.add(entry(AuditType.syscall, 1), now: 0)
    assembler.add(entry(AuditType.eoe, 1), now: 0)
    let event = assembler.takeReady(now: 0)
    #expect(types(event) == [AuditType.proctitle, AuditType.syscall, AuditType.eoe] && event?.isTorn == false)
  }

  @Test func interleavedEventsComeInTheOrderOfTheirEnds() {
    var assembler = EventAssembler()
    for serial: UInt64 in [3, 1, 2] { assembler.add(entry(AuditType.syscall, serial), now: 0) }
    for serial: UInt64 in [1, 2, 3] { assembler.add(entry(AuditType.cwd, serial), now: 0) }
    for serial: UInt64 in [2, 3, 1] { assembler.add(entry(AuditType.proctitle, serial), now: 0) }
    let events = all(&assembler)
    #expect(events.map(\.serial) == [2, 3, 1])
    #expect(events.allSatisfy { $0.entries.count == 3 && !$0.isTorn })
  }

  @Test func withoutAnEndTheTimerCloses() {
    var assembler = EventAssembler()
    assembler.add(entry(AuditType.syscall, 1), now: 5)
    assembler.add(entry(AuditType.syscall, 2), now: 6)
    assembler.add(entry(AuditType.cwd, 1), now: 7)
    #expect(assembler.nextDeadline == 2 * Self.second + 5)
    #expect(assembler.takeReady(now: 2 * Self.second + 4) == nil)
    let event = assembler.takeReady(now: 2 * Self.second + 5)
    #expect(types(event) == [AuditType.syscall, AuditType.cwd] && event?.isTorn == true)
    #expect(assembler.nextDeadline == 2 * Self.second + 6)
    assembler.add(entry(AuditType.path, 1), now: 2 * Self.second + 5)
    #expect(assembler.counters.late == 1 && assembler.counters.torn == 1 && assembler.openCount == 1)
  }

  @Test func theDeadlineIsOfAnEventThatIsOpen() {
    var assembler = EventAssembler()
    assembler.add(entry(AuditType.syscall, 1), now: 1)
    assembler.add(entry(AuditType.syscall, 2), now: 2)
    assembler.add(entry(AuditType.eoe, 1), now: 3)
    #expect(assembler.nextDeadline == 2 * Self.second + 2)
  }

  @Test func recordsWithoutTheirSyscallAreTorn() {
    var assembler = EventAssembler()
    assembler.add(entry(AuditType.path, 1), now: 0)
    assembler.add(entry(AuditType.eoe, 1), now: 0)
    #expect(assembler.takeReady(now: 0)?.isTorn == true)
    assembler.add(entry(AuditType.eoe, 2), now: 0)
    #expect(assembler.takeReady(now: 0)?.isTorn == true)
    #expect(assembler.counters.torn == 2)
  }

  @Test(arguments: [AuditType.configChange, AuditType.anomAbend, AuditType.seccomp, AuditType.fanotify, AuditType.bpf])
  func aRecordThatMayStandAloneWaitsAndIsWhole(_ type: UInt16) {
    var assembler = EventAssembler()
    assembler.add(entry(type, 1), now: 0)
    #expect(assembler.takeReady(now: 0) == nil)
    #expect(assembler.takeReady(now: 2 * Self.second)?.isTorn == false)
    #expect(assembler.counters == .init())
  }

  @Test(arguments: [AuditType.userAVC, 1112, 1199, 1200, 2100, 2404])
  func aUserMessageIsAnEvent(_ type: UInt16) {
    var assembler = EventAssembler()
    assembler.add(entry(type, 1, "msg='a'"), now: 0)
    #expect(assembler.takeReady(now: 0)?.isTorn == false)
  }

  @Test func theSameSerialAtAnotherTimeIsAnotherEvent() {
    var assembler = EventAssembler()
    assembler.add(entry(AuditType.syscall, 1), now: 0)
    assembler.add(entry(AuditType.syscall, 1, milliseconds: 1), now: 0)
    assembler.add(entry(AuditType.eoe, 1, milliseconds: 1), now: 0)
    let event = assembler.takeReady(now: 0)
    #expect(event?.time == 17_001_000_000 && event?.entries.count == 2)
    #expect(assembler.openCount == 1)
  }

  @Test func tooManyEventsCloseTheOldest() {
    var limits = EventAssembler.Limits()
    limits.openEvents = 3
    var assembler = EventAssembler(limits: limits)
    for serial: UInt64 in 1...5 { assembler.add(entry(AuditType.syscall, serial), now: serial) }
    #expect(assembler.openCount == 3 && assembler.counters.crowded == 2)
    #expect(all(&assembler).map(\.serial) == [1, 2])
    assembler.flush()
    let rest = all(&assembler)
    #expect(rest.map(\.serial) == [3, 4, 5] && rest.allSatisfy(\.isTorn) && assembler.counters.torn == 5)
  }

  @Test func anEventCannotGrowWithoutBound() {
    var limits = EventAssembler.Limits()
    limits.entriesPerEvent = 4
    var assembler = EventAssembler(limits: limits)
    assembler.add(entry(AuditType.syscall, 1), now: 0)
    for _ in 0..<10 { assembler.add(entry(AuditType.path, 1), now: 0) }
    assembler.add(entry(AuditType.eoe, 1), now: 0)
    let event = assembler.takeReady(now: 0)
    #expect(event?.entries.count == 4 && event?.isTorn == true)
    #expect(assembler.counters.oversized == 1 && assembler.counters.torn == 1)
  }

  @Test func theBytesOfOneEventAndOfAllAreBounded() {
    var limits = EventAssembler.Limits()
    limits.bytesPerEvent = 4000
    limits.bytes = 20_000
    var assembler = EventAssembler(limits: limits)
    let long = String(repeating: "x", count: 1500)
    for serial: UInt64 in 1...100 {
      for type in [AuditType.syscall, AuditType.path, AuditType.path, AuditType.path] {
        assembler.add(entry(type, serial, "name=\"\(long)\""), now: 0)
      }
    }
    #expect(assembler.counters.oversized == 100)
    #expect(assembler.openCount > 2 && assembler.openCount < 8)
    #expect(all(&assembler).allSatisfy { $0.isTorn && $0.entries.count <= 2 })
  }

  @Test func whatIsNoRecordIsCounted() {
    var assembler = EventAssembler()
    let text = Array("audit(bad".utf8)
    text.withUnsafeBytes { assembler.add(type: AuditType.syscall, text: $0, now: 0) }
    #expect(assembler.counters.malformed == 1 && assembler.openCount == 0)
  }

  /// An event that ended, was forgotten and begins anew has a time of its own.
  @Test func aReopenedEventHasItsFullTime() {
    var limits = EventAssembler.Limits()
    limits.remembered = 1
    var assembler = EventAssembler(limits: limits)
    for serial: UInt64 in [1, 2] {
      assembler.add(entry(AuditType.syscall, serial), now: serial)
      assembler.add(entry(AuditType.eoe, serial), now: serial)
    }
    assembler.add(entry(AuditType.syscall, 1), now: Self.second)
    #expect(all(&assembler, now: 2 * Self.second + 5).map(\.serial) == [1, 2])
    #expect(assembler.openCount == 1 && assembler.nextDeadline == 3 * Self.second)
    #expect(assembler.takeReady(now: 3 * Self.second)?.isTorn == true)
  }

  @Test func manyEventsLeaveNothingBehind() {
    var assembler = EventAssembler()
    var taken = 0
    for serial: UInt64 in 1...20_000 {
      assembler.add(entry(AuditType.syscall, serial), now: serial)
      assembler.add(entry(AuditType.proctitle, serial), now: serial)
      while assembler.takeReady(now: serial) != nil { taken += 1 }
    }
    #expect(taken == 20_000 && assembler.openCount == 0 && assembler.nextDeadline == nil)
    // Only the last are remembered as ended.
    assembler.add(entry(AuditType.path, 20_000), now: 20_000)
    assembler.add(entry(AuditType.path, 1), now: 20_000)
    #expect(assembler.counters.late == 1 && assembler.openCount == 1)
  }
}
