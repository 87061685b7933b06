// Holds the trail: what is wanted, order, ids, exact counts of what is lost, shutdown with a sink that blocks.

import AccessModel
import DecisionRecord
import Glibc
import Synchronization
import SystemCalls
import Testing
import TrailSinks

@Suite("Trail")
struct TrailTests {
  private func trail(
    _ sinks: [any TrailSink], settings: TrailSettings = TrailSettings(rate: nil), capacity: Int = 8192,
    recentCapacity: Int = 1024
  ) throws -> Trail {
    try Trail(idPrefix: "t", settings: settings, sinks: sinks, capacity: capacity, recentCapacity: recentCapacity)
  }

  @Test(
    "what is wanted follows the settings",
    arguments: [
      (decision(.deny), true, false, true), (decision(.deny), false, true, false),
      (decision(.allow), true, false, false), (decision(.allow), false, true, true),
      (decision(.deny, mode: .audit), true, false, true),
      // A failure is a denial's equal, whatever its answer was.
      (decision(.allow, .failure(.deadline)), true, false, true),
      (decision(.allow, .failure(.deadline)), false, true, false),
    ])
  func wanted(decision: Decision, denials: Bool, allows: Bool, expected: Bool) throws {
    let trail = try trail([], settings: TrailSettings(denials: denials, allows: allows, rate: nil))
    #expect(trail.wants(decision) == expected && trail.keeps(decision) == expected)
    trail.replaceSettings(TrailSettings(denials: !denials, allows: !allows, rate: nil))
    #expect(trail.wants(decision) == !expected && trail.keeps(decision) == !expected)
  }

