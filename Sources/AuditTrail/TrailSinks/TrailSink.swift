// Owns the contract between the trail and the places where records go.
// It must not queue: a sink takes a record or drops it.

public import DecisionRecord

/// What a sink did with a record.
public enum SinkOutcome: Sendable, Hashable {
  case written
  /// Not of a kind that goes to this sink.
  case passedOver
  /// The transport is gone or takes no more.
  case dropped
}

/// A place where records go. It owns its transport. Only the trail's writer thread calls `write`; a sink may wait for
/// a bounded time there, and the other sinks wait with it.
public protocol TrailSink: Sendable {
  /// Fixed and unique among the sinks of a trail, as in `journal` or `file:/var/log/lilium.jsonl`.
  var name: String { get }
  /// Takes one record; `json` is its JSON form without a line end, made once for all sinks.
  func write(_ record: AuditRecord, json: [UInt8]) -> SinkOutcome
}
