// Owns `liliumctl status`.
// It must not judge the daemon's state.

internal import ArgumentParser
internal import ControlProtocol

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show modes, effects, policy, marks, losses, decisions and answer times.")

  @OptionGroup var connection: Connection

  func run() throws {
    guard case .status(let report) = try connection.ask(.status) else { throw Connection.complainOfReply() }
    if connection.json {
      Output.writeJSON(report)
    } else {
      Output.write(StatusText(report, Paint(isOn: Output.usesColor)).rendered)
    }
  }
}
