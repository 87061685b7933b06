// Owns the start of a thread with a small stack of its own, its name, and waking it from a blocking call.
// It must not schedule work: a thread runs one body.

internal import CSystemCalls
internal import Glibc

/// A running POSIX thread. Whoever starts it joins it or detaches it: one that is neither keeps its stack for good.
public struct Thread: Sendable {
  private let handle: pthread_t

  /// Bytes of stack a thread; the answer path keeps its buffers on the heap.
  private static let stackSize = 512 * 1024

  /// Starts `body` on a new thread. The name shows in ps(1): 15 bytes at most.
  public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) -> Thread {
    let box = unsafe Unmanaged.passRetained(Body(name: name, run: body))
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, stackSize)
    var handle = pthread_t()
    let error = unsafe pthread_create(
      &handle, &attributes,
      { argument in
        // The retain of passRetained is taken over here, once.
        let body = unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
        _ = unsafe lil_name_thread(body.name)
        Signals.acceptInterrupts()
        body.run()
        return nil
      }, box.toOpaque())
    guard error == 0 else {
      unsafe box.release()
      throw Errno(error)
    }
    return Thread(handle: handle)
  }

  /// Waits until the body has returned. Once only.
  public func join() { _ = pthread_join(handle, nil) }

  /// Leaves the thread to itself: it is not joined, and what it holds goes when its body returns.
  public func detach() { _ = pthread_detach(handle) }

  /// Makes a blocking call of the thread return EINTR; see `Signals.makeInterrupting`.
  public func interrupt() { _ = pthread_kill(handle, Signals.interrupting) }

  private final class Body: Sendable {
    let name: String
    let run: @Sendable () -> Void
    init(name: String, run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }
}
