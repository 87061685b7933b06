// Owns when the tripwire says that a call arrived: by its own child's record, by the counters, or not at all.

import AccessModel
import ControlProtocol
import ControlSocket
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import liliumctl

/// A daemon on a real socket: what it has armed, and what it publishes when a child is started.
private final class FakeDaemon: Sendable {
  let path: String
  private let folder: String
  private let state = State()
  private let server = Mutex<ControlServer?>(nil)
  let children = Mutex<[Int32]>([])

  private final class State: Sendable {
    let report = Mutex(StatusReport())
  }

  init(_ modes: [Mechanism: Mode]) throws {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    path = folder + "/control.sock"
    let statuses = Mechanism.allCases.map { mechanism in
      StatusReport.MechanismStatus(
        mechanism: mechanism, mode: modes[mechanism] ?? .off, configuredMode: .off, effect: .log)
    }
    state.report.withLock { $0.mechanisms = statuses }
    let answer: ControlServer.Handler = { [state] request, _ in
      request == .status ? .status(state.report.withLock { $0 }) : .error(ControlError(.failed, "no"))
    }
    let started = try ControlServer(path: path, group: nil, access: { _ in .full }, handler: answer)
    server.withLock { $0 = started }
  }

  deinit {
    server.withLock { $0 }?.stop()
    rmdir(folder)
  }

  func count(_ mechanism: Mechanism, _ count: UInt64) {
    state.report.withLock {
      $0.decisions.append(.init(mechanism: mechanism, verdict: .allow, reason: "capability", count: count))
    }
  }

  func publish(_ line: String) { server.withLock { $0 }?.publish(Array(line.utf8)) }

  func record(_ pid: Int32, _ mechanism: Mechanism, kind: String = "decision") {
    publish(
      #"{"schema":1,"kind":"\#(kind)","mechanism":"\#(mechanism.name)","verdict":"allow","subject":{"pid":\#(pid)}}"#)
  }

  /// A real process, which the tripwire ends.
  func child(seconds: Int = 60) throws(Errno) -> TripwireChild {
    let pid = try ChildProcess.start("/bin/sleep", ["sleep", "\(seconds)"])
    children.withLock { $0.append(pid) }
    return TripwireChild(pid: pid)
  }
}

@Suite struct TripwireTests {
  private func states(_ checks: [HostCheck]) -> [String: HostCheck.State] {
    Dictionary(checks.map { ($0.name, $0.state) }, uniquingKeysWith: { first, _ in first })
  }

  @Test func eachCallArrivesAsARecord() throws {
    let daemon = try FakeDaemon([.ptrace: .audit, .mount: .enforce, .exec: .enforce])
    let tripwire = Tripwire(socket: daemon.path, ioctl: .all) { (mechanism, _) throws(Errno) in
      let child = try daemon.child()
      daemon.record(1, mechanism)
      daemon.publish("[}")
      daemon.record(child.pid, mechanism)
      return child
    }
    let checks = tripwire.run()
    #expect(checks.map(\.name) == ["tripwire ptrace", "tripwire mount"])
    #expect(states(checks) == ["tripwire ptrace": .available, "tripwire mount": .available])
    #expect(checks.allSatisfy { $0.detail.hasPrefix("the call arrived as a record after ") && $0.isNeeded })
    let children = daemon.children.withLock { $0 }
    #expect(children.count == 2)
    #expect(children.allSatisfy { kill($0, 0) != 0 && errno == ESRCH })
  }

  @Test func withoutARecordTheCountersTell() throws {
    let daemon = try FakeDaemon([.clone: .audit, .module: .audit])
    daemon.count(.clone, 7)
    daemon.count(.module, 7)
    let begun = Clock.monotonic()
    let checks = Tripwire(socket: daemon.path, ioctl: .all, patience: 500_000_000) { (mechanism, _) throws(Errno) in
      let child = try daemon.child(seconds: 0)
      // Another process's call, the child's of another mechanism, and no decision: none of them is the one.
      daemon.record(child.pid + 1, mechanism)
      daemon.record(child.pid, .kexec)
      daemon.record(child.pid, mechanism, kind: "loss")
      if mechanism == .clone { daemon.count(.clone, 2) }
      return child
    }.run()
    #expect((500_000_000...10_000_000_000).contains(Clock.monotonic() - begun))
    #expect(states(checks) == ["tripwire clone": .available, "tripwire module": .missing])
    #expect(
      checks.first { $0.name == "tripwire clone" }?.detail.hasPrefix("no record, but the daemon counted 2 more") == true
    )
    #expect(!DoctorReport(checks: checks).isGood)
  }

  /// A slow host needs seconds until the process runs and has made its call.
  @Test func theTimeBeginsWhenTheProcessHasEnded() throws {
    let daemon = try FakeDaemon([.kexec: .audit])
    let late = Mutex<Thread?>(nil)
    let tripwire = Tripwire(socket: daemon.path, ioctl: .all) { (mechanism, _) throws(Errno) in
      let child = try daemon.child(seconds: 3)
      let thread = try Thread.start("late") {
        for _ in 0..<1000 where !child.hasEnded { Clock.sleep(nanoseconds: 10_000_000) }
        Clock.sleep(nanoseconds: 200_000_000)
        daemon.record(child.pid, mechanism)
      }
      late.withLock { $0 = thread }
      return child
    }
    #expect(states(tripwire.run()) == ["tripwire kexec": .available])
    late.withLock { $0 }?.join()
  }

  @Test func ioctlUsesARequestThatIsSensed() throws {
    let daemon = try FakeDaemon([.ioctl: .audit])
    let asked = Mutex<[UInt64]>([])
    let run = { (filter: RequestFilter) in
      Tripwire(socket: daemon.path, ioctl: filter) { (mechanism, request) throws(Errno) in
        asked.withLock { $0.append(request) }
        let child = try daemon.child()
        daemon.record(child.pid, mechanism)
        return child
      }.run()
    }
    #expect(run(.numbers([0x5412, 0x5423])).map(\.state) == [.available])
    #expect(run(.numbers([])).map(\.detail) == ["not tried: no rule names a request"])
    #expect(asked.withLock { $0 } == [0x5412])
  }

  @Test func whatCannotBeTriedIsSaid() throws {
    let none = Tripwire(socket: "/tmp/lilium-nobody.sock", ioctl: .all).run()
    #expect(none.map(\.state) == [.information])
    #expect(none.map(\.detail) == ["not tried: liliumd cannot be asked at /tmp/lilium-nobody.sock"])
    let idle = try FakeDaemon([.exec: .enforce])
    #expect(
      Tripwire(socket: idle.path, ioctl: .all).run().map(\.detail)
        == ["not tried: no mechanism that is a system call is on"])
    let failing = try FakeDaemon([.kexec: .audit])
    let checks = Tripwire(socket: failing.path, ioctl: .all) { (_, _) throws(Errno) in throw .noEntry }.run()
    #expect(checks.map(\.state) == [.information])
    #expect(checks.first?.detail.hasPrefix("not tried: no process could be started") == true)
  }
}
