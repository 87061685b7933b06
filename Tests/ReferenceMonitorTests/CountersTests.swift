// Counters that many threads add to, answer times, and the lines of the tally.

import AccessModel
import Synchronization
import Testing

@testable import ReferenceMonitor

@Suite struct CountersTests {
  @Test func concurrentAddsAreAllCounted() async {
    let counters = CounterArray(count: 3)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask { for round in 0..<20_000 { counters.add((task + round) % 2) } }
      }
    }
    #expect(counters.value(0) == 80_000 && counters.value(1) == 80_000 && counters.value(2) == 0)
  }

  @Test(arguments: 0..<64)
  func aBucketHoldsItsValuesToSevenPercent(_ power: Int) {
    let base = UInt64(1) << UInt64(power)
    for value in [base - 1, base, base + 1, base + base / 2, base + base / 3] {
      let bucket = LatencyHistogram.bucket(value)
      let upper = LatencyHistogram.upperBound(bucket)
      if value >= 1 << 40 {
        #expect(bucket == LatencyHistogram.bucket(.max), "longer than all counts as the longest")
        continue
      }
      #expect(upper >= value)
      #expect(Double(upper) <= Double(value) * 1.07)
      #expect(LatencyHistogram.bucket(upper) == bucket)
      #expect(LatencyHistogram.bucket(upper + 1) == bucket + 1 || upper == (1 << 40) - 1)
    }
  }

  @Test func bucketsKeepTheOrderOfRandomValues() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<50_000 {
      let a = UInt64.random(in: 0..<(1 << 40), using: &generator) >> UInt64.random(in: 0..<40, using: &generator)
      let b = UInt64.random(in: 0..<(1 << 40), using: &generator) >> UInt64.random(in: 0..<40, using: &generator)
      #expect((LatencyHistogram.bucket(a) <= LatencyHistogram.bucket(b)) || a > b)
      let upper = LatencyHistogram.upperBound(LatencyHistogram.bucket(a))
      #expect(upper >= a && Double(upper) <= Double(a) * 1.07)
    }
  }

  @Test func percentilesOfNothingAreZero() {
    #expect(LatencyHistogram().summary == LatencyHistogram.Summary())
  }

  @Test func percentilesOfKnownDistributions() {
    let even = LatencyHistogram()
    for value in 1...1000 { even.record(UInt64(value) * 1000) }
    let summary = even.summary
    #expect(summary.count == 1000)
    for (found, exact) in [
      (summary.p50, 500_000), (summary.p90, 900_000), (summary.p99, 990_000), (summary.longest, 1_000_000),
    ] {
      #expect(Double(found) >= Double(exact) && Double(found) <= Double(exact) * 1.07)
    }
    let single = LatencyHistogram()
    single.record(7)
    #expect([single.summary.p50, single.summary.p90, single.summary.p99, single.summary.longest] == [7, 7, 7, 7])
    let tail = LatencyHistogram()
    for _ in 0..<98 { tail.record(10) }
    tail.record(.max)
    tail.record(.max)
    #expect(tail.summary.p50 == 10 && tail.summary.p90 == 10 && tail.summary.p99 == (1 << 40) - 1)
  }

  @Test func theTallyTellsEveryKindOfDecisionApart() {
    let tally = DecisionTally()
    let rule = RuleReference(file: "a.rules", path: "/a.rules", line: 1, text: "", index: 0)
    let reasons: [Reason] =
      [.off, .capability(.sysAdmin), .rule(rule), .undecided(rule), .default] + Failure.allCases.map { .failure($0) }
    var expected = 0
    for mechanism in Mechanism.allCases {
      for verdict in Verdict.allCases {
        for mode in [Mode.audit, .enforce] {
          for (index, reason) in reasons.enumerated() {
            for _ in 0...index {
              tally.count(Decision(mechanism: mechanism, mode: mode, verdict: verdict, reason: reason), nanoseconds: 5)
            }
            expected += 1
          }
        }
      }
    }
    let lines = tally.decisions
    #expect(lines.count == expected && Set(lines).count == expected)
    let names = ["off", "capability", "rule", "undecided", "default"] + Failure.allCases.map(\.name)
    for line in lines { #expect(Int(line.count) == (names.firstIndex(of: line.reason) ?? -9) + 1) }
    #expect(tally.answerTimes(.clone).count == UInt64(4 * names.count * (names.count + 1) / 2))
    #expect(Mechanism.allCases.allSatisfy { tally.dataPassed($0) == 0 })
  }
}
