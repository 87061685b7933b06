// Owns the control socket over a real Unix socket: requests, watchers, limits, access, what is left behind.

import AccessModel
import ControlProtocol
import ControlSocket
import Glibc
import Synchronization
import SystemCalls
import Testing

/// A server in a temporary folder.
final class Service: Sendable {
  let path: String
  let server: ControlServer
  private let shared: Shared

  init(group: UInt32? = nil, access: (@Sendable (Peer) -> PeerAccess)? = nil) throws {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) + "/control.sock"
    let shared = Shared()
    self.shared = shared
    server = try ControlServer(path: path, group: group, access: access) { request, _ in
      shared.requests.withLock { $0.append(request) }
      switch request {
      case .status: return .status(StatusReport())
      case .reload, .trustChanged, .readFiles: return .error(ControlError(.failed, "no"))
      default: return .version(VersionReport())
      }
    }
  }

  var requests: [ControlRequest] { shared.requests.withLock { $0 } }

  final class Shared: Sendable {
    let requests = Mutex<[ControlRequest]>([])
  }

  func client() throws -> ControlClient { try ControlClient(path: path) }

  /// Waits until as many watch.
  func waitForWatchers(_ count: Int) throws {
    for _ in 0..<500 where server.watcherCount != count { Clock.sleep(nanoseconds: 2_000_000) }
    try #require(server.watcherCount == count)
  }

  deinit {
    server.stop()
    rmdir(String(path.dropLast("/control.sock".count)))
  }
}

private func dropped(_ line: [UInt8]) -> UInt64? {
  guard case .dropped(let count)? = try? ControlLine.decodeReply(line) else { return nil }
  return count
}

@Suite struct SocketTests {
  @Test func asksAndAnswersOverOneConnection() throws {
    let service = try Service()
    let client = try service.client()
    #expect(try client.ask(.status) == .status(StatusReport()))
    #expect(try client.ask(.reload) == .error(ControlError(.failed, "no")))
    #expect(try client.ask(.version) == .version(VersionReport()))
    #expect(service.requests == [.status, .reload, .version])
  }

