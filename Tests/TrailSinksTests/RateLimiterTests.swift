// Holds the rate limit's counts to the record, under a time that the test makes.

import AccessModel
import Testing

@testable import TrailSinks

/// A limiter by reference, so that an expectation may ask it.
private final class Limiter {
  var state: RateLimiter
  init(_ limit: RateLimit?, rules: Int = 0) { state = RateLimiter(limit: limit, ruleCount: rules) }

  func admit(_ decision: Decision, now: UInt64) -> Bool { state.admit(decision, now: now) }
  func admitted(_ decision: Decision, times: Int, at now: UInt64) -> Int {
    (0..<times).count { _ in state.admit(decision, now: now) }
  }
  func takeCounts() -> [UInt64] { state.takeSuppressed().map(\.count) }
}

@Suite("Rate limiter")
struct RateLimiterTests {
  private let second: UInt64 = 1_000_000_000

  @Test("a burst passes at once, the rest is counted, and time gives the rate back")
  func burst() {
    let limiter = Limiter(RateLimit(perSecond: 100, burst: 200), rules: 1)
    let one = decision(.deny, .rule(rule(0)))
    #expect(limiter.admitted(one, times: 1000, at: second) == 200)
    #expect(limiter.admitted(one, times: 10, at: second) == 0)
    #expect(limiter.admitted(one, times: 1000, at: second + second / 100) == 1)
    #expect(limiter.admitted(one, times: 1000, at: 2 * second + second / 100) == 100)
    #expect(limiter.admitted(one, times: 1000, at: 60 * second) == 200)
    #expect(limiter.state.totalSuppressed == 800 + 10 + 999 + 900 + 800)
    let taken = limiter.state.takeSuppressed()
    #expect(taken.map(\.count) == [limiter.state.totalSuppressed])
    #expect(taken.first?.sample == one)
    #expect(limiter.takeCounts().isEmpty)
  }

  @Test("in the long run the rate is kept", arguments: [1, 7, 100, 5000] as [UInt64])
  func longRun(rate: UInt64) {
    let limiter = Limiter(RateLimit(perSecond: rate, burst: 1), rules: 0)
    var passed: UInt64 = 0
    for step in 0..<100_000 as Range<UInt64> {
      if limiter.admit(decision(), now: second + step * 100_000) { passed += 1 }
    }
    #expect(passed >= rate * 10 - 1 && passed <= rate * 10 + 1, "\(passed)")
  }

  @Test("a clock that reads a little earlier on another thread changes nothing")
  func earlier() {
    let limiter = Limiter(RateLimit(perSecond: 10, burst: 2), rules: 0)
    #expect(limiter.admit(decision(), now: second))
    #expect(limiter.admit(decision(), now: second - 1000))
    #expect(!limiter.admit(decision(), now: second - 1000))
    #expect(!limiter.admit(decision(), now: 0))
  }

  @Test("rules, reasons and mechanisms do not share a limit")
  func separate() {
    let limiter = Limiter(RateLimit(perSecond: 1, burst: 1), rules: 3)
    var reasons: [Reason] = (0..<3).map { .rule(rule($0)) }
    reasons += [.off, .default, .capability(.sysAdmin)] + Failure.allCases.map { .failure($0) }
    for reason in reasons { #expect(limiter.admit(decision(.deny, reason), now: second)) }
    for mechanism in Mechanism.allCases where mechanism != .exec {
      #expect(limiter.admit(decision(.deny, .default, mechanism: mechanism), now: second))
    }
    for reason in reasons { #expect(!limiter.admit(decision(.deny, reason), now: second)) }
    #expect(limiter.takeCounts() == reasons.map { _ in 1 })
  }

  @Test("a rule that matched and the same rule undecided share one")
  func undecided() {
    let limiter = Limiter(RateLimit(perSecond: 1, burst: 1), rules: 1)
    #expect(limiter.admit(decision(.deny, .rule(rule(0))), now: second))
    #expect(!limiter.admit(decision(.deny, .undecided(rule(0))), now: second))
  }

  @Test("rules of a policy that is being replaced share one bucket", arguments: [-1, 1, 1_000_000])
  func unknownRule(index: Int) {
    let limiter = Limiter(RateLimit(perSecond: 1, burst: 1), rules: 1)
    #expect(limiter.admit(decision(.deny, .rule(rule(index))), now: second))
    #expect(!limiter.admit(decision(.deny, .rule(rule(7))), now: second))
    #expect(limiter.admit(decision(.deny, .rule(rule(0))), now: second))
  }

  @Test("no limit, and limits at the edge of the numbers")
  func edges() {
    let unlimited = Limiter(nil, rules: 0)
    #expect(unlimited.admitted(decision(), times: 100_000, at: second) == 100_000)
    let huge = Limiter(RateLimit(perSecond: 1, burst: .max), rules: 0)
    #expect(huge.admitted(decision(), times: 1000, at: second) == 1000)
    let fast = Limiter(RateLimit(perSecond: .max, burst: 1), rules: 0)
    #expect(fast.admitted(decision(), times: 1000, at: second) == 1000)
    let none = Limiter(RateLimit(perSecond: 0, burst: 0), rules: -5)
    #expect(none.admitted(decision(), times: 1000, at: second) == 1)
  }

  @Test("what was counted under the policy before is not lost")
  func follow() {
    let old = Limiter(RateLimit(perSecond: 1, burst: 1), rules: 2)
    #expect(old.admitted(decision(.deny, .rule(rule(1))), times: 6, at: second) == 1)
    let new = Limiter(RateLimit(perSecond: 1, burst: 1), rules: 1)
    new.state.follow(&old.state)
    #expect(new.state.totalSuppressed == 5)
    #expect(new.takeCounts() == [5])
    #expect(new.takeCounts().isEmpty)
  }
}
