// Owns the loop of the control socket's thread: poll, accept, read, answer, pass records on.
// It must not outlive the server, and must not wait for any one peer.

internal import ControlProtocol
internal import SystemCalls

/// What serves; `run` is the whole of the thread.
struct ControlService: Sendable {
  let queue: WatchQueue
  let access: @Sendable (Peer) -> PeerAccess
  let watchersChanged: @Sendable (Int) -> Void
  let handler: ControlServer.Handler

  /// Connections at a time; the last few are for root alone, so that readers cannot lock it out.
  static let mostConnections = 32
  static let reservedForRoot = 4
  /// Nanoseconds that a peer may keep a connection without a word.
  private static let longestSilence: UInt64 = 30_000_000_000
  /// Milliseconds between looks for silent peers.
  private static let tick: Int32 = 5000

  func run(_ socket: ControlSocketFile, _ wakeUp: WakeUp, until isStopping: () -> Bool) {
    guard let listener = socket.takeListener() else { return }
    var connections: [ControlConnection] = []
    while !isStopping() {
      let entries =
        [(listener.rawValue, PollEvents.input), (wakeUp.descriptor, PollEvents.input)]
        + connections.map { ($0.descriptor, $0.wantedEvents) }
      let events: [Int16]
      do throws(Errno) {
        events = try waitForEvents(entries, milliseconds: connections.isEmpty ? -1 : Self.tick)
      } catch {
        // Out of memory is the only way here; a pause keeps the thread from spinning.
        Clock.sleep(nanoseconds: 100_000_000)
        continue
      }
      if events[1] != 0 { wakeUp.clear() }
      passRecordsOn(to: connections)
      for (connection, event) in zip(connections, events.dropFirst(2)) where event != 0 && !isStopping() {
        serve(connection, event)
      }
      if events[0] != 0, !isStopping() { accept(listener, &connections) }
      end(&connections)
    }
    if queue.watcherCount > 0 {
      queue.watcherCount = 0
      watchersChanged(0)
    }
  }

  private func passRecordsOn(to connections: [ControlConnection]) {
    let (lines, lost) = queue.take()
    guard !lines.isEmpty || lost > 0 else { return }
    for connection in connections where connection.filter != nil {
      for line in lines { connection.offer(line) }
      connection.countLost(lost)
      connection.flush()
    }
  }

  private func serve(_ connection: ControlConnection, _ event: Int16) {
    if event & PollEvents.output != 0 {
      connection.flush()
      connection.takeLines { answer($0, connection) }
    }
    if event & PollEvents.input != 0 { connection.receive { answer($0, connection) } }
    // A peer that is wholly gone takes no answer; one that only stopped sending has no hang-up.
    if event & (PollEvents.hangup | PollEvents.error) != 0, event & PollEvents.input == 0 { connection.hangUp() }
  }

  private func answer(_ line: [UInt8], _ connection: ControlConnection) {
    do throws(ControlError) {
      let request = try ControlLine.decodeRequest(line)
      if let refusal = connection.refusal(of: request) { throw refusal }
      if case .watch(let filter) = request {
        connection.beginWatching(filter)
      } else {
        connection.send(handler(request, connection.peer))
      }
    } catch {
      connection.send(.error(error))
    }
  }

  private func accept(_ listener: borrowing Descriptor, _ connections: inout [ControlConnection]) {
    do throws(Errno) {
      let accepted = try UnixSocket.accept(listener)
      let peer = try UnixSocket.peer(of: accepted)
      let connection = ControlConnection(accepted, peer: peer, access: access(peer))
      connections.append(connection)
      let room = Self.mostConnections - (connection.isRoot ? 0 : Self.reservedForRoot)
      if case .none(let reason) = connection.access {
        connection.refuse(ControlError(.forbidden, reason))
      } else if connections.count > room {
        connection.refuse(ControlError(.busy, "\(room) connections are open already; end a liliumctl watch"))
      }
    } catch .again {
    } catch {
      // Out of descriptors: the connection stays in the backlog, and the listener ready; a pause lets others work.
      Clock.sleep(nanoseconds: 50_000_000)
    }
  }

  private func end(_ connections: inout [ControlConnection]) {
    let now = Clock.monotonic()
    connections.removeAll { connection in
      if connection.isOver { return true }
      let silence = now - min(now, connection.lastActivity)
      return connection.filter == nil && silence > Self.longestSilence
    }
    let watchers = connections.count { $0.filter != nil }
    if watchers != queue.watcherCount {
      queue.watcherCount = watchers
      watchersChanged(watchers)
    }
  }
}
