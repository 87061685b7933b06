// Owns taking trust away by hand.
// It must not let a removal be undone by the next sync: where others vouch for a path, a line bars it.

public import AccessModel
internal import SystemCalls
internal import TrustDatabase
internal import TrustSources

extension TrustCurator {
  /// Takes away what local.trust says of these paths and of all below them. A file that others vouch for as well is
  /// barred by a `! path` line; below a folder only with `force`, since barring a folder of packages can stop the host.
  public func remove(_ paths: [[UInt8]], force: Bool = false) throws -> CurationReport {
    var report = CurationReport()
    let places = paths.map { RealPath.ofAny($0) }
    let lines = try ownLines()
    let others = try othersWord(at: places)
    var bars: [TrustFile.Entry] = []
    for place in places {
      let own = Set(lines.compactMap(\.path).filter { $0.isAtOrBelow(place) })
      let vouched = others.filter { $0.isAtOrBelow(place) && !lines.contains(.distrusted(path: $0)) }
      let isFolder = vouched.contains { $0 != place }
      if isFolder, !force {
        report.refuse(
          place, "packages or other trust files vouch for \(vouched.count) files there, which the host may need",
          "name single files, or use --force")
        continue
      }
      bars += vouched.map { .distrusted(path: $0) }
      report.steps += vouched.map { CurationStep(path: $0, deed: .barred) }
      let removed = own.subtracting(vouched).filter { path in
        lines.contains { $0.path == path && $0 != .distrusted(path: path) }
      }
      report.steps += removed.sorted { $0.lexicographicallyPrecedes($1) }.map { CurationStep(path: $0, deed: .removed) }
      if vouched.isEmpty, removed.isEmpty { report.steps.append(CurationStep(path: place, deed: .unknown)) }
    }
    let done = places.filter { place in !report.steps.contains { $0.deed == .refused && $0.path == place } }
    try write(
      bars,
      removing: { entry in
        guard let path = entry.path, entry != .distrusted(path: path) else { return false }
        return done.contains { path.isAtOrBelow($0) }
      }, &report)
    return report
  }

  /// Takes away the lines that trust these contents wherever they lie.
  public func remove(contents: [(path: [UInt8], hash: ContentHash)]) throws -> CurationReport {
    var report = CurationReport()
    let lines = try ownLines()
    var gone: Set<TrustFile.Entry> = []
    for (path, hash) in contents {
      let found = lines.filter { if case .anywhere(_, let sha256) = $0 { sha256 == hash.bytes } else { false } }
      gone.formUnion(found)
      report.steps.append(CurationStep(path: path, deed: found.isEmpty ? .unknown : .removed))
    }
    try write([], removing: gone.contains, &report)
    return report
  }

  private func write(
    _ bars: [TrustFile.Entry], removing: (TrustFile.Entry) -> Bool, _ report: inout CurationReport
  ) throws {
    guard report.steps.contains(where: { $0.deed == .removed || $0.deed == .barred }) else { return }
    try makeFolder()
    _ = try TrustFile.edit(file, adding: bars, removing: removing, protection: protection)
    try follow(&report)
  }

  private func ownLines() throws -> [TrustFile.Entry] {
    let (file, errors) = TrustFile.read(file, protection: protection)
    if let file { return file.entries }
    if errors.allSatisfy({ $0.kind == .missing }) { return [] }
    throw TrustFilesError(errors: errors)
  }

  /// The paths at and below these that something else than local.trust vouches for: an entry of its own, or a content
  /// that is trusted wherever it lies.
  private func othersWord(at places: [[UInt8]]) throws -> [[UInt8]] {
    var vouched: Set<[UInt8]> = []
    guard try store.exists() else { return [] }
    let snapshot = try store.snapshot()
    let own = Array(Self.localFile.utf8)
    for place in places {
      try snapshot.forEachEntry(below: place) { path, entry in
        let isOthers = entry.contents.contains { $0.source != .file || $0.from.name != own }
        if isOthers, !entry.isDistrusted { vouched.insert(path) }
        return true
      }
      if case .measured(let file) = try FileMeter().read(PathBytes(place)), try snapshot.wherever(file.hash) != nil {
        vouched.insert(place)
      }
    }
    return vouched.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

extension [UInt8] {
  /// For canonical paths.
  func isAtOrBelow(_ folder: [UInt8]) -> Bool {
    guard starts(with: folder) else { return false }
    return count == folder.count || folder.elementsEqual([0x2f]) || self[folder.count] == 0x2f
  }
}
