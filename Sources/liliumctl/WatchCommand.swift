// Owns `liliumctl watch` and `liliumctl explain`: records as they come, and one that came.
// It must not interpret a record beyond showing it.

internal import AccessModel
internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import ControlSocket

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Show records as they come, until interrupted; --json gives one object a line.")

  @Option(help: "Only decisions of this mechanism.") var mechanism: Mechanism?
  @Option(help: "Only decisions with this verdict.") var verdict: Verdict?
  @OptionGroup var connection: Connection

  func run() throws {
    let client = try connection.connect()
    let request = ControlRequest.watch(WatchFilter(mechanism: mechanism, verdict: verdict))
    guard case .watching = try connection.ask(request, over: client) else { throw Connection.complainOfReply() }
    let paint = Paint(isOn: Output.usesColor)
    do throws(ControlFailure) {
      while let line = try client.nextLine() { show(line, paint) }
    } catch {
      throw Connection.complain(error)
    }
    throw Connection.complain(.closed)
  }

  private func show(_ line: [UInt8], _ paint: Paint) {
    if case .dropped(let count)? = try? ControlLine.decodeReply(line) {
      Output.complain("\(count) records were left out, because they came faster than they were read")
      return
    }
    guard let record = try? ControlLine.decodeValue(line) else {
      Output.complain("a record that cannot be read was left out")
      return
    }
    if connection.json { Output.writeLine(line) } else { Output.write(RecordText(record, paint).line + "\n") }
  }
}

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Show one of the latest decisions in full, with the rule that spoke.")

  @Argument(help: "The record's id: \"id\" in JSON, LILIUM_ID in the journal.") var id: String
  @OptionGroup var connection: Connection

  func run() throws {
    guard case .explanation(let explanation) = try connection.ask(.explain(id: id)) else {
      throw Connection.complainOfReply()
    }
    if connection.json { return Output.writeJSON(explanation) }
    let text = RecordText(explanation.record, Paint(isOn: Output.usesColor))
    Output.write(text.line + "\n\n" + text.fields)
    guard let rule = explanation.rule else { return }
    Output.write("\n\(Printable.text(rule.path)):\(rule.line)\n  \(Printable.lines(rule.text))\n")
  }
}
