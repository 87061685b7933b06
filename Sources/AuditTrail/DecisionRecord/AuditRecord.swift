// Owns the record: what happened, when, under which name, and its fields, built once for all sinks.
// It must not know where it goes.

internal import AccessModel

/// One record. Its forms are `json`, `journalFields` and `terminalLine(_:)`.
public struct AuditRecord: Sendable {
  /// The version of names and meanings; raised when one changes, not when one is added.
  public static let schema: UInt64 = 1

  public let id: RecordID
  /// Nanoseconds since the epoch, CLOCK_REALTIME.
  public let time: Int64
  public let event: TrailEvent
  public let fields: FieldGroup

  public var kind: RecordKind { event.kind }

  public init(id: RecordID, time: Int64, event: TrailEvent) {
    self.id = id
    self.time = time
    self.event = event
    var fields = FieldGroup()
    fields.add("schema", Self.schema)
    fields.add("id", id.description)
    fields.add("time", CivilTime(nanoseconds: time).rfc3339)
    fields.add("kind", event.kind.name)
    fields.addEvent(event)
    self.fields = fields
  }

  /// The weight by syslog's scale (syslog(3)): 3 an error, 4 a warning, 5 a notice, 6 information.
  public var priority: Int {
    switch event {
    case .decision(let entry): entry.decision.priority
    case .suppressed(let suppression): suppression.sample.priority
    case .loss, .policyRefused: 3
    case .coverageChanged(let change): change.state == .failed ? 4 : 6
    case .sensingChanged(let change): change.isProblem ? 4 : 6
    case .modeChanged: 5
    case .policyLoaded(_, _, let warnings): warnings.isEmpty ? 6 : 5
    case .trustLoaded(let load): load.problem == nil ? 6 : 3
    case .tamperingDenied: 4
    case .started, .stopped: 6
    }
  }
}

extension Decision {
  /// A failure weighs as much as a denial: the policy was not asked.
  fileprivate var priority: Int {
    if case .failure = reason { return 4 }
    switch (verdict, mode) {
    case (.deny, .enforce): return 4
    case (.deny, _): return 5
    case (.allow, _): return 6
    }
  }
}
