// Owns the thread that builds records and hands them to sinks and watchers, and the reports of what was left out.
// It must not be called on the answer path.

internal import AccessModel
internal import DecisionRecord
internal import Synchronization
internal import SystemCalls

/// What the threads of a trail share.
final class TrailWriter: Sendable {
  /// Items that are moved out of the queue under one lock.
  private static let batchSize = 64

  let queue: RecordQueue
  let sinks: SinkSet
  let watchers = Watchers()
  let recent: RecentRecords
  let settings: Mutex<TrailSettings>
  let limiter: Mutex<RateLimiter>
  private let idPrefix: String
  private let finished = Atomic(false)
  private let givenUp = Atomic(false)

  init(
    idPrefix: String, settings: TrailSettings, sinks: [any TrailSink], capacity: Int, recentCapacity: Int
  ) throws(Errno) {
    self.idPrefix = idPrefix
    queue = try RecordQueue(capacity: capacity)
    self.sinks = SinkSet(sinks)
    recent = RecentRecords(capacity: recentCapacity)
    self.settings = Mutex(settings)
    limiter = Mutex(RateLimiter(limit: settings.rate, ruleCount: 0))
  }

  /// The thread has written everything, or has given up.
  var isFinished: Bool { finished.load(ordering: .acquiring) }

  /// Lets the thread end as soon as the sink that it is in returns.
  func giveUp() { givenUp.store(true, ordering: .releasing) }

  /// The thread's body: returns after the queue was closed and everything in it is written.
  func run() {
    var progress = Progress(lastReport: Clock.monotonic())
    var batch: [RecordQueue.Item] = []
    while !givenUp.load(ordering: .acquiring) {
      // Asked before the queue is emptied: what was put in before it was closed is then in this batch or a later one.
      let isClosed = queue.isClosed
      queue.take(Self.batchSize, into: &batch)
      for item in batch {
        write(item.event, time: item.time, &progress)
        queue.finishOne()
        if givenUp.load(ordering: .acquiring) { break }
      }
      let isIdle = batch.isEmpty
      batch.removeAll(keepingCapacity: true)
      reportDrops(isIdle: isIdle, &progress)
      reportWhatWasLeftOut(isLast: isClosed && isIdle, &progress)
      if isIdle {
        if isClosed { break }
        queue.sleep(milliseconds: progress.millisecondsToReport(every: settings.withLock { $0.reportMilliseconds }))
      }
    }
    finished.store(true, ordering: .releasing)
  }

  private struct Progress {
    var nextNumber: UInt64 = 1
    /// CLOCK_MONOTONIC in nanoseconds.
    var lastReport: UInt64

    /// At least 1, so that a sleep is one.
    func millisecondsToReport(every interval: Int32) -> Int32 {
      let elapsed = (Clock.monotonic() - lastReport) / 1_000_000
      return elapsed >= UInt64(interval) ? 1 : max(1, interval - Int32(elapsed))
    }
  }

  /// Builds the record once and hands it on. A decision that only a watcher wanted does not go to the sinks.
  private func write(_ event: TrailEvent, time: Int64, _ progress: inout Progress) {
    let id = RecordID(prefix: idPrefix, number: progress.nextNumber)
    progress.nextNumber += 1
    let record = AuditRecord(id: id, time: time, event: event)
    let json = record.json
    if record.kind == .decision { recent.keep(id, json) }
    watchers.publish(json)
    guard isLogged(event) else { return }
    for sink in sinks.current { sink.write(record, json: json) }
  }

  private func isLogged(_ event: TrailEvent) -> Bool {
    switch event {
    case .decision(let entry): settings.withLock { $0.logs(entry.decision) }
    case .suppressed(let suppression): settings.withLock { $0.logs(suppression.sample) }
    default: true
    }
  }

  /// One record for all that the queue could not take: when the flood is over, or when a report is due anyway.
  private func reportDrops(isIdle: Bool, _ progress: inout Progress) {
    guard isIdle || isReportDue(progress) else { return }
    let dropped = queue.takeUnreportedDrops()
    if dropped > 0 { write(.loss(what: "trail-queue", count: dropped), time: Clock.realtime(), &progress) }
  }

  private func reportWhatWasLeftOut(isLast: Bool, _ progress: inout Progress) {
    guard isLast || isReportDue(progress) else { return }
    let now = Clock.monotonic()
    let seconds = max(1, (now - progress.lastReport + 500_000_000) / 1_000_000_000)
    progress.lastReport = now
    for suppressed in limiter.withLock({ $0.takeSuppressed() }) {
      let suppression = Suppression(sample: suppressed.sample, count: suppressed.count, seconds: seconds)
      write(.suppressed(suppression), time: Clock.realtime(), &progress)
    }
    for sink in sinks.current {
      let dropped = sink.takeUnreported()
      if dropped > 0 { write(.loss(what: "sink-\(sink.sink.name)", count: dropped), time: Clock.realtime(), &progress) }
    }
  }

  private func isReportDue(_ progress: Progress) -> Bool {
    let interval = settings.withLock { UInt64($0.reportMilliseconds) } * 1_000_000
    return Clock.monotonic() - progress.lastReport >= interval
  }
}
