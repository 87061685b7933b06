// Owns one connection of the control socket: what has arrived, what is to go out, and whether its peer watches.
// It must not block, and must not know what a request does.

internal import ControlProtocol
internal import ProcFS
internal import SystemCalls

/// Belongs to the server's thread.
final class ControlConnection {
  let peer: Peer
  let access: PeerAccess
  /// The peer itself; nil where it had ended before anybody looked.
  private let process: ProcessHandle?
  private let socket: Descriptor
  private var input: [UInt8] = []
  private var output: [UInt8] = []
  private var outputStart = 0
  /// Nil where the peer does not watch.
  private(set) var filter: WatchFilter?
  /// Records that the peer was too slow for, and has not been told of.
  private var lost: UInt64 = 0
  /// The peer sends no more.
  private var isInputOver = false
  /// Nothing more is read; the connection ends when its output is out.
  private var isClosing = false
  private var isBroken = false
  /// When the peer last said or took something, in nanoseconds of `Clock.monotonic`.
  private(set) var lastActivity = Clock.monotonic()

  /// Bytes that may wait for a peer that is slow to read.
  static let longestOutput = 256 * 1024

  init(_ socket: consuming Descriptor, peer: Peer, access: PeerAccess) {
    self.socket = socket
    self.peer = peer
    self.access = access
    process = try? UnixSocket.peerProcess(of: self.socket)
  }

  /// Whether the peer holds CAP_SYS_ADMIN over the host now.
  var isAdministrator: Bool {
    switch process {
    case .some(let process): HostAdministrator.holds(process, pid: peer.pid)
    case .none: false
    }
  }

  /// Whether the connections that are kept for root are for this peer.
  var isRoot: Bool { access == .full || access == .whileAdministrator && isAdministrator }

  /// Why the peer may not ask this, if it may not.
  func refusal(of request: ControlRequest) -> ControlError? {
    access.refusal(of: request) { isAdministrator }
  }

  var descriptor: Int32 { socket.rawValue }
  private var waiting: Int { output.count - outputStart }
  /// A peer that does not take its answers is not asked for more requests.
  private var takesInput: Bool { !isInputOver && !isClosing && waiting < Self.longestOutput }

  var wantedEvents: Int16 {
    (takesInput ? PollEvents.input : 0) | (waiting > 0 ? PollEvents.output : 0)
  }

  var isOver: Bool {
    isBroken || (waiting == 0 && (isClosing || (isInputOver && filter == nil)))
  }

  /// Reads what has arrived, and hands each whole line to `answer`.
  func receive(_ answer: ([UInt8]) -> Void) {
    var chunk = [UInt8](repeating: 0, count: 16384)
    do throws(Errno) {
      var failed: Errno?
      // The buffer outlives the call that fills it.
      let got = unsafe chunk.withUnsafeMutableBytes { part in
        do throws(Errno) { return try unsafe readDescriptor(socket.rawValue, part) } catch {
          failed = error
          return 0
        }
      }
      if let failed { throw failed }
      lastActivity = Clock.monotonic()
      if got == 0 { isInputOver = true }
      input.append(contentsOf: chunk[..<got])
    } catch .again {
    } catch {
      isBroken = true
    }
    takeLines(answer)
  }

  /// Hands on the lines that wait, as long as the peer takes the answers.
  func takeLines(_ answer: ([UInt8]) -> Void) {
    var start = 0
    while !isClosing, waiting < Self.longestOutput, let end = input[start...].firstIndex(of: UInt8(ascii: "\n")) {
      answer(Array(input[start..<end]))
      start = end + 1
    }
    input.removeFirst(start)
    guard !isClosing, waiting < Self.longestOutput else { return }
    if input.count > ControlLine.longestRequest {
      refuse(ControlError(.lineTooLong, "a request is one line of at most \(ControlLine.longestRequest) bytes"))
    } else if isInputOver, !input.isEmpty {
      refuse(ControlError(.malformed, "a request ends with a line end"))
    }
  }

  /// Says why, and ends the connection.
  func refuse(_ error: ControlError) {
    send(.error(error))
    input = []
    isClosing = true
  }

  func send(_ reply: ControlReply) {
    output.append(contentsOf: ControlLine.encode(reply))
    flush()
  }

  func beginWatching(_ filter: WatchFilter) {
    self.filter = filter
    send(.watching)
  }

  /// A record for a watcher; where it is too slow, the record is counted instead.
  func offer(_ line: [UInt8]) {
    guard let filter, filter.wants(line) else { return }
    guard waiting + line.count <= Self.longestOutput else {
      lost += 1
      return
    }
    tellLosses()
    output.append(contentsOf: line)
  }

  func countLost(_ count: UInt64) { if filter != nil { lost += count } }

  /// Gives the kernel what it takes.
  func flush() {
    while waiting > 0 {
      var failed: Errno?
      // The output outlives the call that reads it.
      let sent = unsafe output[outputStart...].withUnsafeBytes { part in
        do throws(Errno) { return try unsafe UnixSocket.send(part, to: socket.rawValue) } catch {
          failed = error
          return 0
        }
      }
      if let failed {
        if failed != .again { isBroken = true }
        break
      }
      lastActivity = Clock.monotonic()
      outputStart += sent
    }
    if waiting == 0 {
      output.removeAll(keepingCapacity: output.capacity <= Self.longestOutput)
      outputStart = 0
      if lost > 0 {
        tellLosses()
        flush()
      }
    } else if outputStart > Self.longestOutput / 2 {
      output.removeFirst(outputStart)
      outputStart = 0
    }
  }

  func hangUp() { isBroken = true }

  private func tellLosses() {
    guard lost > 0 else { return }
    output.append(contentsOf: ControlLine.encode(ControlReply.dropped(lost)))
    lost = 0
  }
}
