// Owns bringing the trust database up to what the sources say: which source is asked, what is read, when it is written.
// It must not talk to a terminal or to the daemon.

internal import AccessModel
internal import SystemCalls
public import TrustDatabase
public import TrustSources

/// What a sync is told.
public struct SyncSettings: Sendable {
  /// Nil: those that this root has.
  public var sources: [TrustSource]?
  /// Another root's files are recorded as the host sees them, below this path.
  public var root = "/"
  /// Nil: the root's /var/lib/dpkg.
  public var adminFolder: String?
  public var rpmFolder: String?
  public var trustFolder = TrustFolder.defaultPath
  public var protection = SourceProtection.ofThisProcess
  public var threads = ProcessSetup.processorCount
  /// A generation is written after so long or so many files, so that an interrupted sync need not begin anew.
  public var commitSeconds: UInt64 = 15
  public var commitFiles = 20_000
  /// Also where a source no longer speaks for most of what it vouched for.
  public var allowsLoss = false
  /// The package transactions that this sync ends.
  var ended: Set<TransactionOwner> = []
  /// How the kernel is asked for a file's digest.
  var verity: Verity.Measure = Verity.measure

  public init() {}
}

/// Why a sync has not been done.
public enum SyncError: Error, Sendable, CustomStringConvertible {
  case source(TrustSourceError)
  case store(TrustStoreError)
  /// A source that was asked for and that this root does not have.
  case absent(TrustSource, root: String)
  /// The source would take away most of what it vouched for: what it said before stays in force.
  case loss(TrustSource, lost: Int, of: Int)

  public var description: String {
    switch self {
    case .source(let error): error.description
    case .store(let error): error.description
    case .absent(let source, let root):
      "\(root): there is no database of \(source.name) packages; leave that source out"
    case .loss(let source, let lost, let all):
      "the source \(source.name) vouches no longer for \(lost) of \(all) files; what it said before stays in force"
    }
  }

  /// What to do, where the sentence does not say it.
  public var remedy: String? {
    switch self {
    case .source(let error): error.remedy
    case .store(let error): error.remedy
    case .absent: nil
    case .loss: "see whether its database is whole; if it is, run liliumctl trust sync --force"
    }
  }
}

/// One sync.
public final class Synchronizer {
  /// Told a few times a second; false ends the sync.
  public typealias Progress = (UpkeepProgress) -> Bool

  let store: TrustStore
  let settings: SyncSettings
  private let goesOn: Progress
  private var report = SyncReport()
  private let begun = Clock.monotonic()
  private var lastCommit = Clock.monotonic()
  /// The root as the store has it: empty for the host's own.
  private var root: [UInt8] = []
  private let patience = 120

  public init(
    store: TrustStore, settings: SyncSettings = SyncSettings(), progress: @escaping Progress = { _ in true }
  ) {
    self.store = store
    self.settings = settings
    goesOn = progress
  }

  public func run() throws -> SyncReport {
    do {
      root = try FolderResolver(root: settings.root).root
      try begin()
      for source in try wantedSources() where report.isComplete { try sync(source) }
    } catch let error as TrustSourceError { throw SyncError.source(error) } catch let error as TrustStoreError {
      throw SyncError.store(error)
    }
    report.untrusted.sort { $0.path.lexicographicallyPrecedes($1.path) }
    report.nanoseconds = Clock.monotonic() - begun
    return report
  }

  /// A store that is damaged is built anew from the sources, one that is not there is begun.
  private func begin() throws {
    do throws(TrustStoreError) { report.manifest = try store.snapshot().manifest } catch {
      switch error {
      case .missing: break
      case .damaged: report.damage = error.sentence
      default: throw error
      }
    }
  }

  private func wantedSources() throws -> [TrustSource] {
    let present: [TrustSource] = [.file, .dpkg, .rpm].filter { source in
      switch source {
      case .file: root.isEmpty
      case .dpkg: DpkgSource(root: settings.root, adminFolder: settings.adminFolder).isPresent
      case .rpm: RPMSource(root: settings.root, databaseFolder: settings.rpmFolder).isPresent
      case .transaction: false
      }
    }
    guard let asked = settings.sources else { return present }
    for source in asked where !present.contains(source) { throw SyncError.absent(source, root: settings.root) }
    return present.filter { asked.contains($0) }
  }

