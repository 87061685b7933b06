// Owns what `trust sync` writes when it has ended: a table for people, one object for programs.
// It must not judge what it shows.

internal import Configuration
internal import SystemCalls
internal import TrustDatabase
internal import TrustSources
internal import TrustUpkeep

struct SyncText {
  private let report: SyncReport
  private static let mostShown = 20

  init(_ report: SyncReport) { self.report = report }

  var rendered: String {
    [table, untrusted, findings, summary].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var table: String {
    var table = TextTable([
      ("SOURCE", .left), ("PACKAGES", .right), ("FILES", .right), ("TRUSTED", .right), ("CHANGED", .right),
      ("CONFFILES", .right), ("MISSING", .right), ("UNREADABLE", .right), ("NO CHECKSUM", .right), ("DIVERTED", .right),
    ])
    for source in report.sources {
      table.add(
        source.source.name, Quantity.count(source.packages), Quantity.count(source.files), count(source, .trusted),
        count(source, .changed, .changing), count(source, .conffileChanged), count(source, .missing, .notRegular),
        count(source, .unreadable, .notProtected), count(source, .withoutChecksum), Quantity.count(source.diverted))
    }
    return table.isEmpty ? "" : table.rendered
  }

  private func count(_ source: SourceOutcome, _ outcomes: FileOutcome...) -> String {
    Quantity.count(outcomes.reduce(0) { $0 + source.count($1) })
  }

  /// What deserves a look: files that are there and are not what they should be. Missing ones and those without a
  /// checksum are counted only: documentation that was left out, and a package's own choice.
  private var untrusted: String {
    let files = report.untrusted.filter { ![.missing, .withoutChecksum].contains($0.outcome) }
    guard !files.isEmpty else { return "" }
    var table = TextTable([("NOT TRUSTED", .left), ("PACKAGE", .left), ("WHY", .left)])
    for file in files.prefix(Self.mostShown) {
      table.add(Printable.path(file.path), Printable.path(file.origin), file.outcome.sentence + file.detail)
    }
    return table.rendered + Self.more(files.count)
  }

  private var findings: String {
    let shown = report.findings.filter { ![.diverted, .withoutChecksum].contains($0.kind) }
    guard !shown.isEmpty else { return "" }
    return shown.prefix(Self.mostShown).map { Printable.text($0.description) + "\n" }.joined() + Self.more(shown.count)
  }

  private static func more(_ count: Int) -> String {
    count > mostShown ? "and \(Quantity.count(count - mostShown)) more; --json shows all\n" : ""
  }

  private var summary: String {
    let read =
      "read \(Quantity.count(report.filesRead)) files (\(Quantity.bytes(report.bytesRead))) in \(Quantity.seconds(report.nanoseconds))"
    guard let manifest = report.manifest else { return read + "\n" }
    let anywhere = manifest.contents > 0 ? ", \(Quantity.count(manifest.contents)) contents anywhere" : ""
    return "generation \(manifest.generation): \(Quantity.count(manifest.paths)) paths\(anywhere); \(read)\n"
  }
}

extension FileOutcome {
  /// For people.
  var sentence: String {
    switch self {
    case .trusted: "trusted"
    case .changed: "differs from its package"
    case .conffileChanged: "configuration file that was edited"
    case .missing: "is not there"
    case .notRegular: "is no regular file"
    case .unreadable: "cannot be read"
    case .changing: "was written to while it was read"
    case .notProtected: "others than root can write it"
    case .withoutChecksum: "its package has no checksum of it"
    }
  }
}

extension UntrustedFile {
  fileprivate var detail: String { errno.map { ": \($0)" } ?? "" }
}
