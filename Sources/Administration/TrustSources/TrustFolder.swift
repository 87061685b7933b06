// Owns the folder of trust files: which files count, and what they say together.
// It must not compare anything with the files that they name.

/// What all trust files of a folder say.
public struct TrustFolderReport: Sendable, Hashable {
  /// A content that is trusted wherever it lies.
  public struct Anywhere: Sendable, Hashable {
    public let size: UInt64
    public let sha256: [UInt8]
    /// The trust file's name.
    public let origin: [UInt8]
  }

  /// A path where nothing is ever trusted.
  public struct Distrusted: Sendable, Hashable {
    public let path: [UInt8]
    public let listedPath: [UInt8]
    public let origin: [UInt8]
  }

  /// Contents at paths; their proofs are SHA-256.
  public var items: [TrustItem] = []
  public var anywhere: [Anywhere] = []
  public var distrusted: [Distrusted] = []
  /// The names of the files that were read, in their order.
  public var files: [[UInt8]] = []
  /// Where there is one, the report is not whole, and may lack a path that must not be trusted: keep what was read
  /// before.
  public var errors: [TrustSourceError] = []

  public init() {}
}

/// The administrator's trust files: `*.trust` in one folder, in the order of their names.
public struct TrustFolder: Sendable {
  public static let defaultPath = "/etc/lilium/trust.d"
  public let path: String
  public let root: String
  public let protection: SourceProtection

  /// `root` is where the paths in the files begin.
  public init(_ path: String = defaultPath, root: String = "/", protection: SourceProtection = .ofThisProcess) {
    self.path = path
    self.root = root
    self.protection = protection
  }

  /// Reads every file; none, or no folder, gives an empty report.
  public func read() throws(TrustSourceError) -> TrustFolderReport {
    var report = TrustFolderReport()
    var names: [[UInt8]] = []
    do { names = try ProtectedFile.names(in: Array(path.utf8), protection) } catch {
      guard error.kind == .missing else { throw error }
    }
    let resolver = try FolderResolver(root: root)
    for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) where Self.counts(name) {
      let place = Array("\(path)/".utf8) + name
      do throws(TrustSourceError) {
        let text = try ProtectedFile.read(place, limit: TrustFile.largestFile, protection)
        let (file, errors) = TrustFile.parse(text, name: PathText.shown(place))
        report.errors += errors
        report.files.append(name)
        for line in file?.lines ?? [] {
          Self.add(line, at: "\(PathText.shown(place)):\(line.number)", name, resolver, &report)
        }
      } catch { report.errors.append(error) }
    }
    return report
  }

  private static let suffix = Array(".trust".utf8)

  /// Hidden files are an editor's.
  private static func counts(_ name: [UInt8]) -> Bool {
    name.first != 0x2e && name.count > suffix.count && name.suffix(suffix.count).elementsEqual(suffix)
  }

  private static func add(
    _ line: TrustFile.Line, at place: String, _ origin: [UInt8], _ resolver: FolderResolver,
    _ report: inout TrustFolderReport
  ) {
    if case .anywhere(let size, let sha256) = line.entry {
      report.anywhere.append(TrustFolderReport.Anywhere(size: size, sha256: sha256, origin: origin))
      return
    }
    guard let listed = line.entry.path, let path = resolver.place(of: listed) else {
      report.errors.append(
        TrustSourceError(
          .damaged, place, "the links among the path's folders have no end", remedy: "look at them with namei -l"))
      return
    }
    if case .content(_, let size, let sha256) = line.entry {
      report.items.append(
        TrustItem(path: path, listedPath: listed, size: size, proof: .sha256(sha256), origin: origin))
    } else {
      report.distrusted.append(TrustFolderReport.Distrusted(path: path, listedPath: listed, origin: origin))
    }
  }
}
