// Owns what the administrator vouches for by hand: lines of local.trust come and go, and the database follows at once.
// It must not touch lines of other trust files, nor speak for packages.

internal import AccessModel
public import SystemCalls
public import TrustDatabase
public import TrustSources

/// What became of one path.
public struct CurationStep: Sendable, Hashable {
  public enum Deed: String, CaseIterable, Sendable, Hashable {
    case added
    /// It was vouched for already.
    case kept
    case removed
    /// Others vouch for it: a line says that it is never trusted there.
    case barred
    /// Nobody vouched for it.
    case unknown
    /// Not done; `why` says why.
    case refused
  }

  public var path: [UInt8]
  public var deed: Deed
  /// For a refusal: a sentence and its remedy.
  public var why = ""
  public var remedy = ""
}

public struct CurationReport: Sendable {
  public var steps: [CurationStep] = []
  /// Nil where there is no database yet, or nothing was to be written.
  public var manifest: TrustManifest?
  /// There is no database yet: the first sync takes the lines.
  public var awaitsSync = false
}

/// What keeps the trust files from being taken.
public struct TrustFilesError: Error, Sendable, CustomStringConvertible {
  public let errors: [TrustSourceError]
  public init(errors: [TrustSourceError]) { self.errors = errors }
  public var description: String { errors.map(\.description).joined(separator: "\n") }
}

public struct TrustCurator {
  public static let localFile = "local.trust"
  let store: TrustStore
  let folder: String
  let protection: SourceProtection
  var file: String { "\(folder)/\(Self.localFile)" }

  public init(
    store: TrustStore, folder: String = TrustFolder.defaultPath, protection: SourceProtection = .ofThisProcess
  ) {
    self.store = store
    self.folder = folder
    self.protection = protection
  }

  /// Vouches for what lies at these paths now, folders with all that is below them. With `anywhere` the contents are
  /// trusted wherever they lie; with `force` files that others can write as well.
  public func add(
    _ paths: [[UInt8]], anywhere: Bool = false, force: Bool = false,
    progress: (UpkeepProgress) -> Bool = { _ in true }
  ) throws -> CurationReport {
    var report = CurationReport()
    var files: [[UInt8]] = []
    for path in paths {
      do throws(Errno) {
        let found = FolderWalk.files(below: try RealPath.of(path))
        if found.isEmpty { report.refuse(path, "is no regular file, and has none below it", "name a file") }
        files += found
      } catch { report.refuse(path, "\(error)", "name a file that is there") }
    }
    var entries: [TrustFile.Entry] = []
    // Of one that is refused nothing is read: others may have made it as large as they like.
    for path in files where !force {
      if let status = try? FileStatus.of(path: PathBytes(path), followingLinks: false) { report.refuse(path, status) }
    }
    let refused = Set(report.steps.map(\.path))
    for (path, reading) in try read(files.filter { !refused.contains($0) }, progress) {
      guard case .measured(let file) = reading else {
        report.refuse(path, reading.fault, "look at the file, and try again")
        continue
      }
      if !force, report.refuse(path, file.status) { continue }
      let sha256 = file.hash.bytes
      entries.append(
        anywhere
          ? .anywhere(size: file.size, sha256: sha256) : .content(path: path, size: file.size, sha256: sha256))
      report.steps.append(CurationStep(path: path, deed: .added))
    }
    try write(entries, &report)
    return report
  }

  /// Vouches for the files of a list of sha256sum(1) that are what the list says; relative names begin in `folder`.
  public func add(
    list: ChecksumList, below folder: [UInt8], progress: (UpkeepProgress) -> Bool = { _ in true }
  ) throws -> CurationReport {
    var report = CurationReport()
    var wanted: [(path: [UInt8], sha256: [UInt8])] = []
    for entry in list.entries {
      guard let path = entry.absolutePath(below: folder) else {
        report.refuse(entry.path, "leads upwards, or is too long", "write the list with absolute paths")
        continue
      }
      wanted.append((RealPath.ofAny(path), entry.sha256))
    }
    var entries: [TrustFile.Entry] = []
    // What was read comes in the order in which it was asked for.
    for ((path, reading), (_, sha256)) in zip(try read(wanted.map(\.path), progress), wanted) {
      guard case .measured(let file) = reading else {
        report.refuse(path, reading.fault, "put it there, and import the list again")
        continue
      }
      guard file.hash.bytes == sha256 else {
        report.refuse(path, "has another content than the list says", "look at it; trust add vouches for what is there")
        continue
      }
      entries.append(.content(path: path, size: file.size, sha256: sha256))
      report.steps.append(CurationStep(path: path, deed: .added))
    }
    try write(entries, &report)
    return report
  }

