// Owns the sinks in force and what each has written and dropped.
// It must not decide which records they get: the writer does.

internal import DecisionRecord
internal import Synchronization

/// One sink with its counters.
final class CountedSink: Sendable {
  let sink: any TrailSink
  private let written: Atomic<UInt64>
  private let dropped: Atomic<UInt64>
  /// Drops that no loss record has told of.
  private let unreported: Atomic<UInt64>

  /// Goes on counting where the sink of the same name stopped.
  init(_ sink: any TrailSink, after previous: CountedSink?) {
    self.sink = sink
    written = Atomic(previous?.written.load(ordering: .relaxed) ?? 0)
    dropped = Atomic(previous?.dropped.load(ordering: .relaxed) ?? 0)
    unreported = Atomic(previous?.unreported.load(ordering: .relaxed) ?? 0)
  }

  func write(_ record: AuditRecord, json: [UInt8]) {
    switch sink.write(record, json: json) {
    case .written: written.add(1, ordering: .relaxed)
    case .passedOver: break
    case .dropped:
      dropped.add(1, ordering: .relaxed)
      // A sink that is gone would otherwise report for ever that it lost its own report.
      if record.kind != .loss { unreported.add(1, ordering: .relaxed) }
    }
  }

  func takeUnreported() -> UInt64 { unreported.exchange(0, ordering: .relaxed) }

  var counters: TrailCounters.Sink {
    TrailCounters.Sink(
      name: sink.name, written: written.load(ordering: .relaxed), dropped: dropped.load(ordering: .relaxed))
  }
}

final class SinkSet: Sendable {
  private let sinks: Mutex<[CountedSink]>

  init(_ sinks: [any TrailSink]) { self.sinks = Mutex(sinks.map { CountedSink($0, after: nil) }) }

  var current: [CountedSink] { sinks.withLock { $0 } }

  func replace(_ new: [any TrailSink]) {
    sinks.withLock { sinks in
      sinks = new.map { sink in CountedSink(sink, after: sinks.first { $0.sink.name == sink.name }) }
    }
  }
}
