// Tests the count of processes by which a number is known not to have come round.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import SubjectInformation

@Suite("Count of processes")
struct ForkMeterTests {
  @Test(arguments: [
    ("cpu  1 2 3\nctxt 7\nbtime 1\nprocesses 4711\nprocs_running 1\n", 4711 as UInt64?), ("processes 1\n", 1),
    ("processes\n", nil), ("processes x\n", nil), ("", nil), ("xprocesses 3\n", nil),
  ]) func readsTheKernelsLine(_ text: String, _ count: UInt64?) {
    #expect(ForkMeter.count(in: [UInt8](text.utf8)) == count)
  }

  @Test func countsChildren() throws {
    let meter = ForkMeter()
    let before = try #require(meter.current)
    #expect(try #require(meter.recent) >= before)
    for _ in 0..<3 {
      var pid: pid_t = 0
      let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
      #expect(posix_spawn(&pid, "/bin/true", nil, nil, arguments, nil) == 0)
      waitpid(pid, nil, 0)
      free(arguments[0])
    }
    #expect(try #require(meter.current) >= before + 3)
  }

  /// Long after a round could have come by the clock, the count says that it has not.
  @Test func whoEndedIsKnownWhileFewProcessesWereMade() throws {
    let table = try makeTable(round: 1, numbers: 1_000_000)
    let few = try makeTable(round: 1, numbers: 2)
    let child = try Child(["/usr/bin/sleep", "60"])
    table.note(child.pid, how: .held)
    few.note(child.pid, how: .held)
    try #require(ForkMeter().current != nil)
    let other = try Child(["/usr/bin/sleep", "60"])
    Clock.sleep(nanoseconds: 60_000_000)
    let record = try call(of: child.pid)
    #expect(table.state(of: record)?.certainty == .certain)
    #expect(few.state(of: record) == nil, "\(other.pid) may have had the number")
  }
}
