// Holds the socket against a real receiver: small and big entries, a journald that is gone, returns, or is stuck.

import Glibc
import Journal
import SystemCalls
import Testing

@Suite("Journal socket")
struct JournalSocketTests {
  private func entry(_ value: [UInt8]) -> JournalEntry {
    var entry = JournalEntry()
    entry.append("MESSAGE", value)
    return entry
  }

  private func expected(_ value: [UInt8], asFile: Bool = false) -> JournalReceiver.Entry {
    JournalReceiver.Entry(fields: [.init(name: "MESSAGE", value: value)], cameAsFile: asFile)
  }

  @Test("entries arrive one by one and whole")
  func arrive() throws {
    let folder = TemporaryFolder()
    let receiver = try JournalReceiver(at: folder.path + "/socket")
    var socket = JournalSocket(path: folder.path + "/socket")
    for value in [[], [0x0a], [UInt8](0...255), [UInt8](repeating: 0xff, count: 100_000)] {
      #expect(socket.send(entry(value)) == .sent)
      #expect(try receiver.receive() == expected(value))
    }
    #expect(try receiver.receive() == nil)
  }

  @Test("an entry too big for a datagram comes as a sealed file, and the next small one as a datagram")
  func big() throws {
    let folder = TemporaryFolder()
    let receiver = try JournalReceiver(at: folder.path + "/socket")
    var socket = JournalSocket(path: folder.path + "/socket")
    let big = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(socket.send(entry(big)) == .sent)
    #expect(try receiver.receive() == expected(big, asFile: true))
    #expect(socket.send(entry([1])) == .sent)
    #expect(try receiver.receive() == expected([1]))
  }

  @Test("no descriptor is left behind by big entries")
  func descriptors() throws {
    let folder = TemporaryFolder()
    var receiver: JournalReceiver? = try JournalReceiver(at: folder.path + "/socket")
    var socket = JournalSocket(path: folder.path + "/socket")
    _ = socket.send(entry([1]))
    receiver = nil
    let big = entry([UInt8](repeating: 1, count: 1_000_000))
    for _ in 0..<8 { #expect(socket.send(big) != .sent) }
    receiver = try JournalReceiver(at: folder.path + "/socket")
    for _ in 0..<8 {
      #expect(socket.send(big) == .sent)
      #expect(try receiver?.receive()?.cameAsFile == true)
    }
    #expect(memoryFiles() == 0)
  }

  @Test("without journald entries are dropped with the reason; when it comes, they arrive")
  func absentThenThere() throws {
    let folder = TemporaryFolder()
    var socket = JournalSocket(path: folder.path + "/socket")
    #expect(socket.send(entry([1])) == .dropped(Errno(ENOENT)))
    let receiver = try JournalReceiver(at: folder.path + "/socket")
    #expect(socket.send(entry([2])) == .sent)
    #expect(try receiver.receive() == expected([2]))
  }

  @Test("a journald that went away refuses; a new one at the same path gets the very next entry")
  func restart() throws {
    let folder = TemporaryFolder()
    var receiver: JournalReceiver? = try JournalReceiver(at: folder.path + "/socket")
    var socket = JournalSocket(path: folder.path + "/socket")
    #expect(socket.send(entry([1])) == .sent)
    receiver = nil
    #expect(socket.send(entry([2])) == .dropped(Errno(ECONNREFUSED)))
    receiver = try JournalReceiver(at: folder.path + "/socket")
    #expect(socket.send(entry([3])) == .sent)
    receiver = try JournalReceiver(at: folder.path + "/socket")
    #expect(socket.send(entry([4])) == .sent)
    #expect(try receiver?.receive() == expected([4]))
    #expect(try receiver?.receive() == nil)
  }

  @Test("a journald that does not read is waited for once, then no more; when it reads, entries arrive again")
  func stuck() throws {
    let folder = TemporaryFolder()
    let receiver = try JournalReceiver(at: folder.path + "/socket")
    var socket = JournalSocket(path: folder.path + "/socket", patienceMilliseconds: 50)
    var sent = 0
    let begin = Clock.monotonic()
    while socket.send(entry([UInt8(truncatingIfNeeded: sent)])) == .sent { sent += 1 }
    #expect(sent > 0)
    let waited = Clock.monotonic() - begin
    #expect(waited >= 50_000_000)

    let second = Clock.monotonic()
    for _ in 0..<100 { #expect(socket.send(entry([0])) == .dropped(.again)) }
    // A hundred waits would take five seconds.
    #expect(Clock.monotonic() - second < 2_500_000_000)

    for number in 0..<sent { #expect(try receiver.receive() == expected([UInt8(truncatingIfNeeded: number)])) }
    #expect(socket.send(entry([7])) == .sent)
    #expect(try receiver.receive() == expected([7]))
  }

  /// Descriptors of this process that are entries' memory files.
  private func memoryFiles() -> Int {
    (0..<256).count { number in
      (try? readLink("/proc/self/fd/\(number)")).map { String(decoding: $0, as: UTF8.self) }?
        .hasPrefix("/memfd:lilium-journal") ?? false
    }
  }
}
