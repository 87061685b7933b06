// Owns the sinks that write one line a record to a descriptor: JSON Lines and the terminal's form.
// It must not open files or ask whether there is a terminal: whoever starts the daemon does.

public import DecisionRecord
internal import Synchronization
public import SystemCalls

/// One JSON object a line, to a file opened with O_APPEND, a pipe, or standard output.
public final class JSONLinesSink: TrailSink {
  public let name: String
  private let kinds: Set<RecordKind>?
  private let writer: Mutex<LineWriter>

  /// Takes ownership of the descriptor. Records of other kinds than `kinds` are passed over; nil takes all.
  public init(
    name: String, descriptor: consuming Descriptor, only kinds: Set<RecordKind>? = nil,
    patienceMilliseconds: Int32 = 1000
  ) {
    self.name = name
    self.kinds = kinds
    writer = Mutex(LineWriter(descriptor, patienceMilliseconds: patienceMilliseconds))
  }

  public func write(_ record: AuditRecord, json: [UInt8]) -> SinkOutcome {
    if let kinds, !kinds.contains(record.kind) { return .passedOver }
    return writer.withLock { $0.write(line: json) }
  }
}

/// One line a record that a person can read.
public final class TerminalSink: TrailSink {
  public let name: String
  private let style: TerminalStyle
  private let writer: Mutex<LineWriter>

  /// Takes ownership of the descriptor.
  public init(
    name: String = "terminal", descriptor: consuming Descriptor, style: TerminalStyle,
    patienceMilliseconds: Int32 = 1000
  ) {
    self.name = name
    self.style = style
    writer = Mutex(LineWriter(descriptor, patienceMilliseconds: patienceMilliseconds))
  }

  public func write(_ record: AuditRecord, json: [UInt8]) -> SinkOutcome {
    writer.withLock { $0.write(line: record.terminalLine(style)) }
  }
}