  private func sync(_ source: TrustSource) throws {
    report.progress = UpkeepProgress(stage: .listing)
    guard tell(.listing) else { return }
    switch source {
    case .file: try syncTrustFolder()
    case .dpkg:
      let dpkg = DpkgSource(
        root: settings.root, adminFolder: settings.adminFolder, protection: settings.protection)
      try sync(source, try dpkg.read())
    case .rpm:
      try sync(source, try RPMSource(root: settings.root, databaseFolder: settings.rpmFolder).read())
    case .transaction: break
    }
  }

  // MARK: Packages

  private func sync(_ source: TrustSource, _ list: SourceReport) throws {
    var outcome = SourceOutcome(source: source)
    outcome.packages = list.packageCount
    outcome.files = list.items.count
    outcome.diverted = list.diverted
    report.findings += list.findings
    var judges = try judges(source, list.items)
    var rulings = [ItemJudge.Ruling?](repeating: nil, count: judges.count)
    guard let reads = try compare(judges, &rulings), try read(judges, reads, source, &rulings) else {
      report.isComplete = false
      return
    }
    var contents: [[UInt8]: [TrustedContent]] = [:]
    for index in judges.indices {
      let (item, ruling) = (judges[index].item, rulings[index])
      count(ruling, of: item, source, &outcome)
      guard let content = ruling?.content, contents[item.path]?.contains(where: { $0.hash == content.hash }) != true
      else { continue }
      contents[item.path, default: []].append(content)
    }
    judges = []
    report.sources.append(outcome)
    guard tell(.writing) else { return }
    try write(contents, source)
  }

  private func count(
    _ ruling: ItemJudge.Ruling?, of item: TrustItem, _ source: TrustSource, _ outcome: inout SourceOutcome
  ) {
    let what = ruling?.outcome ?? .unreadable
    outcome.counts[what, default: 0] += 1
    guard what != .trusted else { return }
    report.untrusted.append(
      UntrustedFile(path: item.path, source: source, origin: item.origin, outcome: what, errno: ruling?.errno))
  }

  /// Pairs what the source says with what the store knows.
  private func judges(_ source: TrustSource, _ items: [TrustItem]) throws -> [ItemJudge] {
    let snapshot = report.manifest == nil ? nil : try store.snapshot()
    return try items.map { item in
      ItemJudge(item, source, root: root, known: try snapshot?.entry(at: item.path)?.contents ?? [])
    }
  }

  /// Settles what need not be read, and gives what must be; nil where it was cancelled.
  private func compare(
    _ judges: [ItemJudge], _ rulings: inout [ItemJudge.Ruling?]
  ) throws -> [(job: Int, size: UInt64)]? {
    let now = Clock.realtime() / 1_000_000_000
    let crew = try Crew<ItemJudge, ItemJudge.Comparison>(judges, threads: settings.threads)
    var reads: [(job: Int, size: UInt64)] = []
    report.progress.totalFiles = judges.count
    let isWhole = try crew.run {
      { judge, _ in
        do throws(Errno) {
          let status = try FileStatus.of(path: PathBytes(judge.item.path), followingLinks: false)
          return judge.compare(.success(status), now: now)
        } catch { return judge.compare(.failure(error), now: now) }
      }
    } deliver: { done in
      for (job, comparison) in done {
        switch comparison {
        case .settled(let ruling): rulings[job] = ruling
        case .mustRead(let size): reads.append((job, size))
        }
      }
      report.progress.files += done.count
      return tell(.comparing)
    }
    return isWhole ? reads.sorted { $0.job < $1.job } : nil
  }

