// Owns reading again what the trust database knows, and saying what has drifted.
// It must not change the database.

internal import AccessModel
public import SystemCalls
public import TrustDatabase

/// A file that is not what the database says.
public struct DriftedFile: Sendable, Hashable {
  public var path: [UInt8]
  /// One that is trusted there.
  public var expected: TrustedContent
  /// `changed` where it can be read; `FileReading` says the rest.
  public var found: FileReading

  public var outcome: FileOutcome {
    switch found {
    case .measured: .changed
    case .missing: .missing
    case .notRegular: .notRegular
    case .unreadable: .unreadable
    case .changing, .cancelled: .changing
    }
  }
}

public struct VerifyReport: Sendable {
  public var checked = 0
  /// In the order of their paths.
  public var drifted: [DriftedFile] = []
  /// Paths that were asked for and that the database does not know, nor anything below them.
  public var unknown: [[UInt8]] = []
  public var bytesRead: UInt64 = 0
  public var isComplete = true
}

public struct Verifier {
  private struct Job: Sendable {
    let path: [UInt8]
    let contents: [TrustedContent]
  }

  private let snapshot: TrustSnapshot
  private let threads: Int

  public init(snapshot: TrustSnapshot, threads: Int = ProcessSetup.processorCount) {
    self.snapshot = snapshot
    self.threads = threads
  }

  /// Reads everything at and below these canonical paths, or everything. `progress` ends it by false.
  public func run(
    _ paths: [[UInt8]] = [], progress: (UpkeepProgress) -> Bool = { _ in true }
  ) throws -> VerifyReport {
    var report = VerifyReport()
    let jobs = try jobs(paths, &report)
    var told = UpkeepProgress(
      stage: .reading, totalFiles: jobs.count,
      totalBytes: jobs.reduce(0) { $0 &+ ($1.contents.map(\.size).max() ?? 0) })
    _ = try FileMeter()
    let crew = try Crew<Job, FileReading?>(jobs, threads: threads)
    report.isComplete = try crew.run {
      let meter = try? FileMeter()
      return { job, told in
        let reading = meter?.read(PathBytes(job.path), progress: told) ?? .unreadable(.invalid)
        if case .cancelled = reading { return nil }
        if case .measured(let file) = reading, job.contents.contains(where: { $0.hash == file.hash }) { return nil }
        return reading
      }
    } deliver: { done in
      for (job, reading) in done {
        report.checked += 1
        guard let reading, let expected = jobs[job].contents.first else { continue }
        report.drifted.append(DriftedFile(path: jobs[job].path, expected: expected, found: reading))
      }
      told.files = report.checked
      told.bytes = crew.byteCount
      return progress(told)
    }
    report.bytesRead = crew.byteCount
    report.drifted.sort { $0.path.lexicographicallyPrecedes($1.path) }
    return report
  }

  private func jobs(_ paths: [[UInt8]], _ report: inout VerifyReport) throws -> [Job] {
    var jobs: [Job] = []
    var seen: Set<[UInt8]> = []
    for path in paths.isEmpty ? [[]] : paths {
      var isKnown = false
      try snapshot.forEachEntry(below: path) { place, entry in
        isKnown = true
        // What a package transaction is about to bring need not be there yet.
        let contents = entry.contents.filter { $0.source != .transaction }
        if !entry.isDistrusted, !contents.isEmpty, seen.insert(place).inserted {
          jobs.append(Job(path: place, contents: contents))
        }
        return true
      }
      if !isKnown, !path.isEmpty { report.unknown.append(path) }
    }
    return jobs
  }
}

extension TrustSnapshot {
  /// What is known at and below a canonical path; everything for an empty one and for the root. False ends it.
  public func forEachEntry(below path: [UInt8], _ body: ([UInt8], TrustEntry) throws -> Bool) throws {
    let prefix = path.elementsEqual([0x2f]) ? [] : path
    try forEachPath(from: prefix) { place, entry in
      let isBelow = prefix.isEmpty || place.count == prefix.count || place[prefix.count] == 0x2f
      return isBelow ? try body(place, entry) : true
    }
  }
}
