// Owns the flat form of a record: the names and bytes that the journal keeps (systemd.journal-fields(7)).
// It must not frame or send them: Kernel/Journal does.

internal import AccessModel

/// One field of a journal entry. A name may come several times.
public struct JournalField: Sendable, Hashable {
  /// Capital letters, digits and _, at most 64; begins with a letter.
  public let name: String
  /// Exact bytes, whatever they are.
  public let value: [UInt8]

  public init(_ name: String, _ value: [UInt8]) {
    self.name = name
    self.value = value
  }

  fileprivate init(_ name: String, _ text: String) { self.init(name, [UInt8](text.utf8)) }
}

extension AuditRecord {
  /// The record as journal fields: the general ones first, then each field of the tree as `LILIUM_` and its path.
  public var journalFields: [JournalField] {
    var out = [
      JournalField("MESSAGE", message),
      JournalField("MESSAGE_ID", kind.messageID),
      JournalField("PRIORITY", String(priority)),
      JournalField("SYSLOG_IDENTIFIER", "liliumd"),
    ]
    if case .decision(let entry) = event { out.append(JournalField("OBJECT_PID", String(entry.subject.pid))) }
    appendFlat(fields, prefix: "LILIUM_", to: &out)
    return out
  }
}

private func appendFlat(_ group: FieldGroup, prefix: String, to out: inout [JournalField]) {
  for field in group.fields {
    let name = prefix + field.name.uppercased()
    switch field.value {
    case .bytes(let bytes): out.append(JournalField(name, bytes))
    case .group(let inner): appendFlat(inner, prefix: name + "_", to: &out)
    // Known to be empty is not the same as not known.
    case .texts(let texts) where texts.isEmpty: out.append(JournalField(name, ""))
    case .texts(let texts): out.append(contentsOf: texts.map { JournalField(name, $0) })
    case .groups(let groups): out.append(contentsOf: groups.map { JournalField(name, $0.summary) })
    case .bool, .integer, .unsigned, .text: out.append(JournalField(name, field.value.plainText))
    }
  }
}

extension FieldGroup {
  /// `name=value name=value`.
  fileprivate var summary: String { fields.map { "\($0.name)=\($0.value.plainText)" }.joined(separator: " ") }
}

extension FieldValue {
  /// A single value as text; a list or a group is not one.
  fileprivate var plainText: String {
    switch self {
    case .bool(let flag): flag ? "true" : "false"
    case .integer(let number): String(number)
    case .unsigned(let number): String(number)
    case .text(let text): text
    case .bytes(let bytes): displayText(bytes)
    case .texts, .group, .groups: ""
    }
  }
}
