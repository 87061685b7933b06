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
  private let leavesSocket = Atomic<Bool>(false)
  private let service: ControlService
  private let thread = Mutex<Thread?>(nil)

  /// Listens at `path`: mode 0660 for root and `group`, or 0600 without a group. A failed start leaves no socket.
  ///
  /// - Parameters:
  ///   - inherited: the socket that listens at `path` already, for another process that ends.
  ///   - serves: at once; otherwise whoever connects waits until `serve`.
  ///   - access: what a peer may do; `PeerAccess.of(_:readers:)` by default.
  ///   - watchersChanged: told, on the server's thread, how many peers watch.
  ///   - handler: answers what a peer may ask, on the server's thread, one request after the other. `watch` does not
  ///     reach it.
  public init(
    path: String, group: UInt32?, inherited: consuming Descriptor? = nil, serves: Bool = true,
    access: (@Sendable (Peer) -> PeerAccess)? = nil,
    watchersChanged: @escaping @Sendable (Int) -> Void = { _ in }, handler: @escaping Handler
  ) throws(SystemCallError) {
    socket = try ControlSocketFile(path: path, group: group, inherited: inherited)
    do throws(Errno) { wakeUp = try WakeUp() } catch {
      socket.remove()
      throw SystemCallError("eventfd", path, error)
    }
    queue = WatchQueue(wakeUp)
    service = ControlService(
      queue: queue, access: access ?? { PeerAccess.of($0, readers: group) }, watchersChanged: watchersChanged,
      handler: handler)
    guard serves else { return }
    do throws(Errno) { try serve() } catch {
      socket.remove()
      throw SystemCallError("pthread_create", path, error)
    }
  }

  /// Whether a socket's file stands at the path.
  public static func isSocket(_ path: String) -> Bool {
    // The path is a plain string that outlives the call.
    guard let status = try? unsafe FileStatus.of(path: path, followingLinks: false) else { return false }
    return status.mode & 0o170000 == 0o140000
  }

  /// Answers from now on. Once.
  public func serve() throws(Errno) {
    let started = try Thread.start("lilium-control") { [self] in
      service.run(socket, wakeUp) { isStopping.load(ordering: .acquiring) }
    }
    thread.withLock { $0 = started }
  }

  /// The listening socket, for a process that is to have it too; valid while the server serves, as it does when the
  /// handler asks.
  public var listeningDescriptor: Int32 { socket.number }

  /// Accepts and answers nothing more, after the reply to the request that the handler is at. The socket and its file
  /// stay: they are another process's now. `stop` is still due.
  public func leaveSocket() {
    leavesSocket.store(true, ordering: .releasing)
    isStopping.store(true, ordering: .releasing)
  }

  /// Hands one record, a line of JSON, to those who watch. Never blocks; may be called from any thread.
  public func publish(_ line: [UInt8]) {
    queue.publish(line.last == UInt8(ascii: "\n") ? line : line + [UInt8(ascii: "\n")])
  }

  public var watcherCount: Int { queue.watcherCount }

  /// Ends every connection, removes the socket, unless it was left to another, and waits for the thread. Once is
  /// enough; must not be called by the handler.
  public func stop() {
    isStopping.store(true, ordering: .releasing)
    wakeUp.wake()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
    if !leavesSocket.load(ordering: .acquiring) { socket.remove() }
  }
}

/// The listening socket and the file that stands for it.
final class ControlSocketFile: Sendable {
  private let listener: Mutex<Descriptor?>
  /// Of the listening socket.
  let number: Int32
  private let path: String
  private let status: FileStatus

  init(path: String, group: UInt32?, inherited: consuming Descriptor?) throws(SystemCallError) {
    let mode: UInt32 = group == nil ? 0o600 : 0o660
    let isOwn = inherited == nil
    do throws(Errno) {
      let socket: Descriptor
      switch consume inherited {
      case .some(let descriptor):
        try ProcessSetup.changeMode(path, mode)
        socket = descriptor
      case .none: socket = try UnixSocket.listen(at: path, mode: mode)
      }
      number = socket.rawValue
      listener = Mutex(socket)
    } catch {
      throw SystemCallError("bind", path, error)
    }
    self.path = path
    do throws(Errno) {
      if let group { try ProcessSetup.changeOwner(path, group: group) }
      // The path is the listener's own, just bound.
      status = try unsafe FileStatus.of(path: path, followingLinks: false)
    } catch {
      if isOwn { try? ProcessSetup.removeFile(path) }
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
