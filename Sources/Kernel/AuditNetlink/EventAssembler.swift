// Owns putting records that come interleaved together to events, within bounds of number, size and time.
// It must not read a clock or a socket.

/// Assembles events. The caller gives the time: nanoseconds of a clock that is never set back.
public struct EventAssembler: Sendable {
  /// What may be held, and for how long.
  public struct Limits: Sendable {
    /// Events that wait for records.
    public var openEvents = 4096
    public var entriesPerEvent = 512
    /// Bytes of one event, and of all that wait.
    public var bytesPerEvent = 256 * 1024
    public var bytes = 64 * 1024 * 1024
    /// Nanoseconds from an event's first record until it is closed as it is.
    public var patience: UInt64 = 2_000_000_000
    /// Ended events whose late records are recognized.
    public var remembered = 4096
    public init() {}
  }

  public struct Counters: Sendable, Hashable {
    /// Texts that are no record.
    public var malformed: UInt64 = 0
    /// Events that were handed out torn.
    public var torn: UInt64 = 0
    /// Records that came after their event had been handed out, EOE left aside.
    public var late: UInt64 = 0
    /// Events of which a part was left out because they grew too big.
    public var oversized: UInt64 = 0
    /// Events that were closed before their time because too many waited.
    public var crowded: UInt64 = 0
    public init() {}
  }

  public let limits: Limits
  public private(set) var counters = Counters()
  private var open: [EventIdentity: OpenEvent] = [:]
  /// Open events by age, and some that have ended since.
  private var order = FirstInFirstOut<Arrival>()
  private var ready = FirstInFirstOut<AuditEvent>()
  private var ended: Set<EventIdentity> = []
  private var endedByAge = FirstInFirstOut<EventIdentity>()
  private var bytes = 0
  private var arrivals: UInt64 = 0

  private struct Arrival: Sendable {
    let identity: EventIdentity
    let number: UInt64
    let deadline: UInt64
  }

  private struct OpenEvent: Sendable {
    let number: UInt64
    var entries: [AuditEntry] = []
    var bytes = 0
    var hasSyscall = false
    var isOversized = false
  }

  public init(limits: Limits = Limits()) { self.limits = limits }

  /// Events that wait for records.
  public var openCount: Int { open.count }

  /// A record as it came; counted where it is none.
  public mutating func add(type: UInt16, text: UnsafeRawBufferPointer, now: UInt64) {
    guard let entry = unsafe AuditEntry.parse(type: type, text: text) else {
      counters.malformed += 1
      return
    }
    add(entry, now: now)
  }

  /// Takes a record into its event. The event is ready at once where this was its last.
  public mutating func add(_ entry: AuditEntry, now: UInt64) {
    let identity = EventIdentity(time: entry.time, serial: entry.serial)
    if ended.contains(identity) {
      if entry.type != AuditType.eoe { counters.late += 1 }
      return
    }
    var event = open.removeValue(forKey: identity) ?? begin(identity, now: now)
    insert(entry, into: &event)
    if isLast(entry, of: event) {
      finish(identity, event, isComplete: true)
    } else {
      open[identity] = event
      makeRoom()
    }
  }

  /// The next event that has its last record, or whose time is over. Call until nil.
  public mutating func takeReady(now: UInt64) -> AuditEvent? {
    while let deadline = nextDeadline, deadline <= now { closeOldest() }
    return ready.removeFirst()
  }

  /// When the oldest open event will be closed: a time to call `takeReady` at. Nil where none waits.
  public var nextDeadline: UInt64? {
    mutating get {
      while let arrival = order.first, open[arrival.identity]?.number != arrival.number { _ = order.removeFirst() }
      return order.first?.deadline
    }
  }

  /// Closes all open events.
  public mutating func flush() { while order.first != nil { closeOldest() } }

  private mutating func begin(_ identity: EventIdentity, now: UInt64) -> OpenEvent {
    arrivals += 1
    order.append(Arrival(identity: identity, number: arrivals, deadline: now &+ limits.patience))
    return OpenEvent(number: arrivals)
  }

  private mutating func insert(_ entry: AuditEntry, into event: inout OpenEvent) {
    let size = entry.size
    // The first is taken whatever its size, which the parser bounds: no event is empty.
    let fits = event.entries.count < limits.entriesPerEvent && event.bytes + size <= limits.bytesPerEvent
    guard fits || event.entries.isEmpty else {
      if !event.isOversized { counters.oversized += 1 }
      event.isOversized = true
      return
    }
    event.entries.append(entry)
    event.bytes += size
    bytes += size
    if entry.type == AuditType.syscall { event.hasSyscall = true }
  }

  /// EOE ends an event. An administrator may have excluded it, and then PROCTITLE, which stands before it, is the last.
  private func isLast(_ entry: AuditEntry, of event: OpenEvent) -> Bool {
    switch entry.type {
    case AuditType.eoe: true
    case AuditType.proctitle: event.hasSyscall
    default: AuditType.isUserSpace(entry.type)
    }
  }

  private mutating func makeRoom() {
    while open.count > limits.openEvents || (bytes > limits.bytes && !open.isEmpty) {
      counters.crowded += 1
      let before = open.count
      while open.count == before { closeOldest() }
    }
  }

  /// Closes the event that has waited longest, if it is still open.
  private mutating func closeOldest() {
    guard let arrival = order.removeFirst(), let event = open[arrival.identity], event.number == arrival.number
    else { return }
    open[arrival.identity] = nil
    finish(arrival.identity, event, isComplete: false)
  }

  private mutating func finish(_ identity: EventIdentity, _ event: OpenEvent, isComplete: Bool) {
    bytes -= event.bytes
    let isTorn: Bool
    if event.hasSyscall {
      isTorn = !isComplete || event.isOversized
    } else {
      isTorn = event.isOversized || event.entries.contains { AuditType.needsSyscall($0.type) }
    }
    if isTorn { counters.torn += 1 }
    ready.append(AuditEvent(time: identity.time, serial: identity.serial, entries: event.entries, isTorn: isTorn))
    remember(identity)
  }

  private mutating func remember(_ identity: EventIdentity) {
    guard ended.insert(identity).inserted else { return }
    endedByAge.append(identity)
    while ended.count > limits.remembered, let oldest = endedByAge.removeFirst() { ended.remove(oldest) }
  }
}

/// A queue that gives its memory back as it empties.
struct FirstInFirstOut<Element: Sendable>: Sendable {
  private var elements: [Element?] = []
  private var start = 0

  var first: Element? { start < elements.count ? elements[start] : nil }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func removeFirst() -> Element? {
    guard start < elements.count else { return nil }
    let element = elements[start]
    elements[start] = nil
    start += 1
    if start == elements.count {
      elements.removeAll(keepingCapacity: elements.count <= 4096)
      start = 0
    } else if start >= 4096, start * 2 >= elements.count {
      elements.removeFirst(start)
      start = 0
    }
    return element
  }
}
