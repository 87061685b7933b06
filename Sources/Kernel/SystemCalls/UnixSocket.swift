// Owns Unix sockets: listening, connecting, the peer's credentials (unix(7)).
// It must not know a protocol.

internal import CSystemCalls
internal import Glibc

/// Who is at the other end (SO_PEERCRED): the credentials at connect(2).
public struct Peer: Sendable, Hashable {
  public let pid: Int32
  public let uid: UInt32
  public let gid: UInt32
  /// Supplementary groups.
  public let groups: [UInt32]
}

public enum UnixSocket {
  /// A listening stream socket at `path` with the given permission bits; the folder must exist, and what stands at
  /// `path` is replaced only if it is a socket nobody listens on. Non-blocking.
  public static func listen(at path: String, mode: UInt32, backlog: Int32 = 32) throws(Errno) -> Descriptor {
    let socket = try make(datagram: false, blocking: false)
    try removeStale(path)
    // The socket must never be open wider than its mode, not even between bind and chmod.
    let previous = umask(0o177)
    defer { umask(previous) }
    let number = socket.rawValue
    _ = try shimCall { unsafe lil_unix_bind(number, path) }
    _ = try systemCall { unsafe chmod(path, mode) }
    _ = try systemCall { Glibc.listen(number, backlog) }
    return socket
  }

  /// A connected stream socket. Blocking.
  public static func connect(to path: String) throws(Errno) -> Descriptor {
    try connect(to: path, datagram: false)
  }

  /// A connected datagram socket. Non-blocking.
  public static func connectDatagram(to path: String) throws(Errno) -> Descriptor {
    try connect(to: path, datagram: true)
  }

  /// The next connection, non-blocking; EAGAIN where there is none.
  public static func accept(_ listener: borrowing Descriptor) throws(Errno) -> Descriptor {
    let number = listener.rawValue
    return Descriptor(owning: try shimCall { lil_accept(number) })
  }

  public static func peer(of socket: borrowing Descriptor) throws(Errno) -> Peer {
    let number = socket.rawValue
    var raw = lil_peer()
    _ = try shimCall { unsafe lil_peer_of(number, &raw) }
    var groups = [gid_t](repeating: 0, count: 1024)
    let count = try shimCall { unsafe lil_peer_groups(number, &groups, 1024) }
    return Peer(pid: raw.pid, uid: raw.uid, gid: raw.gid, groups: Array(groups.prefix(Int(count))))
  }

  /// The process that connected, or made the pair; ESRCH or EINVAL where it has ended. Before Linux 6.5 (SO_PEERPIDFD)
  /// it is the one that has its number now: ask right after accepting.
  public static func peerProcess(of socket: borrowing Descriptor) throws(Errno) -> ProcessHandle {
    let number = socket.rawValue
    do throws(Errno) {
      return ProcessHandle(owning: try shimCall { lil_peer_pidfd(number) })
    } catch Errno(ENOPROTOOPT) {
      return try ProcessHandle(pid: try peer(of: socket).pid)
    }
  }

  /// send(2) without SIGPIPE and without blocking.
  public static func send(_ bytes: UnsafeRawBufferPointer, to socket: Int32) throws(Errno) -> Int {
    try shimCall { unsafe lil_send(socket, bytes.baseAddress, bytes.count) }
  }

  private static func connect(to path: String, datagram: Bool) throws(Errno) -> Descriptor {
    let socket = try make(datagram: datagram, blocking: !datagram)
    let number = socket.rawValue
    _ = try shimCall { unsafe lil_unix_connect(number, path) }
    return socket
  }

  private static func make(datagram: Bool, blocking: Bool) throws(Errno) -> Descriptor {
    Descriptor(owning: try shimCall { lil_unix_socket(datagram ? 1 : 0, blocking ? 0 : 1) })
  }

  private static func removeStale(_ path: String) throws(Errno) {
    do {
      _ = try connect(to: path, datagram: false)
    } catch Errno(ECONNREFUSED) {
      _ = try systemCall { unsafe unlink(path) }
      return
    } catch .noEntry {
      return
    }
    throw Errno(EADDRINUSE)
  }
}
