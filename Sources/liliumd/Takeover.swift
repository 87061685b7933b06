// Owns the old daemon's side of a takeover: it starts the program on disk, hands over, or goes on as before.
// It must not close a door: the service does, once another process has said that its own are open.

import AccessModel
import AuditResponse
import ControlProtocol
import ControlSocket
import FanotifyEnforcement
import Journal
import Synchronization
import SystemCalls

/// Why no other process takes over.
struct TakeoverRefused: Error {
  let sentence: String
  var details: [String]?
}

/// A process that may come to go on, and the way to talk with it.
final class Conversation: Sendable {
  let process: SiblingProcess
  let channel: MessageChannel
  init(_ process: consuming SiblingProcess, _ channel: MessageChannel) {
    self.process = process
    self.channel = channel
  }
}

/// The process that goes on.
struct Successor: Sendable {
  let conversation: Conversation
  let ready: TakeoverReady
  var process: ProcessHandle { _read { yield conversation.process.handle } }
  var pid: Int32 { conversation.process.pid }
}

final class Takeover: Sendable {
  private enum Phase: Sendable {
    case idle, underWay
    case handedOver(Successor)
    /// The daemon ends, and starts nothing any more.
    case ending
  }

  private let daemon: Daemon
  /// As it was called when this process was started: by now another file may have the name.
  private let program: String
  private let stateDescriptor: Int32
  private let socket: String
  private let server = Mutex<ControlServer?>(nil)
  private let phase = Mutex(Phase.idle)
  /// Wakes whoever waits for `successor`.
  let handedOver: WakeUp
  private let cancelled: WakeUp

  /// Nanoseconds that the new one may take to open its doors.
  private static let limit: UInt64 = 30_000_000_000

  init(_ daemon: Daemon, stateDescriptor: Int32, socket: String) throws(Errno) {
    self.daemon = daemon
    self.stateDescriptor = stateDescriptor
    self.socket = socket
    program = try ProcessSetup.ownProgram()
    handedOver = try WakeUp()
    cancelled = try WakeUp()
  }

  func connect(to server: ControlServer) { self.server.withLock { $0 = server } }

  var isUnderWay: Bool { phase.withLock { if case .underWay = $0 { true } else { false } } }

  /// The process that goes on; nil where none does.
  var successor: Successor? { phase.withLock { if case .handedOver(let successor) = $0 { successor } else { nil } } }

  /// Ends a takeover that is under way, and prevents others. False where another process goes on already.
  func cancel() -> Bool {
    phase.withLock { phase in
      if case .handedOver = phase { return false }
      phase = .ending
      cancelled.wake()
      return true
    }
  }

  /// On the thread of the control socket. When it gives a report, the socket is another process's.
  func answer() -> ControlReply {
    do throws(TakeoverRefused) {
      let successor = try run()
      return .takenOver(TakeoverReport(pid: successor.pid, version: successor.ready.version))
    } catch {
      return .error(ControlError(.failed, error.sentence, details: error.details))
    }
  }

  private func run() throws(TakeoverRefused) -> Successor {
    guard !daemon.arguments.foreground else {
      throw TakeoverRefused(
        sentence: "a daemon in the foreground belongs to its terminal: end it and start the new one")
    }
    let isFirst = phase.withLock { phase in
      guard case .idle = phase else { return false }
      phase = .underWay
      return true
    }
    guard isFirst else { throw TakeoverRefused(sentence: "the daemon ends already") }
    daemon.doors.calls.share()
    do throws(TakeoverRefused) { return try handOver() } catch {
      goOn()
      throw error
    }
  }

  /// As if nothing had been tried.
  private func goOn() {
    daemon.doors.calls.kinship.end(at: Clock.realtime())
    daemon.doors.relatives.keep(only: [])
    daemon.doors.calls.endSharing()
    daemon.protection.setSuccessor(nil)
    phase.withLock { if case .underWay = $0 { $0 = .idle } }
  }

  private func handOver() throws(TakeoverRefused) -> Successor {
    guard let server = server.withLock({ $0 }) else { throw TakeoverRefused(sentence: "the daemon still starts") }
    let conversation = try start(server)
    let ready: TakeoverReady
    do throws(TakeoverRefused) {
      try? conversation.channel.send(ControlLine.encode(TakeoverMessage.offer(offer())))
      ready = try hear(conversation.channel, conversation.process.handle)
    } catch {
      Self.end(conversation.process.handle)
      throw error
    }
    let successor = Successor(conversation: conversation, ready: ready)
    let isWanted = phase.withLock { phase in
      guard case .underWay = phase else { return false }
      phase = .handedOver(successor)
      return true
    }
    guard isWanted else {
      Self.end(successor.process)
      throw Self.cancelledByEnd
    }
    letGo(to: successor, server)
    return successor
  }

