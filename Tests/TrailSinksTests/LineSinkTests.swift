// Holds the line sinks: whole lines, slow and vanished readers, full disks, files that others append to.

import DecisionRecord
import Glibc
import SystemCalls
import Testing
import TrailSinks

@Suite("Line sinks")
struct LineSinkTests {
  private func record(_ number: UInt64 = 1, path: [UInt8] = Array("/tmp/x".utf8)) -> AuditRecord {
    AuditRecord(id: RecordID(prefix: "t", number: number), time: 0, event: .decision(entry(path: path)))
  }

  private func sink(_ descriptor: consuming Descriptor, only kinds: Set<RecordKind>? = nil) -> JSONLinesSink {
    JSONLinesSink(name: "stdout", descriptor: descriptor, only: kinds, patienceMilliseconds: 50)
  }

  @Test("one line a record, in both forms")
  func lines() throws {
    let ends = try Pipe()
    let json = sink(ends.writer())
    let terminal = TerminalSink(descriptor: ends.writer(), style: TerminalStyle())
    let one = record(path: Array("/a\nb".utf8))
    #expect(json.write(one, json: one.json) == .written)
    #expect(terminal.write(one, json: one.json) == .written)
    let lines = available(ends.read).split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
    #expect(lines == [one.json, one.terminalLine(TerminalStyle()), []])
  }

  @Test("records of other kinds are passed over, not counted as written")
  func kinds() throws {
    let ends = try Pipe()
    let decisions = sink(ends.writer(), only: [.decision])
    let loss = AuditRecord(id: RecordID(prefix: "t", number: 1), time: 0, event: .loss(what: "x", count: 1))
    #expect(decisions.write(loss, json: loss.json) == .passedOver)
    #expect(available(ends.read).isEmpty)
  }

  @Test("a reader that does not read is waited for once; what then arrives are whole lines")
  func slowReader() throws {
    let ends = try Pipe()
    let slow = sink(ends.writer())
    let long = [UInt8](repeating: UInt8(ascii: "a"), count: 4096)
    let records = (0..<100).map { record($0, path: long) }
    let lines = records.map(\.json)
    let begin = Clock.monotonic()
    let outcomes = zip(records, lines).map { slow.write($0, json: $1) }
    // A hundred waits would take five seconds.
    #expect(Clock.monotonic() - begin < 2_500_000_000)
    let written = outcomes.count { $0 == .written }
    #expect(written > 0 && written < 100)
    #expect(outcomes.prefix(written).allSatisfy { $0 == .written })

    var read = available(ends.read)
    let last = record(1000)
    #expect(slow.write(last, json: last.json) == .written)
    read += available(ends.read)
    #expect(read.split(separator: 0x0a).map(Array.init) == lines.prefix(written) + [last.json])
  }

  @Test("a line longer than the pipe holds is completed when the reader reads")
  func longLine() throws {
    let ends = try Pipe()
    let slow = sink(ends.writer())
    let huge = record(1, path: [UInt8](repeating: 0x01, count: 100_000))
    #expect(slow.write(huge, json: huge.json) == .written)
    var read: [UInt8] = []
    var outcome = SinkOutcome.dropped
    for _ in 0..<100 where outcome == .dropped {
      read += available(ends.read)
      outcome = slow.write(record(2), json: record(2).json)
    }
    read += available(ends.read)
    #expect(read.split(separator: 0x0a).map(Array.init) == [huge.json, record(2).json])
  }

  @Test("a reader that is gone costs the record and nothing else")
  func vanishedReader() throws {
    // Only the write end outlives this call.
    let sink = sink(try Pipe().writer())
    for _ in 0..<3 { #expect(sink.write(record(), json: record().json) == .dropped) }
  }

  @Test("a full disk drops")
  func fullDisk() throws {
    let full = sink(try Descriptor.open("/dev/full", O_WRONLY))
    for _ in 0..<3 { #expect(full.write(record(), json: record().json) == .dropped) }
  }

  @Test("two writers append to one file without mixing lines")
  func append() throws {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    let path = String(cString: mkdtemp(&template))
    defer {
      unlink(path + "/log")
      rmdir(path)
    }
    let flags = O_WRONLY | O_APPEND | O_CREAT
    let first = sink(try Descriptor.open(path + "/log", flags, mode: 0o600))
    let second = sink(try Descriptor.open(path + "/log", flags, mode: 0o600))
    let long = [UInt8](repeating: UInt8(ascii: "b"), count: 20_000)
    let body: @Sendable (JSONLinesSink) -> Void = { sink in
      for number in 0..<50 as Range<UInt64> {
        let one = AuditRecord(
          id: RecordID(prefix: "t", number: number), time: 0, event: .decision(entry(path: long)))
        _ = sink.write(one, json: one.json)
      }
    }
    let thread = try SystemCalls.Thread.start("append") { body(second) }
    body(first)
    thread.join()
    let lines = try Descriptor.open(path + "/log", O_RDONLY).readAll(limit: 10_000_000).split(separator: 0x0a)
    #expect(lines.count == 100)
    #expect(lines.allSatisfy { $0.first == UInt8(ascii: "{") && $0.last == UInt8(ascii: "}") })
    #expect(Set(lines.map(\.count)).count == 2)
  }
}
