// Owns the way of denials to the kernel's audit trail: one user record each, for those who keep that trail.
// It must not send anything else there: the trail is everybody's, and its readers cannot ask it to be less.

internal import AccessModel
internal import AuditNetlink
public import DecisionRecord
public import SystemCalls

/// Writes denials, and what would be one, as USER_AVC records (audit.rules(7)), which the kernel takes even while auditing is off.
public final class AuditSink: TrailSink {
  public let name = "audit"
  private let control: AuditControl

  /// Needs CAP_AUDIT_WRITE.
  public init() throws(SystemCallError) {
    do throws(Errno) { control = try AuditControl() } catch {
      throw SystemCallError("open", "the audit socket", error)
    }
  }

  public func write(_ record: AuditRecord, json: [UInt8]) -> SinkOutcome {
    guard case .decision(let entry) = record.event, entry.decision.verdict == .deny else { return .passedOver }
    do throws(Errno) {
      try control.logUserMessage(Self.text(record, entry))
      return .written
    } catch {
      return .dropped
    }
  }

  /// `name=value` pairs. What anybody but Lilium chose is written as the kernel writes it: between double quotes, or in
  /// upper-case hexadecimal where it holds more than plain characters.
  static func text(_ record: AuditRecord, _ entry: TrailEntry) -> [UInt8] {
    let decision = entry.decision
    var text = "lilium: id=\(record.id) mechanism=\(decision.mechanism.name) mode=\(decision.mode.name) "
    text += "verdict=\(decision.verdict.name) effect=\(entry.effect.name) reason=\(decision.reason.name)"
    if let rule = decision.reason.rule { text += " rule=" + encoded([UInt8](rule.name.utf8)) }
    text += " subj_pid=\(entry.subject.pid)"
    if entry.present.contains(.subjectStatus) {
      text += " subj_uid=\(entry.subject.uid) subj_comm=" + encoded(entry.subject.comm)
    }
    if entry.present.contains(.subjectExecutable) { text += " subj_exe=" + encoded(entry.subject.executable) }
    if entry.present.contains(.objectPath) { text += " obj_path=" + encoded(entry.object.path) }
    if entry.present.contains(.call) {
      text += " call=" + encoded(entry.call.name)
      if !entry.call.request.isEmpty { text += " request=" + encoded(entry.call.request) }
      text += " audit_serial=\(entry.call.serial)"
    }
    if entry.present.contains(.targetStatus) { text += " target_pid=\(entry.target.pid)" }
    return [UInt8](text.utf8)
  }

  /// As audit_log_untrustedstring in the kernel does; paths are cut to what fits beside the rest.
  private static func encoded(_ bytes: [UInt8]) -> String {
    let cut = bytes.prefix(2048)
    let isPlain = cut.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") }
    if isPlain { return "\"" + String(decoding: cut, as: UTF8.self) + "\"" }
    return cut.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
  }
}
