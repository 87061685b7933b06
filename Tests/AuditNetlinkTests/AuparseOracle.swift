// libauparse as the oracle: what it finds in a log of auditd's format.

import AuditNetlink
import CAudit
import CAuparse
import Glibc
import Testing

/// A field of a record: as it stands there, and as a person would read it where it holds bytes of a user's choice.
struct OracleField: Hashable {
  let name: String
  let raw: [UInt8]
  /// What libauparse decodes of a field that it holds for escaped.
  let decoded: [UInt8]?
}

struct OracleRecord {
  let type: UInt16
  let fields: [OracleField]
}

struct OracleEvent {
  let records: [OracleRecord]
}

struct OracleIdentity: Hashable {
  let milliseconds: Int64
  let serial: UInt64
}

enum AuparseOracle {
  /// A line as auditd writes it.
  static func line(type: UInt16, text: [UInt8]) -> [UInt8] {
    let name = audit_msg_type_to_name(Int32(type)).map { String(cString: $0) } ?? "UNKNOWN[\(type)]"
    return Array("type=\(name) msg=".utf8) + text + [0x0a]
  }

  static func events(ofLog path: String) throws -> [OracleIdentity: OracleEvent] {
    let parser = try #require(path.withCString { auparse_init(AUSOURCE_FILE, $0) })
    defer { auparse_destroy(parser) }
    auparse_set_escape_mode(parser, AUPARSE_ESC_RAW)
    var events: [OracleIdentity: OracleEvent] = [:]
    while auparse_next_event(parser) > 0 {
      let stamp = try #require(auparse_get_timestamp(parser)).pointee
      let identity = OracleIdentity(
        milliseconds: Int64(stamp.sec) * 1000 + Int64(stamp.milli), serial: UInt64(stamp.serial))
      #expect(events[identity] == nil, "an event in two pieces")
      var records: [OracleRecord] = []
      if auparse_first_record(parser) > 0 {
        repeat { records.append(record(parser)) } while auparse_next_record(parser) > 0
      }
      events[identity] = OracleEvent(records: records)
    }
    return events
  }

  private static func record(_ parser: OpaquePointer) -> OracleRecord {
    var fields: [OracleField] = []
    if auparse_first_field(parser) > 0 {
      repeat {
        guard let name = auparse_get_field_name(parser), let raw = auparse_get_field_str(parser) else { continue }
        let isEscaped =
          [Int32(AUPARSE_TYPE_ESCAPED.rawValue), Int32(AUPARSE_TYPE_ESCAPED_KEY.rawValue)]
          .contains(auparse_get_field_type(parser))
        fields.append(
          OracleField(
            name: String(cString: name), raw: bytes(raw),
            decoded: isEscaped ? auparse_interpret_field(parser).map(bytes) : nil))
      } while auparse_next_field(parser) > 0
    }
    return OracleRecord(type: UInt16(auparse_get_type(parser)), fields: fields)
  }

  private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }
}