  @Test func severalRequestsInOnePieceAndOneInSeveral() throws {
    let service = try Service()
    let client = try service.client()
    let line = ControlLine.encode(ControlRequest.version)
    try client.send(line + line + Array(line.prefix(5)))
    for _ in 0..<2 { #expect(try client.nextLine(milliseconds: 5000) != nil) }
    try client.send(Array(line.dropFirst(5)))
    #expect(try client.nextLine(milliseconds: 5000) != nil)
    #expect(service.requests.count == 3)
  }

  @Test func malformedLinesGetAnErrorAndTheConnectionGoesOn() throws {
    let service = try Service()
    let other = try service.client()
    try other.send(Array("nonsense\n\n{\"protocol\":1,\"request\":\"version\"}\n".utf8))
    for expected in [ControlError.Code.malformed, .malformed] {
      let line = try #require(try other.nextLine(milliseconds: 5000))
      guard case .error(let error) = try ControlLine.decodeReply(line) else {
        Issue.record("no error")
        return
      }
      #expect(error.code == expected)
    }
    #expect(try other.nextLine(milliseconds: 5000) != nil)
    #expect(service.requests == [.version])
  }

  @Test func aLineTooLongEndsTheConnection() throws {
    let service = try Service()
    let client = try service.client()
    try client.send([UInt8](repeating: UInt8(ascii: "x"), count: ControlLine.longestRequest + 20_000))
    let line = try #require(try client.nextLine(milliseconds: 5000))
    guard case .error(let error) = try ControlLine.decodeReply(line) else {
      Issue.record("no error")
      return
    }
    #expect(error.code == .lineTooLong)
    #expect(try client.nextLine(milliseconds: 5000) == nil)
    #expect(try service.client().ask(.version) == .version(VersionReport()))
  }

  @Test func moreConnectionsThanThereIsRoomFor() throws {
    let service = try Service(access: { _ in .full })
    var clients: [ControlClient] = []
    var busy = 0
    for _ in 0..<40 {
      let client = try service.client()
      switch try client.ask(.version) {
      case .version: clients.append(client)
      case .error(let error) where error.code == .busy: busy += 1
      default: Issue.record("another reply")
      }
    }
    #expect(clients.count == 32)
    #expect(busy == 8)
    clients.removeAll()
    var reply: ControlReply?
    for _ in 0..<100 where reply != .version(VersionReport()) {
      reply = try service.client().ask(.version)
      Clock.sleep(nanoseconds: 5_000_000)
    }
    #expect(reply == .version(VersionReport()))
  }

  @Test func readersCannotLockRootOut() throws {
    let flag = Flag()
    let service = try Service(access: { _ in flag.isRoot.withLock { $0 } ? .full : .readOnly })
    var clients: [ControlClient] = []
    for _ in 0..<28 {
      let client = try service.client()
      #expect(try client.ask(.version) == .version(VersionReport()))
      clients.append(client)
    }
    guard case .error(let error) = try service.client().ask(.version) else {
      Issue.record("readers took root's room")
      return
    }
    #expect(error.code == .busy)
    flag.isRoot.withLock { $0 = true }
    #expect(try service.client().ask(.version) == .version(VersionReport()))
    #expect(clients.count == 28)
  }

  final class Flag: Sendable {
    let isRoot = Mutex(false)
  }

  @Test func aReaderMayOnlyRead() throws {
    let service = try Service(access: { _ in .readOnly })
    let client = try service.client()
    #expect(try client.ask(.status) == .status(StatusReport()))
    for request in [ControlRequest.reload, .trustChanged, .readFiles, .mode(ModeChange(mechanism: .exec, mode: .off))] {
      guard case .error(let error) = try client.ask(request) else {
        Issue.record("\(request.name) was done")
        return
      }
      #expect(error.code == .forbidden)
      #expect(error.message == "only root may ask for \(request.name); run liliumctl with sudo")
    }
    #expect(service.requests == [.status])
  }

  @Test func aStrangerGetsASentenceAndNothingElse() throws {
    let service = try Service(access: { _ in .none("uid 5 is not root") })
    let client = try service.client()
    #expect(try client.ask(.status) == .error(ControlError(.forbidden, "uid 5 is not root")))
    #expect(try client.nextLine(milliseconds: 5000) == nil)
    #expect(service.requests == [])
  }

  @Test func watchersGetWhatTheyWant() throws {
    let service = try Service()
    service.server.publish(Array("nobody watches".utf8))
    let all = try service.client()
    let some = try service.client()
    #expect(try all.ask(.watch(WatchFilter())) == .watching)
    #expect(try some.ask(.watch(WatchFilter(mechanism: .open))) == .watching)
    try service.waitForWatchers(2)
    let lines = [#"{"kind":"decision","mechanism":"exec"}"#, #"{"kind":"decision","mechanism":"open"}"#]
    for line in lines { service.server.publish(Array(line.utf8)) }
    #expect(try all.nextLine(milliseconds: 5000) == Array(lines[0].utf8))
    #expect(try all.nextLine(milliseconds: 5000) == Array(lines[1].utf8))
    #expect(try some.nextLine(milliseconds: 5000) == Array(lines[1].utf8))
  }

  @Test func watchersThatGoAreForgotten() throws {
    let service = try Service()
    var client: ControlClient? = try service.client()
    #expect(try client?.ask(.watch(WatchFilter())) == .watching)
    try service.waitForWatchers(1)
    client = nil
    try service.waitForWatchers(0)
  }

  /// What is published is either received or told as dropped, and publishing never waits for the reader.
  @Test func aSlowWatcherIsToldWhatItMissed() throws {
    let service = try Service()
    let slow = try service.client()
    let quick = try service.client()
    #expect(try slow.ask(.watch(WatchFilter())) == .watching)
    try service.waitForWatchers(1)
    let line = Array((#"{"kind":"decision","path":""# + String(repeating: "x", count: 1000) + "\"}").utf8)
    let total = 20_000
    let start = Clock.monotonic()
    for _ in 0..<total { service.server.publish(line) }
    #expect(Clock.monotonic() - start < 2_000_000_000)
    #expect(try quick.ask(.version) == .version(VersionReport()))
    var (received, missed) = (0, 0)
    while received + missed < total {
      let next = try #require(try slow.nextLine(milliseconds: 5000))
      if let count = dropped(next) { missed += Int(count) } else { received += 1 }
    }
    #expect(received + missed == total)
    #expect(missed > 0)
    #expect(received > 100)
  }

  @Test func aClientThatNeverReadsIsNotServedForEver() throws {
    let service = try Service()
    let client = try service.client()
    let line = ControlLine.encode(ControlRequest.status)
    let many = [UInt8](Array(repeating: line, count: 500).joined())
    var failure: ControlFailure?
    // The server stops reading, and the socket fills.
    for _ in 0..<200 where failure == nil {
      do throws(ControlFailure) { try client.send(many, milliseconds: 200) } catch { failure = error }
    }
    #expect(failure == .silent)
    #expect(try service.client().ask(.version) == .version(VersionReport()))
  }

  @Test func theSocketsPermissionsAndItsEnd() throws {
    let service = try Service()
    #expect(try FileStatus.of(path: service.path).mode & 0o777 == 0o600)
    let client = try service.client()
    service.server.stop()
    #expect(throws: Errno.noEntry) { try FileStatus.of(path: service.path) }
    #expect(try client.nextLine(milliseconds: 5000) == nil)
    service.server.stop()
  }

  @Test(.enabled(if: geteuid() == 0)) func theGroupOwnsTheSocket() throws {
    let service = try Service(group: 12345)
    let status = try FileStatus.of(path: service.path)
    #expect(status.mode & 0o777 == 0o660)
    #expect(status.group == 12345)
  }

  @Test func aFailedStartLeavesNothing() throws {
    let service = try Service()
    let handler: ControlServer.Handler = { _, _ in .watching }
    #expect(throws: SystemCallError.self) { try ControlServer(path: service.path, group: nil, handler: handler) }
    #expect(try service.client().ask(.version) == .version(VersionReport()))
    let nowhere = "/tmp/lilium-no-such-folder/x.sock"
    #expect(throws: SystemCallError.self) { try ControlServer(path: nowhere, group: nil, handler: handler) }
  }

  @Test func aStaleSocketIsReplaced() throws {
    let service = try Service()
    let copy = service.path + "2"
    do {
      let stale = try UnixSocket.listen(at: copy, mode: 0o600)
      _ = stale
    }
    let server = try ControlServer(path: copy, group: nil) { _, _ in .version(VersionReport()) }
    #expect(try ControlClient(path: copy).ask(.status) == .version(VersionReport()))
    server.stop()
    #expect(throws: Errno.noEntry) { try FileStatus.of(path: copy) }
  }

  @Test func nobodyThereIsSaid() {
    let failure = #expect(throws: ControlFailure.self) { try ControlClient(path: "/tmp/lilium-nobody.sock") }
    #expect(failure == .unreachable(path: "/tmp/lilium-nobody.sock", reason: "No such file or directory"))
  }
}