  @Test("what the rate limit holds back is kept all the same, and asking counts nothing")
  func kept() throws {
    let trail = try trail([], settings: TrailSettings(rate: RateLimit(perSecond: 1, burst: 1)))
    trail.policyChanged(ruleCount: 2)
    #expect(trail.wants(decision(.deny)) && !trail.wants(decision(.deny)))
    for _ in 0..<100 { #expect(trail.keeps(decision(.deny)) && !trail.keeps(decision(.allow))) }
    #expect(trail.counters.suppressed == 1)
  }

  @Test("while somebody watches, everything is kept")
  func watched() throws {
    let trail = try trail([], settings: TrailSettings(denials: false, allows: false, rate: nil))
    #expect(!trail.keeps(decision(.allow)) && !trail.keeps(decision(.deny)))
    let (one, two) = (trail.subscribe { _ in }, trail.subscribe { _ in })
    #expect(trail.keeps(decision(.allow)) && trail.keeps(decision(.deny)) && trail.keeps(decision(.allow, .off)))
    trail.unsubscribe(one)
    #expect(trail.keeps(decision(.allow)))
    trail.unsubscribe(two)
    #expect(!trail.keeps(decision(.allow)) && !trail.keeps(decision(.deny)))
  }

  @Test("records come in order, under ids that count, to every sink")
  func order() throws {
    let (one, two) = (MemorySink("one"), MemorySink("two"))
    let trail = try trail([one, two])
    for pid in 1...500 as ClosedRange<Int32> { trail.append(entry(pid: pid)) }
    #expect(trail.flush(timeoutMilliseconds: 2000))
    let lines = one.json(.decision)
    #expect(lines.count == 500)
    for (place, line) in lines.enumerated() {
      #expect(line.contains("\"id\":\"t-\(place + 1)\"") && line.contains("\"subject\":{\"pid\":\(place + 1),"))
    }
    #expect(two.json(.decision) == lines)
    let counters = trail.counters
    #expect(counters.accepted == 500 && counters.dropped == 0 && counters.queued == 0)
    #expect(counters.sinks.map(\.written) == [500, 500] && counters.sinks.map(\.name) == ["one", "two"])
  }

  @Test("a full queue drops exactly what does not fit, and says so once")
  func overflow() throws {
    let (gate, memory) = (GatedSink(), MemorySink())
    let trail = try trail([gate, memory], capacity: 100)
    trail.append(entry())
    gate.waitUntilEntered()
    for _ in 0..<1100 { trail.append(entry()) }
    #expect(trail.counters.dropped == 1000 && trail.counters.queued == 100)
    gate.letGo()
    #expect(trail.stop(timeoutMilliseconds: 2000))
    #expect(memory.json(.decision).count == 101)
    let losses = memory.json(.loss)
    #expect(losses.count == 1)
    #expect(losses.first?.contains(#""what":"trail-queue","count":1000}"#) == true)
    #expect(memory.kinds.last == .loss)
    #expect(trail.counters.accepted == 101 && trail.counters.dropped == 1000)
  }

  @Test("a flood of decisions leaves room for other events")
  func reserve() throws {
    let (gate, memory) = (GatedSink(), MemorySink())
    let trail = try trail([gate, memory], capacity: 10)
    trail.append(entry())
    gate.waitUntilEntered()
    for _ in 0..<20 { trail.append(entry()) }
    trail.append(.policyRefused(diagnostics: ["x"], running: nil))
    for _ in 0..<100 { trail.append(.loss(what: "other", count: 1)) }
    gate.letGo()
    #expect(trail.stop(timeoutMilliseconds: 2000))
    #expect(memory.kinds.filter { $0 == .policyRefused }.count == 1)
    // 64 places: one for the refusal, 63 for the rest; 10 decisions and 37 events did not fit.
    #expect(trail.counters.dropped == 10 + 37)
  }

  @Test("many threads lose nothing and count everything")
  func threads() throws {
    let memory = MemorySink()
    let trail = try trail([memory], capacity: 500)
    let threads = try (0..<8).map { _ in
      try SystemCalls.Thread.start("put") { for _ in 0..<5000 { trail.append(entry()) } }
    }
    for thread in threads { thread.join() }
    #expect(trail.stop(timeoutMilliseconds: 5000))
    let counters = trail.counters
    #expect(counters.accepted + counters.dropped == 40_000)
    #expect(UInt64(memory.json(.decision).count) == counters.accepted)
    #expect(reported(memory, "trail-queue") == counters.dropped)
  }

  @Test("the rate limit counts exactly and reports once an interval")
  func rateLimit() throws {
    let memory = MemorySink()
    let limit = RateLimit(perSecond: 1, burst: 10)
    let trail = try trail([memory], settings: TrailSettings(rate: limit, reportMilliseconds: 50))
    trail.policyChanged(ruleCount: 2)
    let passed = (0..<1000).count { _ in trail.wants(decision(.deny, .rule(rule(1)))) }
    #expect(passed == 10)
    #expect(trail.counters.suppressed == 990)
    #expect(eventually { !memory.json(.suppressed).isEmpty })
    #expect(memory.json(.suppressed).first?.contains(#""rule":"50-site.rules:2","count":"#) == true)
    #expect(trail.stop(timeoutMilliseconds: 2000))
    let counts = memory.json(.suppressed).compactMap { line in
      line.firstMatch(of: /"count":([0-9]+)/).flatMap { UInt64($0.output.1) }
    }
    #expect(counts.reduce(0, +) == 990)
  }

  @Test("a new policy loses no suppression that was counted, and stopping reports it")
  func policyChange() throws {
    let memory = MemorySink()
    let trail = try trail([memory], settings: TrailSettings(rate: RateLimit(perSecond: 1, burst: 1)))
    trail.policyChanged(ruleCount: 1)
    for _ in 0..<6 { _ = trail.wants(decision(.deny, .rule(rule(0)))) }
    trail.policyChanged(ruleCount: 0)
    #expect(trail.counters.suppressed == 5)
    #expect(trail.stop(timeoutMilliseconds: 2000))
    #expect(memory.json(.suppressed).map { $0.contains(#""count":5,"seconds":1}"#) } == [true])
  }

  @Test("a watcher sees allows too, the sinks do not")
  func watching() throws {
    let memory = MemorySink()
    let trail = try trail([memory])
    let seen = Mutex<[[UInt8]]>([])
    #expect(!trail.wants(decision(.allow)))
    let token = trail.subscribe { json in seen.withLock { $0.append(json) } }
    #expect(trail.wants(decision(.allow)))
    trail.append(entry(decision(.allow)))
    trail.append(entry(decision(.deny)))
    #expect(trail.flush(timeoutMilliseconds: 2000))
    #expect(seen.withLock { $0.count } == 2)
    #expect(memory.json(.decision).count == 1)
    trail.unsubscribe(token)
    #expect(!trail.wants(decision(.allow)))
    trail.append(entry(decision(.deny)))
    #expect(trail.flush(timeoutMilliseconds: 2000))
    #expect(seen.withLock { $0.count } == 2)
  }

  @Test("the last records can be explained, older ones not")
  func explain() throws {
    let trail = try trail([], recentCapacity: 3)
    for pid in 1...5 as ClosedRange<Int32> { trail.append(entry(pid: pid)) }
    trail.append(.loss(what: "x", count: 1))
    #expect(trail.flush(timeoutMilliseconds: 2000))
    #expect(trail.explain("t-2") == nil)
    for number in 3...5 {
      let found = trail.explain("t-\(number)").map { String(decoding: $0, as: UTF8.self) }
      #expect(found?.contains("\"subject\":{\"pid\":\(number),") == true)
    }
    #expect(trail.explain("t-6") == nil && trail.explain("u-5") == nil && trail.explain("") == nil)
  }

  @Test("a sink that blocks holds up neither append nor the end, and what it kept back is counted")
  func blockedSink() throws {
    let gate = GatedSink()
    let trail = try trail([gate], capacity: 10)
    trail.append(entry())
    gate.waitUntilEntered()
    let begin = Clock.monotonic()
    for _ in 0..<1000 { trail.append(entry()) }
    #expect(!trail.flush(timeoutMilliseconds: 20))
    #expect(!trail.stop(timeoutMilliseconds: 50))
    // The sink would block for ever.
    #expect(Clock.monotonic() - begin < 2_500_000_000)
    #expect(trail.counters.dropped == 1001 && trail.counters.accepted == 0 && trail.counters.queued == 0)
    gate.letGo()
  }

  @Test("a real pipe that nobody reads does not hold up the end, and the other sink gets everything")
  func unreadPipe() throws {
    let ends = try Pipe()
    let memory = MemorySink()
    let stdout = JSONLinesSink(name: "stdout", descriptor: ends.writer(), patienceMilliseconds: 20)
    let trail = try trail([stdout, memory])
    for _ in 0..<2000 { trail.append(entry()) }
    #expect(trail.stop(timeoutMilliseconds: 5000))
    #expect(memory.json(.decision).count == 2000)
    let counters = trail.counters.sinks
    #expect(counters[0].written + counters[0].dropped == UInt64(memory.kinds.count) && counters[0].dropped > 0)
    #expect(memory.json(.loss).map { $0.contains(#""what":"sink-stdout""#) } == [true])
    _ = available(ends.read)
  }

  @Test("a broken sink is told of, exactly, and not for its own reports")
  func brokenSink() throws {
    let (broken, memory) = (BrokenSink(), MemorySink())
    let trail = try trail([broken, memory], settings: TrailSettings(rate: nil, reportMilliseconds: 20))
    for _ in 0..<7 { trail.append(entry()) }
    #expect(eventually { reported(memory, "sink-broken") == 7 })
    // Time for reports about the reports, if there were any.
    Clock.sleep(nanoseconds: 100_000_000)
    #expect(trail.stop(timeoutMilliseconds: 2000))
    #expect(reported(memory, "sink-broken") == 7)
    #expect(trail.counters.sinks.first?.dropped == 7 + UInt64(memory.json(.loss).count))
    #expect(broken.kinds.count == 7 + memory.json(.loss).count)
  }

  /// The sum of what the loss records tell of one thing.
  private func reported(_ sink: MemorySink, _ what: String) -> UInt64 {
    sink.json(.loss).filter { $0.contains("\"what\":\"\(what)\"") }.compactMap { line in
      line.firstMatch(of: /"count":([0-9]+)/).flatMap { UInt64($0.output.1) }
    }.reduce(0, +)
  }

  @Test("after the end nothing is taken, and it is counted; a second end is harmless")
  func stopped() throws {
    let memory = MemorySink()
    let trail = try trail([memory])
    let end = DaemonStop(
      cause: "test", uptimeSeconds: 1, decisions: [], losses: [], answerMedian: nil, answer99thPercentile: nil)
    trail.append(.stopped(end))
    #expect(trail.stop(timeoutMilliseconds: 2000))
    #expect(memory.kinds == [.stopped])
    trail.append(entry())
    #expect(trail.counters.dropped == 1)
    #expect(trail.stop(timeoutMilliseconds: 0))
  }

  @Test("sinks are replaced while it runs, and go on counting by name")
  func replacing() throws {
    let (old, new, other) = (MemorySink("same"), MemorySink("same"), MemorySink("other"))
    let trail = try trail([old])
    trail.append(entry())
    #expect(trail.flush(timeoutMilliseconds: 2000))
    trail.replaceSinks([new, other])
    trail.append(entry())
    #expect(trail.flush(timeoutMilliseconds: 2000))
    #expect(old.kinds.count == 1 && new.kinds.count == 1 && other.kinds.count == 1)
    #expect(trail.counters.sinks.map(\.written) == [2, 1])
  }

  @Test("a trail that nobody stopped ends by itself, with what it had")
  func dropped() throws {
    let memory = MemorySink()
    do {
      let trail = try trail([memory])
      trail.append(entry())
    }
    #expect(memory.kinds == [.decision])
  }
}
