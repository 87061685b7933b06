// Owns `liliumctl mode` and `liliumctl reload`: what changes the daemon's state.
// It must not change a file: a mode set here ends with the daemon.

internal import AccessModel
internal import ArgumentParser
internal import Configuration
internal import ControlProtocol

struct ModeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mode", abstract: "Set a mechanism's mode until the daemon stops or reloads.",
    discussion: "To keep a mode, set it in \(Configuration.defaultPath) and run liliumctl reload.")

  @Argument(help: "The mechanism, such as exec.") var mechanism: Mechanism
  @Argument(help: "Its mode.") var mode: Mode
  @Option(name: .customLong("for"), help: ArgumentHelp("For so long, as in 10s, 5m, 2h or 1d.", valueName: "duration"))
  var limit: TimeLimit?
  @OptionGroup var connection: Connection

  func run() throws {
    let change = ModeChange(mechanism: mechanism, mode: mode, seconds: limit?.seconds)
    guard case .mode(let report) = try connection.ask(.mode(change)) else { throw Connection.complainOfReply() }
    if connection.json { return Output.writeJSON(report) }
    let until = report.until.map { " until \(TimeText.date($0))" } ?? ""
    Output.write("\(report.mechanism.name) is now \(report.mode.name)\(until)\n")
  }
}

struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Load configuration and rules anew; the old ones stay if the new are refused.")

  @OptionGroup var connection: Connection

  func run() throws {
    guard case .reloaded(let report) = try connection.ask(.reload) else { throw Connection.complainOfReply() }
    if connection.json { return Output.writeJSON(report) }
    for warning in report.warnings { Output.write(Printable.lines(warning) + "\n") }
    Output.write("\(report.rules) rules are in force, identity \(Printable.text(report.identity))\n")
  }
}