  /// Reads files and writes a generation now and then; false where it was cancelled.
  private func read(
    _ judges: [ItemJudge], _ reads: [(job: Int, size: UInt64)], _ source: TrustSource,
    _ rulings: inout [ItemJudge.Ruling?]
  ) throws -> Bool {
    let now = Clock.realtime() / 1_000_000_000
    let crew = try Crew<ItemJudge, ItemJudge.Ruling?>(reads.map { judges[$0.job] }, threads: settings.threads)
    report.progress = UpkeepProgress(
      stage: .reading, totalFiles: reads.count, totalBytes: reads.reduce(0) { $0 &+ $1.size })
    var unwritten: [[UInt8]: [TrustedContent]] = [:]
    // A thread without a working libcrypto reads nothing; the first one says why.
    _ = try FileMeter()
    let isWhole = try crew.run {
      let meter = try? FileMeter()
      return { judge, told in
        let reading = meter?.read(PathBytes(judge.item.path), withMD5: judge.needsMD5, progress: told)
        if case .cancelled? = reading { return nil }
        return judge.judge(reading ?? .unreadable(.invalid), now: now)
      }
    } deliver: { done in
      for (job, ruling) in done {
        guard let ruling else { continue }
        rulings[reads[job].job] = ruling
        report.progress.files += 1
        if ruling.outcome == .trusted, let content = ruling.content {
          unwritten[judges[reads[job].job].item.path, default: []].append(content)
        }
      }
      report.progress.bytes = crew.byteCount
      let isDue = Clock.monotonic() - lastCommit > settings.commitSeconds * 1_000_000_000
      let isEnough = unwritten.count >= settings.commitFiles
      if !unwritten.isEmpty, isEnough || isDue && report.progress.files < reads.count { try add(&unwritten, source) }
      return tell(.reading)
    }
    report.filesRead += report.progress.files
    report.bytesRead += crew.byteCount
    if !isWhole, !unwritten.isEmpty { try add(&unwritten, source) }
    return isWhole
  }

  // MARK: Writing

  private func edit(_ contents: [[UInt8]: [TrustedContent]], _ source: TrustSource) -> StoreEdit {
    StoreEdit(
      contents: contents, source: source, root: root, transactions: TransactionBook(ended: settings.ended))
  }

  private func add(_ contents: inout [[UInt8]: [TrustedContent]], _ source: TrustSource) throws {
    let edit = edit(contents, source)
    try commit { try edit.add(to: $0) }
    contents = [:]
  }

  private func write(_ contents: [[UInt8]: [TrustedContent]], _ source: TrustSource) throws {
    let edit = edit(contents, source)
    try commit { try edit.replace(in: $0, allowsLoss: settings.allowsLoss) }
  }

  private func commit(_ change: (TrustTransaction) throws -> Void) throws {
    let isRebuilding = report.manifest == nil && report.damage != nil
    report.manifest = try store.update(waitingSeconds: patience, rebuilding: isRebuilding, change)
    lastCommit = Clock.monotonic()
  }

  /// What a trust file says needs no reading: it names the content itself. Only a file that the kernel holds to a digest
  /// is read, once, for that digest.
  private func syncTrustFolder() throws {
    let said = try TrustFolder(settings.trustFolder, protection: settings.protection).read()
    guard said.errors.isEmpty else {
      // A line that cannot be read may be one that takes trust away: the words of before stay in force.
      report.errors += said.errors
      return
    }
    var outcome = SourceOutcome(source: .file)
    outcome.packages = said.files.count
    outcome.files = said.items.count
    outcome.counts[.trusted] = said.items.count
    outcome.anywhere = said.anywhere.count
    outcome.distrusted = said.distrusted.count
    report.sources.append(outcome)
    var edit = StoreEdit(said)
    guard try prove(&edit), tell(.writing) else { return }
    try commit { try edit.replace(in: $0, allowsLoss: settings.allowsLoss) }
  }

  /// Adds the digests that the kernel holds files to; false where it was cancelled.
  private func prove(_ edit: inout StoreEdit) throws -> Bool {
    guard !edit.contents.isEmpty else { return true }
    let snapshot = report.manifest == nil ? nil : try store.snapshot()
    let proofs = try edit.contents.map { path, contents in
      VerityProof(path: path, contents: contents, known: try snapshot?.entry(at: path)?.contents ?? [])
    }
    let crew = try Crew<VerityProof, VerityProof.Outcome?>(proofs, threads: settings.threads)
    report.progress = UpkeepProgress(stage: .comparing, totalFiles: proofs.count)
    // A thread without a working libcrypto proves nothing; the first one says why.
    _ = try FileMeter()
    let isWhole = try crew.run { [measure = settings.verity] in
      let meter = try? FileMeter(verity: measure)
      return { proof, told in meter.flatMap { proof.proven(by: $0, progress: told) } }
    } deliver: { done in
      for (job, outcome) in done {
        guard let outcome else { continue }
        edit.contents[proofs[job].path] = outcome.contents
        if outcome.isRead { report.filesRead += 1 }
      }
      report.progress.files += done.count
      return tell(.comparing)
    }
    report.bytesRead += crew.byteCount
    return isWhole
  }

  private func tell(_ stage: UpkeepProgress.Stage) -> Bool {
    report.progress.stage = stage
    if goesOn(report.progress) { return true }
    report.isComplete = false
    return false
  }
}
