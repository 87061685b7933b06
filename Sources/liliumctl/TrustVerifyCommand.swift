// Owns `liliumctl trust verify` and `liliumctl trust explain`: what the files are now, held against the database.
// It must not change either.

internal import AccessModel
internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import SystemCalls
internal import TrustDatabase
internal import TrustUpkeep

struct TrustVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Read again what the trust database knows, and list what has drifted.",
    discussion: "Exit codes: 0 all is as it should be, 1 something has drifted, 2 no usable database, 130 interrupted.")

  @Argument(help: "Only what lies at or below these paths.") var paths: [String] = []
  @Flag(help: "No progress and no table.") var quiet = false
  @OptionGroup var options: TrustOptions

  func run() throws {
    let line = ProgressLine(isQuiet: quiet)
    defer { line.clear() }
    let places = TrustPaths.absolute(paths).map { RealPath.ofAny($0) }
    let report = try options.run { try Verifier(snapshot: options.store.snapshot()).run(places, progress: line.show) }
    line.clear()
    if options.json { Output.writeJSON(TrustJSON.value(of: report)) } else if !quiet { show(report) }
    guard report.isComplete else { throw ExitCode.interrupted }
    if !report.drifted.isEmpty || !report.unknown.isEmpty { throw ExitCode.finding }
  }

  private func show(_ report: VerifyReport) {
    var table = TextTable([("PATH", .left), ("STATE", .left), ("EXPECTED BY", .left)])
    for file in report.drifted {
      var state = file.outcome.rawValue
      if case .unreadable(let errno) = file.found { state += ": \(errno)" }
      table.add(Printable.path(file.path), state, file.expected.voucher)
    }
    for path in report.unknown { table.add(Printable.path(path), "not in the database", "") }
    let drift = report.drifted.isEmpty ? "none has drifted" : "\(Quantity.count(report.drifted.count)) have drifted"
    let count = "\(Quantity.count(report.checked)) files (\(Quantity.bytes(report.bytesRead))) read, \(drift)\n"
    Output.write((table.isEmpty ? "" : table.rendered + "\n") + count)
  }
}

struct TrustExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say whether a file is trusted, why or why not, and what to do.",
    discussion: "Exit codes: 0 trusted, 1 not trusted, 2 no usable database.")

  @Argument(help: "The file.") var path: String
  @OptionGroup var options: TrustOptions

  func run() throws {
    let explanation = try options.run {
      try TrustExplanation.of(TrustPaths.absolute(path), in: options.store)
    }
    let text = ExplanationText(explanation, asked: path)
    if options.json { Output.writeJSON(text.json) } else { Output.write(text.rendered) }
    switch explanation.ruling {
    case .trusted: return
    case .unavailable:
      if let problem = explanation.problem { Output.complain(Printable.text(problem.sentence), remedy: problem.remedy) }
      throw ExitCode.unusable
    default: throw ExitCode.finding
    }
  }
}

/// An explanation for people and for programs.
struct ExplanationText {
  private let explanation: TrustExplanation
  private let asked: String

  init(_ explanation: TrustExplanation, asked: String) {
    self.explanation = explanation
    self.asked = asked
  }

  var rendered: String {
    var lines = [("path", Printable.path(explanation.path))]
    if asked != String(decoding: explanation.path, as: UTF8.self) { lines.append(("asked", Printable.text(asked))) }
    if case .measured(let file) = explanation.file {
      lines.append(("size", "\(file.size)"))
      lines.append(("sha256", String(decoding: file.hash.hexadecimal, as: UTF8.self)))
      if file.verity != nil { lines.append(("fs-verity", "the kernel holds the file to its content")) }
      if file.status.isWritableByOthers { lines.append(("writable", "by \(file.status.whoCanWrite)")) }
    } else {
      lines.append(("file", explanation.file.fault))
    }
    for content in explanation.entry?.contents ?? [] {
      lines.append((content == explanation.match ? "trusted" : "expected", TrustListCommand.line(content)))
    }
    if let content = explanation.anywhere { lines.append(("anywhere", TrustListCommand.line(content))) }
    for writer in explanation.writers {
      lines.append(("written by", "\(Printable.path(writer.name))[\(writer.pid)]"))
    }
    lines.append(("verdict", verdict))
    let width = lines.map(\.0.count).max() ?? 0
    let text = lines.map { $0.0 + String(repeating: " ", count: width - $0.0.count) + "  " + $0.1 + "\n" }.joined()
    return text + (remedy.map { "\n  \($0)\n" } ?? "")
  }

  var json: JSONValue {
    TrustJSON.object(
      TrustJSON.bytes(explanation.path, "path"),
      and: [
        "schema": .integer(1), "asked": .string(asked), "trusted": .bool(explanation.ruling == .trusted),
        "verdict": .string(explanation.ruling.rawValue), "reason": .string(verdict),
        "distrusted": .bool(explanation.entry?.isDistrusted ?? false), "file": TrustJSON.reading(explanation.file),
        "contents": .array((explanation.entry?.contents ?? []).map { TrustJSON.content($0) }),
        "anywhere": explanation.anywhere.map { TrustJSON.content($0) },
        "writers": .array(
          explanation.writers.map {
            TrustJSON.object(TrustJSON.bytes($0.name, "name"), and: ["pid": TrustJSON.count($0.pid)])
          }), "remedy": remedy.map { .string($0) }, "problem": explanation.problem.map { .string($0.description) },
      ])
  }

  private var verdict: String {
    switch explanation.ruling {
    case .trusted:
      explanation.match.map { "trusted: \($0.voucher) vouches for this content" } ?? "trusted"
    case .changed: "not trusted: another content is expected here"
    case .unknown: "not trusted: nobody vouches for this path or this content"
    case .distrusted: "not trusted: a trust file says that nothing is trusted here"
    case .openForWriting: "not trusted while somebody can write it"
    case .missing: "not trusted: there is no such file"
    case .notRegular: "not trusted: only regular files are"
    case .unreadable: "not trusted: it cannot be read"
    case .changing: "not trusted: it is being written to"
    case .unavailable: "not trusted: there is no usable trust database"
    }
  }

  /// What to run.
  private var remedy: String? {
    let path = ShellWord.quoted(explanation.path)
    switch explanation.ruling {
    case .trusted, .missing, .notRegular: return nil
    case .changed:
      guard let package = explanation.entry?.contents.first(where: { $0.source == .dpkg })?.from.name else {
        return "after a look at it: liliumctl trust add \(path)"
      }
      let name = Printable.path(package)
      return "put it back: apt-get install --reinstall \(name); or, after a look at it: liliumctl trust add \(path)"
    case .unknown: return "after a look at it: liliumctl trust add \(path)"
    case .distrusted: return "if that is no longer meant: liliumctl trust add \(path)"
    case .openForWriting: return "end the writer, or wait for it"
    case .unreadable: return "run it as root"
    case .changing: return "find the writer: fuser -v \(path)"
    case .unavailable: return "liliumctl trust sync"
    }
  }
}

/// A path as a shell takes it.
enum ShellWord {
  static func quoted(_ bytes: [UInt8]) -> String {
    let text = Printable.path(bytes)
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "/._-+:@%,=".utf8.contains(byte)
      }
    }
    return isPlain && !text.isEmpty
      ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