  /// Adds lines in the place of what local.trust said of the same paths.
  private func write(_ entries: [TrustFile.Entry], _ report: inout CurationReport) throws {
    guard !entries.isEmpty else { return }
    let new = Set(entries)
    let paths = Set(entries.compactMap(\.path))
    try makeFolder()
    let change = try TrustFile.edit(
      file, adding: entries,
      removing: { entry in entry.path.map { paths.contains($0) && !new.contains(entry) } ?? false },
      protection: protection)
    if change.added == 0, change.removed == 0 {
      for index in report.steps.indices where report.steps[index].deed == .added { report.steps[index].deed = .kept }
    }
    try follow(&report)
  }

  func makeFolder() throws {
    let path = PathBytes(folder)
    do throws(Errno) {
      try ProcessSetup.makeDirectory(path.folder.description, mode: 0o755)
      try ProcessSetup.makeDirectory(folder, mode: 0o755)
    } catch { throw SystemCallError("mkdir", folder, error) }
  }

  /// Lets the database say what the trust files say now.
  func follow(_ report: inout CurationReport) throws {
    guard try store.exists() else {
      report.awaitsSync = true
      return
    }
    var settings = SyncSettings()
    settings.sources = [.file]
    settings.trustFolder = folder
    settings.protection = protection
    // Somebody asked for just this.
    settings.allowsLoss = true
    let sync = try Synchronizer(store: store, settings: settings).run()
    guard sync.errors.isEmpty else { throw TrustFilesError(errors: sync.errors) }
    report.manifest = sync.manifest
  }

  /// In the order of the paths; throws `CancellationError` where `progress` ended it.
  private func read(
    _ paths: [[UInt8]], _ progress: (UpkeepProgress) -> Bool
  ) throws -> [(path: [UInt8], reading: FileReading)] {
    _ = try FileMeter()
    var readings = [FileReading](repeating: .cancelled, count: paths.count)
    var told = UpkeepProgress(stage: .reading, totalFiles: paths.count)
    let crew = try Crew<[UInt8], FileReading>(paths, threads: ProcessSetup.processorCount)
    let isWhole = try crew.run {
      let meter = try? FileMeter()
      return { path, told in meter?.read(PathBytes(path), progress: told) ?? .unreadable(.invalid) }
    } deliver: { done in
      for (job, reading) in done { readings[job] = reading }
      told.files += done.count
      told.bytes = crew.byteCount
      return progress(told)
    }
    guard isWhole else { throw CancellationError() }
    return Array(zip(paths, readings))
  }
}

extension CurationReport {
  /// Refuses what others than root can write.
  @discardableResult
  mutating func refuse(_ path: [UInt8], _ status: FileStatus) -> Bool {
    guard status.isWritableByOthers else { return false }
    refuse(
      path, "\(status.whoCanWrite) can write it, and may have done so before you looked at it",
      "give it to root with chown and chmod go-w, or use --force")
    return true
  }

  mutating func refuse(_ path: [UInt8], _ why: String, _ remedy: String) {
    steps.append(CurationStep(path: path, deed: .refused, why: why, remedy: remedy))
  }
}

extension FileReading {
  /// For a sentence after the path; empty where it was read.
  public var fault: String {
    switch self {
    case .measured: ""
    case .missing: "is not there"
    case .notRegular: "is no regular file"
    case .unreadable(let errno): "cannot be read: \(errno)"
    case .changing: "was written to while it was read"
    case .cancelled: "was not read"
    }
  }
}

extension FileStatus {
  /// For a sentence; empty where only root can.
  public var whoCanWrite: String {
    if mode & 0o002 != 0 { return "everybody" }
    if mode & 0o020 != 0, group != 0 { return "group \(group)" }
    return owner != 0 ? "uid \(owner)" : ""
  }
}
