// Owns what the commands of `liliumctl trust` write with --json; schema 1.
// It must not round or leave out what it is given: programs read it.

internal import AccessModel
internal import ControlProtocol
internal import FoundationEssentials
internal import SystemCalls
internal import TrustDatabase
internal import TrustSources
internal import TrustUpkeep

/// JSON of what TrustUpkeep reports. What is nil is left out.
enum TrustJSON {
  static func object(_ members: [String: JSONValue?]) -> JSONValue { .object(members.compactMapValues { $0 }) }

  /// Bytes under a key: their readable form, and under KEY_b64 themselves where they are not UTF-8.
  static func bytes(_ bytes: [UInt8], _ key: String) -> [String: JSONValue?] {
    let text = String(validating: bytes, as: UTF8.self)
    return [
      key: .string(text ?? String(decoding: bytes, as: UTF8.self)),
      "\(key)_b64": text == nil ? .string(Data(bytes).base64EncodedString()) : nil,
    ]
  }

  /// An object whose bytes stand beside other members.
  static func object(_ named: [String: JSONValue?], and members: [String: JSONValue?]) -> JSONValue {
    object(named.merging(members) { $1 })
  }

  static func count(_ number: some BinaryInteger) -> JSONValue { .integer(Int64(clamping: number)) }
  static func hash(_ hash: ContentHash) -> JSONValue { .string(String(decoding: hash.hexadecimal, as: UTF8.self)) }

  // MARK: Sync

  static func value(of report: SyncReport) -> JSONValue {
    object([
      "schema": .integer(1), "complete": .bool(report.isComplete), "rebuilt": .bool(report.damage != nil),
      "generation": report.manifest.map { count($0.generation) }, "paths": report.manifest.map { count($0.paths) },
      "contents": report.manifest.map { count($0.contents) }, "files_read": count(report.filesRead),
      "bytes_read": count(report.bytesRead), "seconds": .number(Double(report.nanoseconds / 1_000_000) / 1000),
      "sources": .array(report.sources.map { outcome(of: $0) }),
      "untrusted": .array(report.untrusted.map { untrusted($0) }),
      "findings": .array(report.findings.map { finding($0) }),
      "errors": .array(report.errors.map { .string($0.description) }),
    ])
  }

  private static func outcome(of source: SourceOutcome) -> JSONValue {
    let outcomes = FileOutcome.allCases.filter { source.count($0) > 0 }.map { ($0.rawValue, count(source.count($0))) }
    return object([
      "source": .string(source.source.name), "packages": count(source.packages), "files": count(source.files),
      "outcomes": .object(Dictionary(uniqueKeysWithValues: outcomes)), "diverted": count(source.diverted),
      "anywhere": count(source.anywhere), "distrusted": count(source.distrusted),
    ])
  }

  private static func untrusted(_ file: UntrustedFile) -> JSONValue {
    object(
      bytes(file.path, "path").merging(bytes(file.origin, "package")) { $1 },
      and: [
        "source": .string(file.source.name), "outcome": .string(file.outcome.rawValue),
        "error": file.errno.map { .string($0.description) },
      ])
  }

  private static func finding(_ finding: SourceFinding) -> JSONValue {
    object(
      bytes(finding.package, "package"),
      and: [
        "kind": .string(finding.kind.rawValue), "count": count(finding.count), "message": .string(finding.description),
      ])
  }

  // MARK: Contents

  static func content(_ content: TrustedContent) -> JSONValue {
    let from = content.from
    return object(
      bytes(from.name, "origin"),
      and: [
        "size": count(content.size), "sha256": hash(content.hash), "source": .string(content.source.name),
        "added": .integer(content.added), "verity": content.verity.map(hash),
        "root": from.root.isEmpty ? nil : .string(String(decoding: from.root, as: UTF8.self)),
      ])
  }

  static func value(of entry: TrustEntry, at path: [UInt8]) -> JSONValue {
    object(
      bytes(path, "path"),
      and: [
        "schema": .integer(1), "distrusted": .bool(entry.isDistrusted),
        "contents": .array(entry.contents.map { content($0) }),
      ])
  }

  static func value(anywhere content: TrustedContent) -> JSONValue {
    object(["schema": .integer(1), "anywhere": .bool(true), "contents": .array([self.content(content)])])
  }

  // MARK: Other reports

  static func value(of report: VerifyReport) -> JSONValue {
    object([
      "schema": .integer(1), "complete": .bool(report.isComplete), "checked": count(report.checked),
      "bytes_read": count(report.bytesRead), "drifted": .array(report.drifted.map { drifted($0) }),
      "unknown": .array(report.unknown.map { object(bytes($0, "path")) }),
    ])
  }

  private static func drifted(_ file: DriftedFile) -> JSONValue {
    object(
      bytes(file.path, "path"),
      and: [
        "outcome": .string(file.outcome.rawValue), "expected": content(file.expected),
        "found": self.reading(file.found),
      ])
  }

  /// Size and digest; what stands in the way is in `error`.
  static func reading(_ reading: FileReading) -> JSONValue {
    guard case .measured(let file) = reading else { return object(["error": .string(reading.fault)]) }
    return object(["size": count(file.size), "sha256": hash(file.hash), "verity": file.verity.map(hash)])
  }

  static func value(of summary: StoreSummary, age: Int64) -> JSONValue {
    object([
      "schema": .integer(1), "generation": count(summary.manifest.generation), "paths": count(summary.manifest.paths),
      "contents": count(summary.manifest.contents), "written": .integer(summary.manifest.written),
      "age_seconds": .integer(age), "bytes": count(summary.manifest.byteCount), "distrusted": count(summary.distrusted),
      "sources": .array(
        summary.lines.map { line in
          object([
            "source": .string(line.source.name), "origins": count(line.origins), "paths": count(line.paths),
            "anywhere": count(line.anywhere),
          ])
        }),
    ])
  }

  static func value(of report: CurationReport) -> JSONValue {
    object([
      "schema": .integer(1), "generation": report.manifest.map { count($0.generation) },
      "awaits_sync": .bool(report.awaitsSync),
      "steps": .array(
        report.steps.map { step in
          object(
            bytes(step.path, "path"),
            and: [
              "deed": .string(step.deed.rawValue), "why": step.why.isEmpty ? nil : .string(step.why),
              "remedy": step.remedy.isEmpty ? nil : .string(step.remedy),
            ])
        }),
    ])
  }
}
