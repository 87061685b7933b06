// Owns liliumctl's end of the control socket: connect, ask, read lines.
// It must not print or interpret a record.

public import ControlProtocol
internal import SystemCalls

/// Why there is no reply.
public enum ControlFailure: Error, Sendable, Hashable {
  /// Nobody listens there, or this user may not connect.
  case unreachable(path: String, reason: String)
  /// The daemon ended the connection.
  case closed
  /// No reply came in time.
  case silent
  /// A reply that cannot be read.
  case malformed(ControlError)
}

/// One connection to the daemon. Belongs to one thread.
public final class ControlClient {
  private let socket: Descriptor
  private var input: [UInt8] = []
  private var isOver = false

  public init(path: String) throws(ControlFailure) {
    do throws(Errno) { socket = try UnixSocket.connect(to: path) } catch {
      throw .unreachable(path: path, reason: error.description)
    }
  }

  /// Sends a request and reads its reply. A reload may take long: the time limit is in milliseconds.
  public func ask(_ request: ControlRequest, milliseconds: Int32 = 60_000) throws(ControlFailure) -> ControlReply {
    try send(ControlLine.encode(request))
    guard let line = try nextLine(milliseconds: milliseconds) else { throw .closed }
    do throws(ControlError) { return try ControlLine.decodeReply(line) } catch { throw .malformed(error) }
  }

  /// Sends bytes as they are; the time limit is for each wait until the daemon takes some.
  public func send(_ bytes: [UInt8], milliseconds: Int32 = 10_000) throws(ControlFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      var failed: Errno?
      // The bytes outlive the call that reads them.
      let sent = unsafe rest.withUnsafeBytes { part in
        do throws(Errno) { return try unsafe UnixSocket.send(part, to: socket.rawValue) } catch {
          failed = error
          return 0
        }
      }
      switch failed {
      case nil: rest = rest.dropFirst(sent)
      case Errno.again?: try wait(PollEvents.output, milliseconds: milliseconds)
      // The daemon has hung up; what it said before that is still to be read.
      default: return
      }
    }
  }

  /// The next line without its end; nil where the daemon has hung up. Without a limit it waits.
  public func nextLine(milliseconds: Int32 = -1) throws(ControlFailure) -> [UInt8]? {
    var searched = 0
    while true {
      if let end = input[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(input[..<end])
        input.removeFirst(end + 1)
        return line
      }
      searched = input.count
      guard input.count <= ControlLine.longestReply else {
        throw .malformed(ControlError(.lineTooLong, "a line longer than \(ControlLine.longestReply) bytes"))
      }
      if isOver { return nil }
      try wait(PollEvents.input, milliseconds: milliseconds)
      receive()
    }
  }

  private func wait(_ events: Int16, milliseconds: Int32) throws(ControlFailure) {
    let limit = Clock.monotonic() + UInt64(max(0, milliseconds)) * 1_000_000
    while true {
      let ready = try? waitForEvents([(socket.rawValue, events)], milliseconds: milliseconds)
      if ready?.first != 0 { return }
      if milliseconds >= 0, Clock.monotonic() >= limit { throw .silent }
    }
  }

  private func receive() {
    var chunk = [UInt8](repeating: 0, count: 65536)
    // The buffer outlives the call that fills it.
    let got = unsafe chunk.withUnsafeMutableBytes { part in (try? unsafe readDescriptor(socket.rawValue, part)) ?? 0 }
    if got == 0 { isOver = true }
    input.append(contentsOf: chunk[..<got])
  }
}
