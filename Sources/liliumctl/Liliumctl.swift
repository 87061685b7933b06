// Owns the command line as a whole: the list of commands and the exit codes.
// It must not do what a command does.

internal import ArgumentParser
internal import ControlProtocol

@main
struct Liliumctl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "liliumctl",
    abstract: "Ask and steer liliumd, the host hardening daemon.",
    discussion: """
      Exit codes: 0 done or good; 1 a finding or a negative answer; 2 unusable input or refused; 3 the daemon cannot \
      be reached; 64 wrong usage.
      """,
    version: Version.lilium,
    subcommands: [
      StatusCommand.self, WatchCommand.self, ExplainCommand.self, ModeCommand.self, ReloadCommand.self,
      TakeoverCommand.self,
      CheckCommand.self, RulesCommand.self, SimulateCommand.self, DoctorCommand.self, TripwireCallCommand.self,
      TrustCommand.self,
    ])
}

extension ExitCode {
  /// A finding, or a negative answer.
  static let finding = ExitCode(1)
  /// Input that cannot be used, or a request that was refused.
  static let unusable = ExitCode(2)
  static let unreachable = ExitCode(3)
}
