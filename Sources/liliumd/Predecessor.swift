// Owns the new daemon's side of a takeover: what it was given, what it says, and when the old one is gone.
// It must not open a door; and until the old one has ended, nothing of the old one's may be taken away.

import AccessModel
import ControlProtocol
import SystemCalls

/// The daemon that this one takes over from. For the main thread.
final class Predecessor {
  let offer: TakeoverOffer
  private let channel: MessageChannel
  private let process: ProcessHandle
  private var state: Descriptor?
  private var control: Descriptor?
  private var audit: AuditLock?
  /// When the old one was told to go, as far as this one knows.
  private var proceededAt: UInt64?

  private static let limit: UInt64 = 10_000_000_000
  /// So long the old one may answer what waits and write its records.
  private static let patience: UInt64 = 20_000_000_000

  /// Nil in an ordinary start.
  static func inherited() throws -> Predecessor? {
    let variable = InheritedDescriptors.variable
    guard let text = ProcessSetup.environment(variable) else { return nil }
    ProcessSetup.removeFromEnvironment(variable)
    guard let numbers = InheritedDescriptors(text) else {
      throw StartRefused(text: "liliumd: \(variable) is not for people to set: unset it\n")
    }
    do { return try Predecessor(numbers) } catch let error as Errno {
      throw StartRefused(text: "liliumd: what the old daemon handed over is not there: \(error)\n")
    }
  }

  private init(_ numbers: InheritedDescriptors) throws {
    channel = MessageChannel(owning: try Self.take(numbers.channel))
    state = try Self.take(numbers.state)
    control = try Self.take(numbers.control)
    audit = try numbers.audit.map { number in try AuditLock(inherited: try Self.take(number)) }
    process = try channel.maker()
    guard case .offer(let offer) = try Self.receive(channel, nanoseconds: Self.limit) else {
      throw StartRefused(text: "liliumd: the old daemon does not say what it hands over\n")
    }
    self.offer = offer
  }

  /// Not to be inherited any further.
  private static func take(_ number: Int32) throws(Errno) -> Descriptor {
    let own = try Descriptor.duplicate(number)
    closeDescriptor(number)
    return own
  }

  /// Nil where the other end is closed or the time is over.
  private static func receive(_ channel: MessageChannel, nanoseconds: UInt64) throws -> TakeoverMessage? {
    let end = Clock.monotonic() &+ min(nanoseconds, .max / 2)
    while Clock.monotonic() < end {
      _ = try? waitForEvents([(channel.descriptor, PollEvents.input)], milliseconds: 1000)
      do throws(Errno) {
        let message = try channel.receive()
        if message.isEmpty { return nil }
        do throws(ControlError) { return try ControlLine.decodeTakeover(message) } catch {
          throw Errno.badMessage
        }
      } catch .again {}
    }
    return nil
  }

  func takeState() -> Descriptor? { state.take() }
  func takeControl() -> Descriptor? { control.take() }
  func takeCalls() -> CallDoors.Inheritance? {
    audit.take().map { CallDoors.Inheritance(lock: $0, backlog: offer.auditBacklog) }
  }

  /// Modes that were set at run time and hold still.
  func overrides(at now: Int64) -> [Mechanism: (mode: Mode, until: Int64?)] {
    var overrides: [Mechanism: (mode: Mode, until: Int64?)] = [:]
    for override in offer.overrides where (override.until ?? .max) > now {
      overrides[override.mechanism] = (override.mode, override.until)
    }
    return overrides
  }

  /// Says why there is no takeover. The old one goes on.
  func refuse(_ text: String) {
    try? channel.send(ControlLine.encode(TakeoverMessage.refused(String(text.prefix(16384)))))
  }

  /// Says that the doors are open, and waits until the old one lets go. Where the old one dies meanwhile, this one is
  /// all that the host has.
  func awaitEnd(keepsSocket: Bool) -> TakeoverState? {
    try? channel.send(
      ControlLine.encode(TakeoverMessage.ready(TakeoverReady(version: daemonVersion, keepsSocket: keepsSocket))))
    let answer = try? Self.receive(channel, nanoseconds: .max)
    proceededAt = Clock.monotonic()
    if case .proceed(let state) = answer { return state }
    return nil
  }

  /// True once the old one has ended. One that does not end would hold up who asks it.
  func hasEnded() -> Bool {
    if !process.isAlive { return true }
    if let proceededAt, Clock.monotonic() - proceededAt > Self.patience { try? process.kill() }
    return false
  }
}
