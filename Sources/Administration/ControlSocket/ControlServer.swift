// Owns the daemon's end of the control socket: the socket file, its thread, and the way of a request to its handler.
// It must not do what is asked, and must never make whoever publishes wait.

public import ControlProtocol
internal import Synchronization
public import SystemCalls

/// Serves the control socket on a thread of its own.
public final class ControlServer: Sendable {
  public typealias Handler = @Sendable (ControlRequest, Peer) -> ControlReply

  private let socket: ControlSocketFile
  private let wakeUp: WakeUp
  private let queue: WatchQueue
  private let isStopping = Atomic<Bool>(false)
  private let thread: Mutex<Thread?>

  /// Listens at `path`: mode 0660 for root and `group`, or 0600 without a group. A failed start leaves no socket.
  ///
  /// - Parameters:
  ///   - access: what a peer may do; `PeerAccess.of(_:readers:)` by default.
  ///   - watchersChanged: told, on the server's thread, how many peers watch.
  ///   - handler: answers what a peer may ask, on the server's thread, one request after the other. `watch` does not
  ///     reach it.
  public init(
    path: String, group: UInt32?, access: (@Sendable (Peer) -> PeerAccess)? = nil,
    watchersChanged: @escaping @Sendable (Int) -> Void = { _ in }, handler: @escaping Handler
  ) throws(SystemCallError) {
    socket = try ControlSocketFile(path: path, group: group)
    do throws(Errno) { wakeUp = try WakeUp() } catch {
      socket.remove()
      throw SystemCallError("eventfd", path, error)
    }
    queue = WatchQueue(wakeUp)
    thread = Mutex(nil)
    let service = ControlService(
      queue: queue, access: access ?? { PeerAccess.of($0, readers: group) }, watchersChanged: watchersChanged,
      handler: handler)
    do throws(Errno) {
      let started = try Thread.start("lilium-control") { [socket, wakeUp, self] in
        service.run(socket, wakeUp) { isStopping.load(ordering: .acquiring) }
      }
      thread.withLock { $0 = started }
    } catch {
      socket.remove()
      throw SystemCallError("pthread_create", path, error)
    }
  }

  /// Hands one record, a line of JSON, to those who watch. Never blocks; may be called from any thread.
  public func publish(_ line: [UInt8]) {
    queue.publish(line.last == UInt8(ascii: "\n") ? line : line + [UInt8(ascii: "\n")])
  }

  public var watcherCount: Int { queue.watcherCount }

  /// Ends every connection, removes the socket and waits for the thread. Once is enough; must not be called by the
  /// handler.
  public func stop() {
    isStopping.store(true, ordering: .releasing)
    wakeUp.wake()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let running else { return }
    running.join()
    socket.remove()
  }
}

/// The listening socket and the file that stands for it.
final class ControlSocketFile: Sendable {
  private let listener: Mutex<Descriptor?>
  private let path: String
  private let status: FileStatus

  init(path: String, group: UInt32?) throws(SystemCallError) {
    do throws(Errno) {
      listener = Mutex(try UnixSocket.listen(at: path, mode: group == nil ? 0o600 : 0o660))
    } catch {
      throw SystemCallError("bind", path, error)
    }
    self.path = path
    do throws(Errno) {
      if let group { try ProcessSetup.changeOwner(path, group: group) }
      // The path is the listener's own, just bound.
      status = try unsafe FileStatus.of(path: path, followingLinks: false)
    } catch {
      try? ProcessSetup.removeFile(path)
      throw SystemCallError("chown", path, error)
    }
  }

  /// Gives the listening socket to the thread that serves it, and with which it closes. Once.
  func takeListener() -> Descriptor? { listener.withLock { $0.take() } }

  /// Removes the file, unless another one has taken its place.
  func remove() {
    guard let now = try? unsafe FileStatus.of(path: path, followingLinks: false), now.isSameFile(as: status) else {
      return
    }
    try? ProcessSetup.removeFile(path)
  }
}
