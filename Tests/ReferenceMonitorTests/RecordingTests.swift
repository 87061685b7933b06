// The way of a decision that the kernel made by itself: counted and recorded, never made again.

import AccessModel
import ReferenceMonitor
import Testing

@Suite struct RecordingTests {
  private func record(
    _ verdict: Verdict, _ reason: Reason = .default, effect: Effect = .prevented, records: Bool = true
  ) -> (bench: Bench, described: Int) {
    let bench = Bench(policy("allow ptrace", mode: .off), records: records)
    let facts = Facts()
    var described = 0
    bench.monitor.record(
      Decision(mechanism: .ptrace, mode: .enforce, verdict: verdict, reason: reason), effect: effect, time: 42,
      of: 1234, on: facts
    ) { facts in
      described += 1
      facts.subject.identity = .certain
      facts.markPresent(.call)
    }
    return (bench, described)
  }

  /// The policy says something else by now, and nothing is fetched: who called may have gone on.
  @Test func aDenialIsRecordedAsItWasTold() throws {
    let rule = RuleReference(file: "f", path: "/f", line: 3, text: "", index: 2)
    let (bench, described) = record(.deny, .rule(rule))
    let entry = try #require(bench.trail.entries.first)
    #expect(entry.decision.verdict == .deny && entry.decision.reason == .rule(rule) && entry.effect == .prevented)
    #expect(entry.time == 42 && entry.answerNanoseconds == nil && entry.subject.pid == 1234)
    #expect(entry.operation == .call && entry.present == [.request, .call] && described == 1)
    #expect(bench.journal.fetched.isEmpty)
    #expect(bench.tally == ["ptrace deny enforce rule 1"])
    #expect(bench.monitor.tally.answerTimes(.ptrace).count == 0, "nobody waited")
  }

  @Test func whatNobodyWantsIsCountedAndNotDescribed() {
    let (bench, described) = record(.deny, records: false)
    #expect(described == 0 && bench.trail.entries.isEmpty && bench.tally == ["ptrace deny enforce default 1"])
  }

  /// The kernel has counted what it allowed: most of that is never told.
  @Test func anAllowIsCountedByTheKernelAlone() {
    let (bench, described) = record(.allow, .capability(.sysPtrace), effect: .logged)
    #expect(described == 1 && bench.trail.entries.count == 1 && bench.tally.isEmpty)
  }
}
