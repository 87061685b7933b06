// Work that does not end: who waits goes on, the others are done, and nothing is begun twice.

import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import FanotifyEnforcement

/// Holds who comes with one of some keys until it is opened. Counts who came.
final class Gate: Sendable {
  private let shut: Mutex<Set<String>>
  private let came = Mutex<[String: Int]>([:])

  init(_ shut: Set<String>) { self.shut = Mutex(shut) }

  func pass(_ key: String) {
    came.withLock { $0[key, default: 0] += 1 }
    while shut.withLock({ $0.contains(key) }) { Clock.sleep(nanoseconds: 10_000_000) }
  }

  func open(_ key: String) { shut.withLock { _ = $0.remove(key) } }
  func openAll() { shut.withLock { $0 = [] } }
  func close(_ key: String) { shut.withLock { _ = $0.insert(key) } }
  func count(_ key: String) -> Int { came.withLock { $0[key] ?? 0 } }
}

/// Waits up to five seconds.
func eventually(_ condition: () -> Bool) -> Bool {
  for _ in 0..<1000 {
    if condition() { return true }
    Clock.sleep(nanoseconds: 5_000_000)
  }
  return condition()
}

@Suite struct ErrandsTests {
  private func errands(_ gate: Gate, patience: UInt64 = 300_000_000) throws -> Errands<String, String> {
    try Errands("test-errands", patience: patience) { key in
      gate.pass(key)
      return key.uppercased()
    }
  }

  @Test func everythingIsDoneAndHandedOver() throws {
    let errands = try errands(Gate([]), patience: 5_000_000_000)
    for _ in 0..<50 {
      let returned = errands.run(["a", "b", "c"])
      #expect(returned.outcomes == ["a": "A", "b": "B", "c": "C"] && returned.silent.isEmpty)
    }
    #expect(errands.run([]).outcomes.isEmpty)
  }

  @Test func oneThatHangsLeavesTheOthersAlone() throws {
    let gate = Gate(["a", "c"])
    defer { gate.openAll() }
    let returned = try errands(gate).run(["a", "b", "c", "d"])
    #expect(returned.outcomes == ["b": "B", "d": "D"])
    #expect(returned.silent == ["a", "c"])
  }

  @Test func itIsNotBegunAgainNorWaitedForAgain() throws {
    let gate = Gate(["a"])
    defer { gate.openAll() }
    let errands = try errands(gate, patience: 1_000_000_000)
    _ = errands.run(["a", "b"])
    let start = Clock.monotonic()
    for _ in 0..<10 {
      let returned = errands.run(["a", "b"])
      #expect(returned.outcomes == ["b": "B"] && returned.silent == ["a"])
    }
    #expect(Clock.monotonic() - start < 5_000_000_000, "ten runs that wait take ten seconds")
    #expect(gate.count("a") == 1 && gate.count("b") == 11)
  }

  @Test func aLateAnswerIsHandedOverAndTheNextIsAsked() throws {
    let gate = Gate(["a"])
    defer { gate.openAll() }
    let errands = try errands(gate)
    #expect(errands.run(["a"]).silent == ["a"])
    gate.open("a")
    #expect(eventually { errands.run(["a"]).outcomes["a"] == "A" })
    #expect(errands.run(["a"]).silent.isEmpty)
    #expect(gate.count("a") >= 2)
  }

  /// More than there are threads for: what comes first is done, and the rest is named.
  @Test func thereIsAnEndToThreads() throws {
    let dead = (0..<80).map { "dead\($0)" }
    let gate = Gate(Set(dead))
    defer { gate.openAll() }
    let errands = try errands(gate, patience: 4_000_000_000)
    let returned = errands.run(["first"] + dead + ["last"])
    #expect(returned.outcomes == ["first": "FIRST"])
    #expect(returned.silent == Set(dead + ["last"]))
    #expect(dead.map(gate.count).reduce(0, +) == 64)
    gate.openAll()
    #expect(eventually { errands.run(dead + ["last"]).silent.isEmpty })
  }
}