  /// The manager first: it believes the main process alone, and that is this one until it has read so.
  private func letGo(to successor: Successor, _ server: ControlServer) {
    Notify.mainProcess(successor.pid)
    if successor.ready.keepsSocket { server.leaveSocket() }
    let state = TakeoverState(readers: daemon.doors.unasked.processes)
    try? successor.conversation.channel.send(ControlLine.encode(TakeoverMessage.proceed(state)))
    handedOver.wake()
  }

  private static let cancelledByEnd = TakeoverRefused(sentence: "the daemon was told to end meanwhile")

  /// The new process, and this one's end of the channel to it. The other end is its alone, so that its end is seen.
  private func start(_ server: ControlServer) throws(TakeoverRefused) -> Conversation {
    let audit = daemon.doors.calls.door?.lock
    let inherited = InheritedDescriptors(first: SiblingProcess.firstDescriptor, audits: audit != nil)
    let ours = [InheritedDescriptors.variable, "WATCHDOG_PID"]
    let kept = ProcessSetup.wholeEnvironment.filter { entry in !ours.contains { entry.hasPrefix("\($0)=") } }
    do throws(Errno) {
      let (own, others) = try MessageChannel.pair()
      let process = try SiblingProcess.start(
        program, [program] + daemon.arguments.words,
        environment: kept + ["\(InheritedDescriptors.variable)=\(inherited.text)"],
        descriptors: [others.descriptor, stateDescriptor, server.listeningDescriptor]
          + (audit.map { [$0.descriptor] } ?? []))
      withExtendedLifetime((others, audit)) {}
      daemon.doors.calls.kinship.begin(process.pid)
      _ = daemon.doors.relatives.admit(pid: process.pid)
      daemon.protection.setSuccessor(process.pid)
      return Conversation(process, own)
    } catch {
      let isDenied = error == .permission || error == .access
      let remedy = isDenied ? "; is it trusted? see liliumctl trust explain \(program)" : ""
      throw TakeoverRefused(sentence: "\(program) cannot be executed: \(error)\(remedy)")
    }
  }

  private func offer() -> TakeoverOffer {
    var offer = TakeoverOffer(pid: ProcessSetup.processID, recordSecond: daemon.recordSecond, socket: socket)
    offer.overrides = daemon.snapshot.overrides.map { mechanism, override in
      TakeoverOffer.Override(mechanism: mechanism, mode: override.mode, until: override.until)
    }
    offer.auditBacklog = daemon.doors.calls.raisedBacklog
    offer.state = TakeoverState(readers: daemon.doors.unasked.processes)
    return offer
  }

  /// Waits for the new process's word.
  private func hear(
    _ channel: MessageChannel, _ process: borrowing ProcessHandle
  ) throws(TakeoverRefused) -> TakeoverReady {
    let end = Clock.monotonic() + Self.limit
    let inputs = [channel.descriptor, process.endDescriptor, cancelled.descriptor].map { ($0, PollEvents.input) }
    while Clock.monotonic() < end {
      _ = try? waitForEvents(inputs, milliseconds: 1000)
      guard isUnderWay else { throw Self.cancelledByEnd }
      let isAlive = process.isAlive
      if let message = try? channel.receive() { return try Self.read(message) }
      if !isAlive { throw Self.ended }
    }
    throw TakeoverRefused(
      sentence:
        "the new liliumd was not ready within \(Self.limit / 1_000_000_000) s, and was ended; its own words are "
        + "in journalctl -u liliumd")
  }

  private static let ended = TakeoverRefused(
    sentence: "the new liliumd ended before it was ready; its own words are in journalctl -u liliumd")

  private static func read(_ message: [UInt8]) throws(TakeoverRefused) -> TakeoverReady {
    if message.isEmpty { throw ended }
    switch try? ControlLine.decodeTakeover(message) {
    case .ready(let ready): return ready
    case .refused(let text): throw TakeoverRefused(sentence: "the new liliumd does not start", details: [text])
    default: throw TakeoverRefused(sentence: "the new liliumd speaks another protocol; restart the service instead")
    }
  }

  /// Returns when it is gone: its marks with it, and its rules to be taken away.
  private static func end(_ process: borrowing ProcessHandle) {
    try? process.kill()
    for _ in 0..<100 where process.isAlive {
      _ = try? waitForEvents([(process.endDescriptor, PollEvents.input)], milliseconds: 100)
    }
  }
}
