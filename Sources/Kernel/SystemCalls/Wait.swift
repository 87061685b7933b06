// Owns poll(2) and the event descriptor that wakes it.
// It must not loop: a caller waits once.

internal import CSystemCalls
internal import Glibc

/// poll(2)'s event bits.
public enum PollEvents {
  public static let input = Int16(POLLIN)
  public static let output = Int16(POLLOUT)
  public static let priority = Int16(POLLPRI)
  public static let error = Int16(POLLERR)
  public static let hangup = Int16(POLLHUP)
}

/// Waits until one of the descriptors is ready or the time is over; true for each that has an event. An interrupting
/// signal ends the wait with no events.
public func waitForEvents(
  _ descriptors: [(descriptor: Int32, events: Int16)], milliseconds: Int32
) throws(Errno) -> [Int16] {
  var entries = descriptors.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
  let count = unsafe poll(&entries, nfds_t(entries.count), milliseconds)
  if count < 0 {
    let error = Errno(errno)
    if error == .interrupted { return descriptors.map { _ in 0 } }
    throw error
  }
  return entries.map(\.revents)
}

/// A wake-up between threads (eventfd(2)); any number of wakes before a wait count as one.
public final class WakeUp: Sendable {
  private let owned: Descriptor
  public init() throws(Errno) { owned = Descriptor(owning: try shimCall { lil_eventfd() }) }

  /// For poll(2).
  public var descriptor: Int32 { owned.rawValue }

  /// Never blocks.
  public func wake() { _ = lil_eventfd_wake(owned.rawValue) }

  public func clear() { _ = lil_eventfd_clear(owned.rawValue) }
}

/// A counter that threads wait for (eventfd(2), EFD_SEMAPHORE).
public final class Semaphore: Sendable {
  private let owned: Descriptor
  public init() throws(Errno) { owned = Descriptor(owning: try shimCall { lil_semaphore() }) }

  /// Lets one waiter go on, now or later.
  public func post() { _ = lil_eventfd_wake(owned.rawValue) }

  /// Blocks; false where a signal interrupted.
  public func wait() -> Bool { lil_eventfd_clear(owned.rawValue) >= 0 }
}
