// Owns `liliumctl trust add`, `remove` and `import`: what the administrator vouches for by hand.
// It must not decide what may be vouched for.

internal import AccessModel
internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import SystemCalls
internal import TrustSources
internal import TrustUpkeep

/// Where lines are written to.
struct TrustFolderOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder of trust files.", valueName: "directory"))
  var trustFolder = TrustFolder.defaultPath
  @OptionGroup var options: TrustOptions

  var curator: TrustCurator { TrustCurator(store: options.store, folder: trustFolder) }

  /// Shows what was done, tells the daemon, and gives the exit code.
  func finish(_ report: CurationReport) throws {
    if options.json { Output.writeJSON(TrustJSON.value(of: report)) }
    for step in report.steps {
      let path = Printable.path(step.path)
      switch step.deed {
      case .refused: Output.complain("\(path): \(step.why)", remedy: step.remedy)
      case .added: say("\(path): trusted with the content that it has now")
      case .kept: say("\(path): was trusted already")
      case .removed: say("\(path): no longer trusted")
      case .barred: say("\(path): never trusted there from now on, though others vouch for it")
      case .unknown: say("\(path): nothing to remove")
      }
    }
    if report.awaitsSync {
      Output.complain("there is no trust database yet", remedy: "it is written down; run liliumctl trust sync")
    }
    if report.manifest != nil { options.tellDaemon() }
    if report.steps.contains(where: { $0.deed == .refused }) { throw ExitCode.unusable }
    if report.steps.contains(where: { $0.deed == .unknown }) { throw ExitCode.finding }
  }

  private func say(_ sentence: String) {
    if !options.json { Output.write(sentence + "\n") }
  }
}

struct TrustAddCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Vouch for files with the content that they have now.",
    discussion: """
      Writes lines to local.trust and the database; in a folder, for every file below it. Exit codes: 0 done, 2 at least \
      one path was refused.
      """)

  @Argument(help: "Files and folders.") var paths: [String]
  @Flag(help: "Trust the contents wherever they lie.") var anywhere = false
  @Flag(help: "Also files that others than root can write.") var force = false
  @OptionGroup var folder: TrustFolderOptions

  func run() throws {
    let line = ProgressLine(isQuiet: false)
    defer { line.clear() }
    let report = try folder.options.run {
      try folder.curator.add(
        TrustPaths.absolute(paths), anywhere: anywhere, force: force, progress: line.show)
    }
    line.clear()
    try folder.finish(report)
  }
}

struct TrustRemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Trust files no longer, whoever vouches for them.",
    discussion: """
      Takes lines out of local.trust. A file that a package or another trust file vouches for is barred by a line, so \
      that it stays removed. Exit codes: 0 done, 1 nothing to remove, 2 refused.
      """)

  @Argument(help: "Files and folders; with --anywhere files or their SHA-256.") var paths: [String]
  @Flag(help: "Contents that were trusted wherever they lie.") var anywhere = false
  @Flag(help: "Also bar all files of packages below a folder.") var force = false
  @OptionGroup var folder: TrustFolderOptions

  func run() throws {
    let report = try folder.options.run {
      guard anywhere else { return try folder.curator.remove(TrustPaths.absolute(paths), force: force) }
      return try folder.curator.remove(contents: zip(paths, TrustPaths.absolute(paths)).map { try content($0, $1) })
    }
    try folder.finish(report)
  }

  private func content(_ word: String, _ path: [UInt8]) throws -> (path: [UInt8], hash: ContentHash) {
    if let hash = ContentHash(hexadecimal: Array(word.utf8)) { return (Array(word.utf8), hash) }
    let reading = try FileMeter().read(PathBytes(RealPath.ofAny(path)))
    guard case .measured(let file) = reading else {
      Output.complain("\(Printable.path(path)): \(reading.fault)", remedy: "name a file, or the SHA-256 of its content")
      throw ExitCode.unusable
    }
    return (path, file.hash)
  }
}

struct TrustImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Vouch for the files of a list of sha256sum(1) that are as the list says.",
    discussion: "Names that are relative begin here. Exit codes: 0 done, 2 at least one file was refused.")

  @Argument(help: "The list.") var file: String
  @OptionGroup var folder: TrustFolderOptions

  func run() throws {
    let line = ProgressLine(isQuiet: false)
    defer { line.clear() }
    let report = try folder.options.run {
      let (list, errors) = ChecksumList.read(file)
      guard let list else { throw TrustFilesError(errors: errors) }
      return try folder.curator.add(
        list: list, below: Array(ProcessSetup.currentDirectory.utf8), progress: line.show)
    }
    line.clear()
    try folder.finish(report)
  }
}
