// Owns `liliumctl simulate`: the command line of a decision that is only thought through.
// It must not decide: the policy does.

internal import AccessModel
internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import PolicyDecision

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Decide with the real rules and the real files what would come of an access.",
    discussion: """
      What the file contains is read from it, and held against the trust database: as root, since others cannot tell \
      who holds a file open for writing.

      Exit codes: 0 allow, 1 deny, 2 configuration, rules or files that cannot be used.
      """)

  @Option(help: ArgumentHelp("The program that acts.", valueName: "path")) var exe: String
  @Option(help: ArgumentHelp("The file that is executed or opened.", valueName: "path")) var path: String
  @Option(help: "The user that it runs as.") var uid: UInt32
  @Option(help: "The group that it runs as. (default: the uid)") var gid: UInt32?
  @Option(help: "exec or open.") var mechanism = Mechanism.exec
  @Flag(help: "With exec: the file is opened, as a library or a script, rather than executed.") var open = false
  @Option(help: "The systemd unit that it runs in.") var unit = ""
  @Flag(
    inversion: .prefixedNo, help: "Take its content for trusted, or not. (default: as the trust database says)")
  var trusted: Bool?
  @Option(help: ArgumentHelp("Take its content for the one with this SHA-256.", valueName: "digits"))
  var sha256: ContentHash?
  @Option(
    help: ArgumentHelp("The daemon's state folder; the trust database is its folder trust.", valueName: "directory"))
  var state = TrustOptions.defaultState
  @OptionGroup var policy: PolicyOptions
  @Flag(help: "Write JSON for programs.") var json = false

  func validate() throws {
    guard !mechanism.isCall else {
      throw ValidationError("\(mechanism.name) is a system call; only exec and open can be simulated")
    }
  }

  func run() throws {
    let loaded = policy.load()
    guard let configuration = loaded.configuration, !loaded.findings.hasErrors else {
      for finding in loaded.findings { Output.complain(String(finding.rendered.dropLast())) }
      throw ExitCode.unusable
    }
    let subject = SimulatedSubject(executable: exe, uid: uid, gid: gid ?? uid, unit: unit)
    let operation: Operation = mechanism == .open || open ? .open : .execute
    let outcome: SimulationReport
    do throws(SimulationFailure) {
      let content = try SimulatedContent(
        state: state, configuration.integrity, trusted: trusted, digest: sha256)
      let simulation = try Simulation(
        subject, object: path, operation, interpreters: configuration.interpreters, content: content)
      outcome = simulation.decide(mechanism, loaded.rules, configuration.policy)
    } catch {
      Output.complain(
        "\(Printable.text(error.path)): \(error.reason)", remedy: "name an existing file that you may read")
      throw ExitCode.unusable
    }
    if json { Output.writeJSON(outcome) } else { Output.write(outcome.rendered(Paint(isOn: Output.usesColor))) }
    if outcome.verdict == .deny { throw ExitCode.finding }
  }
}
