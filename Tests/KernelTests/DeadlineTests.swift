// Owns the promise that the host never waits longer than the deadline, whatever holds a mediator up.

import AccessModel
import Fanotify
import FanotifyEnforcement
import Foundation
import Synchronization
import Testing

/// Holds requests up, as a stuck disk would.
final class SlowMediator: Mediator {
  let seconds: Double
  let verdict: Verdict
  let late = Atomic<Int>(0)
  let inTime = Atomic<Int>(0)
  let failures = Mutex<[Failure]>([])

  init(seconds: Double, onFailure verdict: Verdict) {
    self.seconds = seconds
    self.verdict = verdict
  }

  func makeDesk(for mechanism: Mechanism, room: any WaitingRoom) {}

  func mediate<Request: AccessRequest & ~Copyable>(_ request: consuming Request, at desk: Void) {
    Foundation.Thread.sleep(forTimeInterval: seconds)
    switch request.answer(.allow, Facts(), remembers: { false }) {
    case .late: late.add(1, ordering: .relaxed)
    case .done, .notContained: inTime.add(1, ordering: .relaxed)
    }
  }

  func noteFailure(
    _ failure: Failure, of mechanism: Mechanism, pid: Int32, operation: AccessModel.Operation, nanoseconds: UInt64
  ) {
    failures.withLock { $0.append(failure) }
  }

  func failureAnswer(_ mechanism: Mechanism) -> Verdict { verdict }
}

@Suite(.serialized) struct DeadlineTests {
  /// Marks the host's tmpfs through the mount namespace of its shell.
  func listen(
    _ host: Host, _ mediator: SlowMediator, most: Int = 128
  ) throws -> PermissionListener<SlowMediator> {
    let shell = try host.run("echo $PPID; echo $$").output.split(separator: "\n").last.map(String.init) ?? ""
    let group = try PermissionGroup()
    var settings = ListenerSettings(threads: 2, deadline: 300_000_000)
    settings.mostThreads = most
    let listener = try PermissionListener(mechanism: .open, group: group, handler: mediator, settings: settings)
    try listener.start()
    try group.markFileSystem(.open, of: "/proc/\(shell)/root\(host.mount)")
    return listener
  }

  @Test(arguments: [Verdict.allow, .deny]) func answersALateRequestOnce(onFailure: Verdict) throws {
    let host = try Host()
    try host.check(host.run("echo x > m/file"))
    let mediator = SlowMediator(seconds: 1.5, onFailure: onFailure)
    let listener = try listen(host, mediator)
    let start = Date()
    #expect(try host.run("cat m/file").status == (onFailure == .allow ? 0 : 1))
    #expect(Date().timeIntervalSince(start) < 1.2, "the deadline answers before the mediator does")
    #expect(listener.losses.value(.deadline) == 1)
    #expect(mediator.failures.withLock { $0 } == [.deadline])
    Foundation.Thread.sleep(forTimeInterval: 2)
    #expect(mediator.late.load(ordering: .relaxed) == 1)
    #expect(mediator.inTime.load(ordering: .relaxed) == 0)
    #expect(listener.stop(nanoseconds: 3_000_000_000))
    #expect(listener.losses.value(.answerRefused) == 0)
  }

  /// More stuck requests than threads may be: the rest is answered without one, and the host goes on.
  @Test func goesOnWhenEveryThreadIsStuck() throws {
    let host = try Host()
    try host.check(host.run("for i in $(seq 30); do echo x > m/$i; done"))
    let mediator = SlowMediator(seconds: 6, onFailure: .allow)
    let listener = try listen(host, mediator, most: 4)
    let start = Date()
    let outcome = try host.run("for i in $(seq 30); do cat m/$i > /dev/null & done; wait")
    #expect(outcome.status == 0)
    #expect(Date().timeIntervalSince(start) < 5, "nobody waits for the stuck threads")
    #expect(listener.losses.value(.deadline) + listener.losses.value(.outOfThreads) == 30)
    #expect(listener.status.threads <= 4)
    #expect(listener.stop(nanoseconds: 10_000_000_000))
  }

  @Test func aMediatorInTimeIsNotDisturbed() throws {
    let host = try Host()
    try host.check(host.run("for i in $(seq 30); do echo x > m/$i; done"))
    let mediator = SlowMediator(seconds: 0.005, onFailure: .deny)
    let listener = try listen(host, mediator)
    #expect(try host.run("for i in $(seq 30); do cat m/$i > /dev/null || exit 1; done").status == 0)
    #expect(mediator.inTime.load(ordering: .relaxed) == 30)
    #expect(listener.losses.value(.deadline) == 0)
    #expect(listener.stop(nanoseconds: 3_000_000_000))
  }
}
