// Owns `liliumctl trust sync`: its options, progress and exit codes.
// It must not decide what is trusted, nor lay out the report.

internal import ArgumentParser
internal import SystemCalls
internal import TrustDatabase
internal import TrustSources
internal import TrustUpkeep

struct TrustSyncCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Bring the trust database up to what packages and trust files say.",
    discussion: """
      Reads every file that has changed since it was read, on all cores; what differs from its package is shown and not \
      trusted. A source that no longer vouches for most of its files is not believed. An interrupted sync keeps what it has done. Exit codes: 0 done, 2 refused, 130 interrupted.
      """)

  @Option(help: ArgumentHelp("Only this source: dpkg, rpm or file. May be given several times.", valueName: "source"))
  var source: [TrustSource] = []
  @Option(
    help: ArgumentHelp("The files of another root, such as a container's, below this path.", valueName: "directory"))
  var root = "/"
  @Option(help: ArgumentHelp("The folder of trust files.", valueName: "directory"))
  var trustFolder = TrustFolder.defaultPath
  @Flag(help: "Also where a source no longer vouches for most of its files.") var force = false
  @Flag(help: "No progress and no table.") var quiet = false
  @OptionGroup var options: TrustOptions

  func validate() throws {
    if source.contains(.transaction) { throw ValidationError("a transaction is no source that can be asked") }
    if !root.hasPrefix("/") { throw ValidationError("--root: write an absolute path") }
  }

  func run() throws {
    guard ProcessSetup.effectiveUserID == 0 || options.state != TrustOptions.defaultState else {
      Output.complain("only root may write the trust database", remedy: "run liliumctl trust sync as root")
      throw ExitCode.unusable
    }
    var settings = SyncSettings()
    settings.sources = source.isEmpty ? nil : source
    settings.root = root
    settings.trustFolder = trustFolder
    settings.allowsLoss = force
    let line = ProgressLine(isQuiet: quiet)
    defer { line.clear() }
    let report = try options.run {
      try Synchronizer(store: options.store, settings: settings, progress: line.show).run()
    }
    line.clear()
    try finish(report)
  }

  private func finish(_ report: SyncReport) throws {
    if let damage = report.damage {
      Output.complain(
        "\(damage); it was built anew from the sources, and what was left of it stays beside it as generation-N.damaged"
      )
    }
    TrustOptions.complain(report.errors)
    if !report.errors.isEmpty { Output.complain("the trust files were left out: what they said before stays in force") }
    if options.json {
      Output.writeJSON(TrustJSON.value(of: report))
    } else if !quiet {
      Output.write(SyncText(report).rendered)
    }
    if report.manifest != nil { options.tellDaemon() }
    guard report.isComplete else {
      let (done, all) = (Quantity.count(report.progress.files), Quantity.count(report.progress.totalFiles))
      Output.complain("interrupted: \(done) of \(all) files done; run it again to go on")
      throw ExitCode.interrupted
    }
    if !report.errors.isEmpty { throw ExitCode.unusable }
  }
}
