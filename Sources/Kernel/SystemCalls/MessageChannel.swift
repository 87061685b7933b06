// Owns one end of a pair of sockets over which two processes that trust one another send whole messages.
// It must not know what they say.

internal import CSystemCalls

/// One end (socketpair(2), SOCK_SEQPACKET). Never blocks.
public final class MessageChannel: Sendable {
  private let socket: Descriptor
  /// The most bytes of a message.
  public static let longest = 128 << 10

  /// Takes an end that another process made.
  public init(owning socket: consuming Descriptor) { self.socket = socket }

  /// Two ends of a new channel.
  public static func pair() throws(Errno) -> (MessageChannel, MessageChannel) {
    var numbers: [Int32] = [-1, -1]
    _ = try shimCall { unsafe lil_socket_pair(&numbers) }
    return (
      MessageChannel(owning: Descriptor(owning: numbers[0])), MessageChannel(owning: Descriptor(owning: numbers[1]))
    )
  }

  /// For poll(2): readable when a message waits, or when the other end is closed.
  public var descriptor: Int32 { socket.rawValue }

  /// The process that made the channel.
  public func maker() throws(Errno) -> ProcessHandle { try UnixSocket.peerProcess(of: socket) }

  /// EPIPE where the other end is closed.
  public func send(_ message: [UInt8]) throws(Errno) {
    var failed: Errno?
    // The message outlives the call that reads it.
    unsafe message.withUnsafeBytes { bytes in
      do throws(Errno) { _ = try unsafe UnixSocket.send(bytes, to: socket.rawValue) } catch { failed = error }
    }
    if let failed { throw failed }
  }

  /// The next message; empty where the other end is closed; EAGAIN where none waits.
  public func receive() throws(Errno) -> [UInt8] {
    var failed: Errno?
    // The buffer outlives the call that fills it.
    let message = unsafe [UInt8](unsafeUninitializedCapacity: Self.longest) { buffer, count in
      do throws(Errno) {
        count = try unsafe readDescriptor(socket.rawValue, UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failed = error
        count = 0
      }
    }
    if let failed { throw failed }
    return message
  }
}
