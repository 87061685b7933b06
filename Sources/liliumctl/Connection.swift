// Owns how commands reach the daemon, and what is said when it does not answer or refuses.
// It must not know what a reply means to a command.

internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import ControlSocket

/// The options of every command that talks to the daemon.
struct Connection: ParsableArguments {
  @Option(help: ArgumentHelp("The daemon's socket.", valueName: "path"))
  var socket = ControlSettings.defaultSocket

  @Flag(help: "Write JSON for programs.")
  var json = false

  func connect() throws -> ControlClient {
    do throws(ControlFailure) { return try ControlClient(path: socket) } catch { throw Self.complain(error) }
  }

  /// Asks, and complains about everything that is not a reply to what was asked.
  func ask(_ request: ControlRequest, over client: ControlClient? = nil) throws -> ControlReply {
    let reply: ControlReply
    do throws(ControlFailure) {
      if let client { reply = try client.ask(request) } else { reply = try askAnew(request) }
    } catch { throw Self.complain(error) }
    guard case .error(let error) = reply else { return reply }
    Output.complain(Printable.text(error.message))
    for line in error.details ?? [] { Output.complain(Printable.lines(line)) }
    throw error.code == .notFound ? ExitCode.finding : ExitCode.unusable
  }

  /// A daemon that hangs up without a word may have given way to another, which answers.
  private func askAnew(_ request: ControlRequest) throws(ControlFailure) -> ControlReply {
    do throws(ControlFailure) { return try ControlClient(path: socket).ask(request) } catch .closed {
      return try ControlClient(path: socket).ask(request)
    }
  }

  /// The daemon answered something else than was asked.
  static func complainOfReply() -> ExitCode {
    Output.complain(
      "the daemon gave another reply than was asked for", remedy: "use the liliumctl that came with the daemon")
    return .unusable
  }

  static func complain(_ failure: ControlFailure) -> ExitCode {
    switch failure {
    case .unreachable(let path, let reason):
      Output.complain(
        "cannot reach liliumd at \(Printable.text(path)): \(reason)",
        remedy: "liliumd is not running? start it with \"systemctl start liliumd\", or name its socket with --socket")
    case .closed:
      Output.complain("the daemon ended the connection", remedy: "see \"systemctl status liliumd\"")
    case .silent:
      Output.complain("the daemon does not answer", remedy: "see \"systemctl status liliumd\"")
    case .malformed(let error):
      Output.complain(
        "the daemon's reply cannot be read: \(Printable.text(error.message))",
        remedy: "use the liliumctl that came with the daemon")
      return .unusable
    }
    return .unreachable
  }
}

extension Printable {
  /// Text of several lines: each fit to print.
  static func lines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { Printable.text($0) }.joined(separator: "\n")
  }
}
