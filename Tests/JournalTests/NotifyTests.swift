// Holds what the service manager is told, against a real notification socket.

import Glibc
import Journal
import SystemCalls
import Testing

/// One after another: the manager's socket is named in the environment of the process.
@Suite("Service notifications", .serialized)
struct NotifyTests {
  private func told(_ body: () -> Bool) throws -> String {
    let folder = TemporaryFolder()
    let socket = try ManagerSocket(at: folder.path + "/socket")
    setenv("NOTIFY_SOCKET", folder.path + "/socket", 1)
    defer { unsetenv("NOTIFY_SOCKET") }
    #expect(body())
    return socket.receive()
  }

  @Test("each notification as systemd takes it")
  func words() throws {
    #expect(try told { Notify.ready() } == "READY=1")
    #expect(try told { Notify.watchdog() } == "WATCHDOG=1")
    #expect(try told { Notify.stopping() } == "STOPPING=1")
    #expect(try told { Notify.status("exec: audit, 3 marks") } == "STATUS=exec: audit, 3 marks")
  }

  @Test("a status cannot smuggle another assignment")
  func injection() throws {
    #expect(try told { Notify.status("a\nMAINPID=1\u{0}b") } == "STATUS=a MAINPID=1 b")
  }

  @Test("a reload says when it began")
  func reloading() throws {
    let before = Clock.monotonic() / 1000
    let words = try told { Notify.reloading() }
    let after = Clock.monotonic() / 1000
    let match = try #require(words.wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=([0-9]+)/))
    let time = try #require(UInt64(match.output.1))
    #expect((before...after).contains(time))
  }

  @Test("without a manager nothing is told")
  func absent() {
    unsetenv("NOTIFY_SOCKET")
    #expect(!Notify.ready())
    #expect(!Notify.status("x"))
  }

  @Test("the watchdog's interval comes from the manager, and is for this process alone")
  func watchdog() {
    defer {
      unsetenv("WATCHDOG_USEC")
      unsetenv("WATCHDOG_PID")
    }
    #expect(Notify.watchdogInterval() == nil)
    setenv("WATCHDOG_USEC", "2000000", 1)
    setenv("WATCHDOG_PID", "\(getpid())", 1)
    #expect(Notify.watchdogInterval() == 2_000_000)
    setenv("WATCHDOG_PID", "1", 1)
    #expect(Notify.watchdogInterval() == nil)
  }
}

/// A bound datagram socket that stands for the service manager.
private final class ManagerSocket {
  private let socket: Descriptor

  init(at path: String) throws { socket = try boundDatagramSocket(at: path) }

  func receive() -> String {
    var data = [UInt8](repeating: 0, count: 4096)
    let count = recv(socket.rawValue, &data, data.count, Int32(MSG_DONTWAIT))
    return String(decoding: data.prefix(max(0, count)), as: UTF8.self)
  }
}
