// Owns a package transaction: what a package is about to bring is accepted before it lies there, and what is gone
// afterwards is accepted no longer. It must not trust anything for who wrote it: only contents that were read from an
// archive that root told dpkg to install.
//
// Why dpkg's own hooks: apt's (DPkg::Pre-Invoke) do not run for `dpkg -i`, and dpkg's triggers run when packages are
// unpacked and their scripts have run, which under enforcement is too late. dpkg's pre-invoke runs in dpkg, whoever
// started it, before anything is unpacked.

internal import AccessModel
internal import SystemCalls
public import TrustDatabase
public import TrustSources

/// Why a package transaction is not followed.
public enum TransactionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// dpkg keeps its database in another place than the root's own.
  case foreign(adminFolder: String, root: String)

  public var description: String {
    switch self {
    case .foreign(let folder, let root): "\(folder) is not the package database of \(root)"
    }
  }
}

public struct PackageTransaction {
  private let store: TrustStore
  private let invocation: DpkgInvocation
  private let protection: SourceProtection
  private let patience = 120

  /// What was accepted.
  public struct Begun: Sendable, Hashable {
    public var packages = 0
    public var files = 0
    /// Archives that could not be read: what they bring is not accepted before the end.
    public var problems: [String] = []
    public var manifest: TrustManifest?
  }

  public init(
    store: TrustStore, invocation: DpkgInvocation, protection: SourceProtection = .ofThisProcess
  ) {
    self.store = store
    self.invocation = invocation
    self.protection = protection
  }

  /// Accepts what the archives bring, beside what lies there. Nil where nothing is to be followed. Throws
  /// `TransactionError` where dpkg works on another database than the root's.
  public func begin() throws -> Begun? {
    guard try isFollowed() else { return nil }
    var begun = Begun()
    var contents: [[UInt8]: [TrustedContent]] = [:]
    let places = try TransactionPlaces(invocation)
    for archive in invocation.archives {
      do {
        let package = try PackageArchive.contents(of: archive)
        begun.packages += 1
        begun.files += package.files.count + package.scripts.count
        accept(package, places, &contents)
      } catch { begun.problems.append("\(error)") }
    }
    guard !contents.isEmpty else { return begun }
    let edit = StoreEdit(contents: contents, source: .transaction, root: places.root, transactions: TransactionBook())
    begun.manifest = try store.update(waitingSeconds: patience) { try edit.add(to: $0) }
    return begun
  }

  /// Brings the database up to what is installed now. Nil and errors as for `begin`.
  public func end() throws -> SyncReport? {
    guard try isFollowed() else { return nil }
    var settings = SyncSettings()
    settings.sources = [.dpkg]
    settings.root = invocation.root
    settings.adminFolder = invocation.adminFolder
    settings.protection = protection
    settings.ended = [invocation.owner]
    do { return try Synchronizer(store: store, settings: settings).run() } catch let error as SyncError {
      // What is installed is not believed; what was accepted for a while ends all the same.
      if case .loss = error { _ = try TransactionRemains(store: store, ended: settings.ended).forget() }
      throw error
    }
  }

  /// Not where dpkg changes nothing, and not where no trust database was ever made: a hook must not begin one, for what
  /// it does not name would be denied from then on.
  private func isFollowed() throws -> Bool {
    guard !invocation.isDryRun, try store.exists() else { return false }
    guard invocation.speaksForItsRoot else {
      throw TransactionError.foreign(adminFolder: invocation.adminFolder, root: invocation.root)
    }
    return true
  }

  private func accept(
    _ package: PackageContents, _ places: TransactionPlaces, _ contents: inout [[UInt8]: [TrustedContent]]
  ) {
    let origin = ContentOrigin(name: package.package, root: places.root, mark: invocation.owner.mark).bytes
    let now = Clock.realtime() / 1_000_000_000
    func add(_ paths: [[UInt8]], _ size: UInt64, _ sha256: [UInt8]) {
      guard let hash = ContentHash(sha256) else { return }
      let content = TrustedContent(size: size, hash: hash, source: .transaction, origin: origin, added: now)
      for path in paths where contents[path]?.contains(content) != true { contents[path, default: []].append(content) }
    }
    for file in package.files { add(places.places(of: file.path, package.package), file.size, file.sha256) }
    for script in package.scripts { add(places.places(of: script, package), script.size, script.sha256) }
  }
}

/// Where dpkg lays what a package brings.
struct TransactionPlaces {
  /// Empty for the host's own.
  let root: [UInt8]
  private let resolver: FolderResolver
  private let diversions: DiversionTable
  private let adminFolder: [UInt8]

  init(_ invocation: DpkgInvocation) throws(TrustSourceError) {
    resolver = try FolderResolver(root: invocation.root)
    root = resolver.root
    adminFolder = try FolderResolver(root: invocation.adminFolder).root
    diversions = try DiversionTable(adminFolder: invocation.adminFolder)
  }

  /// Under its own name, and under the one that it has until all files of the package are there. Nothing is run by that
  /// name, but dpkg opens it: to flush every file to the disk, and to compare configuration files.
  func places(of path: [UInt8], _ package: [UInt8]) -> [[UInt8]] {
    guard let place = resolver.place(of: diversions.name(of: path, from: package)) else { return [] }
    return [place, place + Array(".dpkg-new".utf8)]
  }

  /// dpkg runs preinst, and after a failure the others, from tmp.ci, and the rest from its info folder.
  func places(of script: PackageContents.Script, _ package: PackageContents) -> [[UInt8]] {
    let name = Array(script.name.utf8)
    let names = Set([package.infoName, package.package])
    return [adminFolder + Array("/tmp.ci/".utf8) + name]
      + names.map { adminFolder + Array("/info/".utf8) + $0 + [UInt8(ascii: ".")] + name }
  }
}
