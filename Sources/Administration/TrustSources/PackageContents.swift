// Owns the words for what a package archive brings.
// It must not open one: PackageArchive does.

/// What a .deb lays on the host, and what it runs while it does.
public struct PackageContents: Sendable, Hashable {
  /// A regular file, or another name of one (a hard link).
  public struct File: Sendable, Hashable {
    /// As the package lists it, made absolute; neither links nor diversions are followed.
    public var path: [UInt8]
    /// In bytes.
    public var size: UInt64
    /// The 32 bytes of its SHA-256.
    public var sha256: [UInt8]

    public init(path: [UInt8], size: UInt64, sha256: [UInt8]) {
      self.path = path
      self.size = size
      self.sha256 = sha256
    }
  }

  /// A maintainer script (deb-preinst(5) and its like).
  public struct Script: Sendable, Hashable {
    /// `preinst`, `postinst`, `prerm`, `postrm` or `config`.
    public var name: String
    public var size: UInt64
    public var sha256: [UInt8]

    public init(name: String, size: UInt64, sha256: [UInt8]) {
      self.name = name
      self.size = size
      self.sha256 = sha256
    }
  }

  /// The bare name.
  public var package: [UInt8]
  public var version: [UInt8]
  public var architecture: [UInt8]
  /// Several architectures may be installed side by side.
  public var isMultiArchSame: Bool
  /// In the archive's order; a path that comes twice is here twice, and the last one stays on the host.
  public var files: [File]
  public var scripts: [Script]

  public init(
    package: [UInt8], version: [UInt8], architecture: [UInt8], isMultiArchSame: Bool, files: [File], scripts: [Script]
  ) {
    self.package = package
    self.version = version
    self.architecture = architecture
    self.isMultiArchSame = isMultiArchSame
    self.files = files
    self.scripts = scripts
  }

  /// How the names of its files in dpkg's info folder begin: `NAME`, or `NAME:ARCHITECTURE`.
  public var infoName: [UInt8] { isMultiArchSame ? package + [0x3a] + architecture : package }
}
