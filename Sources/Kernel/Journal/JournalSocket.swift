// Owns the datagram socket to journald: connecting, sending, and coming back after journald was gone.
// It must not queue: an entry that cannot be sent now is the caller's to count.

internal import CJournal
internal import Glibc
public import SystemCalls

/// What became of an entry.
public enum JournalOutcome: Sendable, Hashable {
  case sent
  /// journald takes no more, is gone, or refused it: why.
  case dropped(Errno)
}

/// A sender of journal entries, for one thread. It speaks the native protocol itself, because sd_journal_sendv(3) of
/// libsystemd blocks while journald does not read (journald itself may be waiting for a verdict) and copies each field.
public struct JournalSocket: ~Copyable, Sendable {
  /// journald's socket (systemd-journald.socket(8)).
  public static let systemPath = "/run/systemd/journal/socket"

  private let path: String
  private var connected: Descriptor?
  /// The last wait was in vain: until a send works again nobody waits.
  private var stalled = false
  private let patience: Int32

  /// Connects when the first entry is sent. `patienceMilliseconds` bounds the wait for a journald that is busy.
  public init(path: String = JournalSocket.systemPath, patienceMilliseconds: Int32 = 100) {
    self.path = path
    patience = patienceMilliseconds
  }

  /// Sends one entry; waits at most the patience, and not at all while journald is stuck.
  public mutating func send(_ entry: JournalEntry) -> JournalOutcome {
    do throws(Errno) {
      try sendReconnecting(entry.bytes)
      stalled = false
      return .sent
    } catch {
      return .dropped(error)
    }
  }

  /// A new journald listens on a new socket: a send to the old one is refused once, and then repeated.
  private mutating func sendReconnecting(_ bytes: [UInt8]) throws(Errno) {
    let isFresh = connected == nil
    do throws(Errno) {
      try sendPatiently(bytes)
    } catch {
      guard Self.meansGone(error) else { throw error }
      connected = nil
      if isFresh { throw error }
      try sendPatiently(bytes)
    }
  }

  private mutating func sendPatiently(_ bytes: [UInt8]) throws(Errno) {
    let socket = try descriptor()
    do throws(Errno) {
      try Self.sendOnce(bytes, to: socket)
    } catch .again {
      guard !stalled else { throw .again }
      stalled = true
      _ = try waitForEvents([(socket, PollEvents.output)], milliseconds: patience)
      try Self.sendOnce(bytes, to: socket)
    }
  }

  private mutating func descriptor() throws(Errno) -> Int32 {
    if connected == nil { connected = try UnixSocket.connectDatagram(to: path) }
    return connected?.rawValue ?? -1
  }

  /// As a datagram or, where that is too big, as a sealed memory file.
  private static func sendOnce(_ bytes: [UInt8], to socket: Int32) throws(Errno) {
    // The buffer outlives each call, and the kernel only reads it.
    let datagram = unsafe bytes.withUnsafeBytes { buffer -> Errno? in
      do throws(Errno) {
        _ = try unsafe UnixSocket.send(buffer, to: socket)
        return nil
      } catch {
        return error
      }
    }
    guard let error = datagram else { return }
    guard error == Errno(EMSGSIZE) || error == Errno(ENOBUFS) else { throw error }
    _ = try shimCall { unsafe lil_journal_send_sealed(socket, bytes, bytes.count) }
  }

  private static func meansGone(_ error: Errno) -> Bool {
    [ECONNREFUSED, ECONNRESET, ENOTCONN, ENOENT, EPIPE].contains(error.rawValue)
  }
}
