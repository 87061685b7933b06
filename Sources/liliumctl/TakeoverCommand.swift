// Owns `liliumctl takeover`: an upgrade that leaves no moment unguarded.
// It must not restart the service where that fails: what runs goes on.

internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import ControlSocket

struct TakeoverCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "takeover", abstract: "Let the liliumd that is on disk now take over from the one that runs.",
    discussion: """
      For an upgrade. The new process opens its doors before the old one closes its own, so that everything is asked \
      about throughout. Where it does not start, the old one goes on as before. Modes that were set at run time stay; \
      counters begin anew.
      """)

  @OptionGroup var connection: Connection

  func run() throws {
    let reply: ControlReply
    let client = try connection.connect()
    do throws(ControlFailure) { reply = try client.ask(.takeover) } catch { throw Connection.complain(error) }
    switch reply {
    case .takenOver(let report):
      if connection.json { return Output.writeJSON(report) }
      Output.write("liliumd \(Printable.text(report.version)) took over as process \(report.pid)\n")
    case .error(let error) where error.code == .failed:
      Output.complain("no takeover, the running liliumd goes on: \(Printable.text(error.message))")
      for line in error.details ?? [] { Output.complain(Printable.lines(line)) }
      Output.complain("mend that and try again, or give up the gapless way with \"systemctl restart liliumd\"")
      throw ExitCode.finding
    case .error(let error):
      Output.complain(Printable.text(error.message))
      throw ExitCode.unusable
    default: throw Connection.complainOfReply()
    }
  }
}
