// Owns `liliumctl trust list` and `liliumctl trust status`: what the database holds.
// It must not look at the files that it names.

internal import AccessModel
internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import SystemCalls
internal import TrustDatabase
internal import TrustUpkeep

struct TrustListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List what is trusted; --json gives one object a line.",
    discussion: "Exit codes: 0 something is listed, 1 nothing.")

  @Argument(help: "Only what lies at or below this path.") var path: String?
  @Option(help: "Only what this source vouches for.") var source: TrustSource?
  @OptionGroup var options: TrustOptions

  func run() throws {
    let snapshot = try options.run { try options.store.snapshot() }
    let place = path.map { RealPath.ofAny(TrustPaths.absolute($0)) } ?? []
    var count = 0
    try options.run {
      try snapshot.forEachEntry(below: place) { path, entry in
        var entry = entry
        if let source { entry.contents.removeAll { $0.source != source } }
        let isBarred = entry.isDistrusted && (source == nil || source == .file)
        guard isBarred || !entry.contents.isEmpty else { return true }
        count += 1
        show(entry, at: path)
        return true
      }
      guard path == nil else { return }
      try snapshot.forEachContent { content in
        if source != nil, content.source != source { return true }
        count += 1
        if options.json {
          Output.writeLine(ControlLine.encode(TrustJSON.value(anywhere: content)).dropLast())
        } else {
          Output.write("*  \(Self.line(content))\n")
        }
        return true
      }
    }
    if count == 0 { throw ExitCode.finding }
  }

  private func show(_ entry: TrustEntry, at path: [UInt8]) {
    if options.json { return Output.writeLine(ControlLine.encode(TrustJSON.value(of: entry, at: path)).dropLast()) }
    let name = Printable.path(path)
    var text = entry.isDistrusted ? "!  \(name)  never trusted there\n" : ""
    for content in entry.contents { text += "\(entry.isDistrusted ? "!" : "+")  \(name)  \(Self.line(content))\n" }
    Output.write(text)
  }

  /// Size, digest, who vouches for it and since when.
  static func line(_ content: TrustedContent) -> String {
    let hash = String(decoding: content.hash.hexadecimal, as: UTF8.self)
    return "\(content.size)  \(hash)  \(content.voucher)  \(TimeText.date(content.added))"
  }
}

extension TrustedContent {
  /// Source and package or trust file.
  var voucher: String {
    let from = from
    let root = from.root.isEmpty ? "" : " in \(Printable.path(from.root))"
    return "\(source.name):\(Printable.path(from.name))\(root)"
  }
}

struct TrustStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the trust database's generation, age and what its sources vouch for.",
    discussion: "Exit codes: 0 it can be used, 1 there is none, 2 it cannot be believed.")

  @OptionGroup var options: TrustOptions

  func run() throws {
    let summary = try summary()
    let age = max(0, Clock.realtime() / 1_000_000_000 - summary.manifest.written)
    if options.json { return Output.writeJSON(TrustJSON.value(of: summary, age: age)) }
    let manifest = summary.manifest
    var text =
      "generation \(manifest.generation), written \(TimeText.date(manifest.written)) "
      + "(\(TimeText.duration(UInt64(age))) ago), \(Quantity.bytes(manifest.byteCount))\n"
    text += "\(Quantity.count(manifest.paths)) paths"
    if manifest.contents > 0 { text += ", \(Quantity.count(manifest.contents)) contents trusted anywhere" }
    if summary.distrusted > 0 { text += ", \(Quantity.count(summary.distrusted)) paths never trusted" }
    var table = TextTable([("SOURCE", .left), ("PACKAGES OR FILES", .right), ("PATHS", .right), ("ANYWHERE", .right)])
    for line in summary.lines {
      table.add(
        line.source.name, Quantity.count(line.origins), Quantity.count(line.paths), Quantity.count(line.anywhere))
    }
    Output.write(text + "\n" + (table.isEmpty ? "" : "\n" + table.rendered))
  }

  private func summary() throws -> StoreSummary {
    do { return try StoreSummary(options.store.snapshot()) } catch let error as TrustStoreError {
      if options.json {
        Output.writeJSON(TrustJSON.object(["schema": .integer(1), "problem": .string(error.description)]))
      }
      Output.complain(Printable.text(error.sentence), remedy: error.remedy)
      if case .missing = error { throw ExitCode.finding }
      throw ExitCode.unusable
    }
  }
}
