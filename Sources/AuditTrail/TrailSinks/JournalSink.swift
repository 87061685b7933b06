// Owns the way of records to journald.
// It must not choose fields or words: DecisionRecord does.

public import DecisionRecord
internal import Journal
internal import Synchronization

/// Writes records to the journal by its native protocol.
public final class JournalSink: TrailSink {
  public let name = "journal"
  private let socket: Mutex<JournalSocket>

  /// Needs no journald yet: it connects, and connects again, when a record is sent.
  /// `path` is journald's socket where it is not the system's own.
  public init(path: String? = nil) {
    socket = Mutex(JournalSocket(path: path ?? JournalSocket.systemPath))
  }

  public func write(_ record: AuditRecord, json: [UInt8]) -> SinkOutcome {
    var entry = JournalEntry()
    for field in record.journalFields { entry.append(field.name, field.value) }
    return socket.withLock { $0.send(entry) } == .sent ? .written : .dropped
  }
}
