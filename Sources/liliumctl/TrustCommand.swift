// Owns `liliumctl trust` as a whole: its commands, and what they share.
// It must not do what a command does.

internal import AccessModel
internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import ControlSocket
internal import SystemCalls
internal import TrustDatabase
internal import TrustSources
internal import TrustUpkeep

struct TrustCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trust", abstract: "Keep the trust database: what every file on the host should contain.",
    subcommands: [
      TrustSyncCommand.self, TrustStatusCommand.self, TrustListCommand.self, TrustVerifyCommand.self,
      TrustExplainCommand.self, TrustAddCommand.self, TrustRemoveCommand.self, TrustImportCommand.self,
      TrustTransactionCommand.self,
    ])
}

/// Where the database lies, and how its commands answer.
struct TrustOptions: ParsableArguments {
  static let defaultState = "/var/lib/lilium"

  @Option(help: ArgumentHelp("The daemon's state folder; the database is its folder trust.", valueName: "directory"))
  var state = defaultState

  @Option(help: ArgumentHelp("The daemon's socket.", valueName: "path"))
  var socket = ControlSettings.defaultSocket

  @Flag(help: "Write JSON for programs.") var json = false

  var store: TrustStore { TrustStore(folder: "\(state)/trust") }

  /// Runs what works on the database; a failure becomes a sentence with its remedy, and exit code 2.
  func run<Value>(_ body: () throws -> Value) throws -> Value {
    askToRead()
    do { return try body() } catch let error as TrustStoreError {
      Output.complain(Printable.text(error.sentence), remedy: error.remedy)
    } catch let error as SyncError {
      Self.complain(error)
    } catch let error as TrustSourceError {
      Output.complain(Printable.text("\(error.place): \(error.message)"), remedy: Printable.text(error.remedy))
    } catch let error as TrustFilesError {
      Self.complain(error.errors)
    } catch is CancellationError {
      Output.complain("interrupted: nothing was changed")
      throw ExitCode.interrupted
    } catch let error as ExitCode {
      throw error
    } catch {
      Output.complain(Printable.text("\(error)"))
    }
    throw ExitCode.unusable
  }

  private static func complain(_ error: SyncError) {
    switch error {
    case .store(let error): Output.complain(Printable.text(error.sentence), remedy: error.remedy)
    case .source(let error): complain([error])
    case .absent, .loss: Output.complain(Printable.text(error.description), remedy: error.remedy)
    }
  }

  static func complain(_ errors: [TrustSourceError]) {
    for error in errors {
      Output.complain(Printable.text("\(error.place): \(error.message)"), remedy: Printable.text(error.remedy))
    }
  }

  /// Under enforcement, code that is not trusted yet can only be read by who vouches for it. Without a daemon, or with
  /// one that does not listen, there is nobody to ask; what cannot be read is then said file by file.
  func askToRead() {
    guard ProcessSetup.effectiveUserID == 0 else { return }
    _ = try? ControlClient(path: socket).ask(.readFiles)
  }

  /// Lets a running daemon answer from the new generation at once. That there is none is as good.
  func tellDaemon() {
    do throws(ControlFailure) {
      switch try ControlClient(path: socket).ask(.trustChanged) {
      case .trust: return
      case .error(let error): Output.complain("liliumd does not take the database: \(Printable.text(error.message))")
      default:
        Output.complain(
          "liliumd does not know the trust database", remedy: "use the liliumd that came with this liliumctl")
      }
    } catch {
      if case .unreachable = error { return }
      Output.complain(
        "liliumd does not answer, and may still use the database of before", remedy: "see \"systemctl status liliumd\"")
    }
  }
}

extension ExitCode {
  /// As a shell has it for SIGINT.
  static let interrupted = ExitCode(130)
}

extension Printable {
  /// A path for people.
  static func path(_ bytes: [UInt8]) -> String { text(bytes: bytes) }
}
