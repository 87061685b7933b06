// Owns the audit trail as the rest of the daemon sees it: what is wanted, taking it, watching, explaining, stopping.
// It must not do I/O on the caller's thread.

public import AccessModel
public import DecisionRecord
internal import Synchronization
public import SystemCalls

/// The trail: a bounded queue, a rate limit, and one thread that writes. Every method may be called on any thread.
public final class Trail: DecisionTrail, Sendable {
  private let writer: TrailWriter
  private let thread: Mutex<SystemCalls.Thread?>
  /// `LogFlags`.
  private let flags: Atomic<UInt8>

  /// Starts the writer thread. `idPrefix` differs between two runs of the daemon.
  public init(
    idPrefix: String, settings: TrailSettings = TrailSettings(), sinks: [any TrailSink], capacity: Int = 8192,
    recentCapacity: Int = 1024
  ) throws(Errno) {
    let writer = try TrailWriter(
      idPrefix: idPrefix, settings: settings, sinks: sinks, capacity: capacity, recentCapacity: recentCapacity)
    self.writer = writer
    flags = Atomic(LogFlags(settings).rawValue)
    thread = Mutex(try SystemCalls.Thread.start("lilium-trail") { writer.run() })
  }

  deinit { stop(timeoutMilliseconds: 1000) }

  /// Whether the decision is to be recorded: logged or watched, and within the rate limit, which counts it if not.
  /// Allocates nothing.
  public func wants(_ decision: Decision) -> Bool {
    guard keeps(decision) else { return false }
    guard LogFlags(rawValue: flags.load(ordering: .relaxed)).contains(.limited) else { return true }
    let now = Clock.monotonic()
    return writer.limiter.withLock { $0.admit(decision, now: now) }
  }

  /// Whether somebody gets decisions like this one: the sinks, or a watcher. While that is so, none of them may be left
  /// to the kernel; when it begins to be so, what the kernel has been given is to be taken back.
  public func keeps(_ decision: Decision) -> Bool {
    LogFlags(rawValue: flags.load(ordering: .relaxed)).logs(decision) || !writer.watchers.isEmpty
  }

  /// Takes the record of a decision, or counts it as dropped where the queue is full.
  public func append(_ entry: TrailEntry) {
    writer.queue.put(RecordQueue.Item(event: .decision(entry), time: entry.time))
  }

  /// Takes any other event, as of now where it has no time of its own. Some places in the queue are kept for these.
  public func append(_ event: TrailEvent) {
    writer.queue.put(RecordQueue.Item(event: event, time: event.time ?? Clock.realtime()))
  }

  /// A new policy is in force, with so many rules: each has its own rate limit.
  public func policyChanged(ruleCount: Int) {
    let limit = writer.settings.withLock { $0.rate }
    // Swapped, so that nothing is allocated or freed while a decision waits for the lock.
    var next = RateLimiter(limit: limit, ruleCount: ruleCount)
    writer.limiter.withLock { limiter in
      next.follow(&limiter)
      swap(&limiter, &next)
    }
  }

  public func replaceSettings(_ settings: TrailSettings) {
    writer.settings.withLock { $0 = settings }
    writer.limiter.withLock { $0.setLimit(settings.rate) }
    flags.store(LogFlags(settings).rawValue, ordering: .relaxed)
  }

  /// Records that are taken out of the queue from now on go to these sinks. Counters go on by name.
  public func replaceSinks(_ sinks: [any TrailSink]) { writer.sinks.replace(sinks) }

  /// Calls `body` with each record's JSON, without a line end, on the writer thread; it must not block. While
  /// somebody watches, allowed decisions are recorded too, for the watchers alone.
  public func subscribe(_ body: @escaping @Sendable ([UInt8]) -> Void) -> WatchToken { writer.watchers.add(body) }

  /// A call that has begun may still be running when this returns.
  public func unsubscribe(_ token: WatchToken) { writer.watchers.remove(token) }

  /// The JSON of one of the last decision records, or nil where the id is too old or was never given.
  public func explain(_ id: String) -> [UInt8]? { writer.recent.json(of: id) }

  public var counters: TrailCounters {
    let counts = writer.queue.counts
    return TrailCounters(
      accepted: counts.accepted, dropped: counts.dropped,
      suppressed: writer.limiter.withLock { $0.totalSuppressed }, queued: writer.queue.queued,
      sinks: writer.sinks.current.map(\.counters))
  }

  /// Waits until everything that was taken so far is written; false where the time was too short.
  @discardableResult
  public func flush(timeoutMilliseconds: Int) -> Bool {
    let target = writer.queue.counts.accepted
    return wait(timeoutMilliseconds) { writer.queue.counts.finished >= target }
  }

  /// Takes nothing more, writes what is queued and the last reports, and ends the thread. Where a sink blocks beyond
  /// the time the thread is left to it, what is queued counts as dropped, and the result is false. Once.
  @discardableResult
  public func stop(timeoutMilliseconds: Int) -> Bool {
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    guard let running else { return true }
    writer.queue.close()
    guard wait(timeoutMilliseconds, until: { writer.isFinished }) else {
      writer.giveUp()
      writer.queue.abandon()
      return false
    }
    running.join()
    return true
  }

  /// Looks every millisecond: shutdown and reload are no reason to own another descriptor.
  private func wait(_ milliseconds: Int, until condition: () -> Bool) -> Bool {
    let end = Clock.monotonic() + UInt64(max(0, milliseconds)) * 1_000_000
    while !condition() {
      guard Clock.monotonic() < end else { return condition() }
      Clock.sleep(nanoseconds: 1_000_000)
    }
    return true
  }
}
