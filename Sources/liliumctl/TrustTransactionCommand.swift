// Owns `liliumctl trust transaction`: what dpkg and apt call around a package transaction.
// It must not fail their work: what goes wrong is said, and they go on.

internal import ArgumentParser
internal import Configuration
internal import ControlProtocol
internal import SystemCalls
internal import TrustDatabase
internal import TrustUpkeep

/// Not for people: hooks call it.
struct TrustTransactionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transaction", abstract: "Follow a package transaction; for the hooks of dpkg and apt.",
    subcommands: [Begin.self, End.self, Prepare.self, Prune.self])

  struct Begin: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "begin", abstract: "Accept what the running dpkg is about to unpack.")
    @OptionGroup var options: TrustOptions

    func run() throws {
      guard let dpkg = TrustTransactionCommand.dpkg, !dpkg.archives.isEmpty else { return }
      try TrustTransactionCommand.follow(options) {
        let begun = try PackageTransaction(store: options.store, invocation: dpkg).begin()
        for problem in begun?.problems ?? [] { TrustTransactionCommand.warn(problem) }
        return begun?.manifest
      }
    }
  }

  struct End: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "end", abstract: "Bring the database up to what the running dpkg has installed.")
    @OptionGroup var options: TrustOptions

    func run() throws {
      guard let dpkg = TrustTransactionCommand.dpkg else { return }
      // Where there were archives, the beginning has said so.
      guard dpkg.archives.isEmpty || dpkg.speaksForItsRoot else { return }
      try TrustTransactionCommand.follow(options) {
        try PackageTransaction(store: options.store, invocation: dpkg).end()?.manifest
      }
    }
  }

  struct Prepare: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prepare", abstract: "Accept the configuration scripts of the archives that apt names on its input.")
    @OptionGroup var options: TrustOptions

    func run() throws {
      guard ProcessSetup.effectiveUserID == 0, let owner = Preconfiguration.caller() else { return }
      try TrustTransactionCommand.follow(options) {
        let archives = Preconfiguration.archives(from: 0)
        let begun = try Preconfiguration(store: options.store, owner: owner).accept(archives)
        for problem in begun?.problems ?? [] { TrustTransactionCommand.warn(problem) }
        return begun?.manifest
      }
    }
  }

  struct Prune: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "prune",
      abstract: "Forget what transactions left that ended without saying so, and what apt prepared.")
    @OptionGroup var options: TrustOptions

    func run() throws {
      guard ProcessSetup.effectiveUserID == 0 else { return }
      try TrustTransactionCommand.follow(options) {
        try TransactionRemains(store: options.store, ended: TransactionRemains.endedByHook()).prune()
      }
    }
  }

  /// The dpkg that called, where this is root's: only root keeps a database.
  fileprivate static var dpkg: DpkgInvocation? {
    guard ProcessSetup.effectiveUserID == 0 else { return nil }
    return DpkgInvocation.above()
  }

  fileprivate static func warn(_ problem: String) {
    Output.complain("\(Printable.text(problem)); what it brings is denied until the next liliumctl trust sync")
  }

  /// What went wrong is said in a way that suits the middle of a package transaction.
  fileprivate static func follow(_ options: TrustOptions, _ body: () throws -> TrustManifest?) throws {
    options.askToRead()
    do {
      if try body() != nil { options.tellDaemon() }
    } catch let error as TransactionError {
      Output.complain(
        "the trust database does not follow this dpkg: \(Printable.text(error.description))",
        remedy: "where exec is enforced, what it brings is denied; liliumctl trust add vouches for it")
    } catch {
      Output.complain(
        "the trust database does not follow this package transaction: \(Printable.text("\(error)"))",
        remedy: "where exec is enforced, new programs are denied; afterwards run liliumctl trust sync")
      throw ExitCode.unusable
    }
  }
}
