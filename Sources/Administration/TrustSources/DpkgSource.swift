// Owns what a dpkg database says of the files of its packages.
// It must not read those files: only whether a file without checksum is there is looked at.

/// The packages that dpkg installed below a root.
public struct DpkgSource: Sendable {
  /// The root's path as it was given.
  public let root: String
  /// dpkg's folder, as the host sees it.
  public let adminFolder: String
  public let protection: SourceProtection

  /// Without an admin folder it is the root's /var/lib/dpkg.
  public init(root: String = "/", adminFolder: String? = nil, protection: SourceProtection = .ofThisProcess) {
    self.root = root
    self.adminFolder = adminFolder ?? (root.hasSuffix("/") ? root + "var/lib/dpkg" : root + "/var/lib/dpkg")
    self.protection = protection
  }

  /// Whether there is a database, and the program that reads it.
  public var isPresent: Bool {
    isFile(Array("\(adminFolder)/status".utf8)) && isFile(Array(DpkgPackages.program.utf8))
  }

  /// Reads the database: of all packages, or of those that are named, with or without their architecture.
  /// Damage within a package is a finding, and what it is about is left out; a database that cannot be read is an
  /// error.
  public func read(packages wanted: Set<String>? = nil) throws(TrustSourceError) -> SourceReport {
    let folder = try canonicalFolder(Array(adminFolder.utf8))
    _ = try ProtectedFile.open(folder + Array("/status".utf8), protection)
    let reading = DpkgReading(
      folder: folder, resolver: try FolderResolver(root: root),
      diversions: try DiversionTable(folder: folder, protection), protection: protection)
    reading.infoFiles = Set(try ProtectedFile.names(in: reading.infoFolder, protection))
    let packages = try DpkgPackages.ask(adminFolder: folder, &reading.report.findings)
    let names = wanted.map { Set($0.map { Array($0.utf8) }) }
    for package in packages {
      if let names, !names.contains(package.name), !names.contains(package.shownName) { continue }
      reading.read(package)
    }
    return reading.report
  }
}
