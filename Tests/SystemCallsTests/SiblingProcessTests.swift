// Owns what a process that is started in another's stead gets: its parent, its descriptors, its signals.

import Glibc
import SystemCalls
import Testing

@Suite struct SiblingProcessTests {
  /// What a shell says that was started so, over a channel that is its standard output.
  private func say(_ script: String, descriptors: [Int32] = []) throws -> String {
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let started = try SiblingProcess.start(
      "/bin/sh", ["sh", "-c", "exec >&3; \(script)"], environment: ["WORD=from the caller"],
      descriptors: [ends[1]] + descriptors)
    close(ends[1])
    let text = try Descriptor.duplicate(ends[0]).readAll(limit: 65536)
    let ended = try waitForEvents([(started.handle.endDescriptor, PollEvents.input)], milliseconds: 10_000)
    #expect(ended != [0])
    #expect(waitpid(started.pid, nil, WNOHANG) == -1 && errno == ECHILD, "it is not the caller's child")
    return String(decoding: text, as: UTF8.self)
  }

  @Test func itsParentIsTheCallersOwn() throws {
    #expect(try say("echo $PPID") == "\(getppid())\n")
  }

  @Test func itHasTheEnvironmentThatItWasGiven() throws {
    #expect(try say("echo \"$WORD\"; env | wc -l").hasPrefix("from the caller\n"))
  }

  /// Numbers that overlap with those that are wanted, and one that is inherited by mistake.
  @Test func itHasTheDescriptorsThatItWasGivenAndNoOthers() throws {
    let file = try Descriptor.open("/proc/self/status", 0)
    let leak = dup(file.rawValue)
    defer { close(leak) }
    let text = try say("ls /proc/$$/fd; read -r line <&4; echo \"$line\"", descriptors: [file.rawValue])
    let lines = text.split(separator: "\n")
    #expect(lines.dropLast() == ["0", "1", "2", "3", "4"], "\(text)")
    #expect(lines.last?.hasPrefix("Name:") == true, "\(text)")
  }

  @Test func noSignalIsBlockedOrIgnored() throws {
    signal(SIGPIPE, SIG_IGN)
    var blocked = sigset_t()
    sigemptyset(&blocked)
    sigaddset(&blocked, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &blocked, nil)
    defer { pthread_sigmask(SIG_UNBLOCK, &blocked, nil) }
    let text = try say("exec grep -E '^Sig(Blk|Ign):' /proc/self/status")
    // Signals from 32 on are the C library's.
    let masks = text.split(separator: "\n").compactMap { UInt64($0.split(separator: "\t").last ?? "", radix: 16) }
    #expect(masks.count == 2 && masks.allSatisfy { $0 & 0x7fff_ffff == 0 }, "\(text)")
  }

  @Test func whatCannotBeExecutedIsAnError() {
    func start(_ path: String) throws(Errno) {
      _ = try SiblingProcess.start(path, [path], environment: [], descriptors: [])
    }
    #expect(throws: Errno.noEntry) { try start("/nonexistent/program") }
    #expect(throws: Errno.access) { try start("/etc") }
  }

  @Test func messagesStayApartAndEndWithTheOtherEnd() throws {
    var (one, other): (MessageChannel?, MessageChannel) = try MessageChannel.pair()
    #expect(throws: Errno.again) { try other.receive() }
    try one?.send(Array("first".utf8))
    try one?.send([UInt8](repeating: 7, count: 100_000))
    #expect(try other.receive() == Array("first".utf8))
    #expect(try other.receive().count == 100_000)
    #expect(try other.maker().isAlive)
    one = nil
    #expect(try other.receive() == [])
    #expect(throws: Errno.pipe) { try other.send([1]) }
  }
}
