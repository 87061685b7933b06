// Owns syncs that do not run by themselves from begin to end: cancelled, at the same time, over a damaged store.

import AccessModel
import Foundation
import Synchronization
import SystemCalls
import Testing
import TrustDatabase

@testable import TrustUpkeep

@Suite(
  "Interrupted, concurrent and repairing syncs",
  .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/dpkg")))
struct InterruptedSyncTests {
  private static let count = 400

  private func installed() throws -> Rig {
    let rig = try Rig()
    let files = (0..<Self.count).map { ("/usr/share/many/\($0)", "content \($0)") }
    try rig.package("many", "1", Dictionary(uniqueKeysWithValues: files))
    try rig.dpkg("-i", "\(rig.path)/many_1.deb")
    rig.settle()
    return rig
  }

  @Test func aCancelledSyncKeepsWhatItHasAndIsResumed() throws {
    let rig = try installed()
    // One thread, and a FIFO-slow reader: a large file keeps it busy while the rest waits.
    var settings = rig.settings
    settings.threads = 1
    let report = try Synchronizer(store: rig.store, settings: settings) { progress in
      progress.stage != .reading || progress.files == 0
    }.run()
    #expect(!report.isComplete)
    let manifest = try #require(report.manifest)
    #expect(manifest.paths == report.filesRead)
    #expect(report.filesRead > 0)
    let resumed = try rig.sync()
    #expect(resumed.isComplete)
    #expect(resumed.filesRead == Self.count - report.filesRead)
    #expect(resumed.manifest?.paths == Self.count)
  }

  @Test func cancelledBeforeItBeginsNothingIsWritten() throws {
    let rig = try installed()
    let report = try Synchronizer(store: rig.store, settings: rig.settings) { _ in false }.run()
    #expect(!report.isComplete)
    #expect(report.manifest == nil)
    #expect(throws: TrustStoreError.self) { try rig.store.manifest() }
  }

  @Test func generationsAreWrittenOnTheWay() throws {
    let rig = try installed()
    let generations = Mutex<Set<UInt64>>([])
    var settings = rig.settings
    settings.commitFiles = 1
    settings.threads = 1
    _ = try Synchronizer(store: rig.store, settings: settings) { _ in
      if let manifest = try? rig.store.manifest() { _ = generations.withLock { $0.insert(manifest.generation) } }
      return true
    }.run()
    #expect(try rig.store.manifest().paths == Self.count)
    #expect(generations.withLock { !$0.isEmpty })
  }

  @Test func twoAtOnceEndAsOne() throws {
    let rig = try installed()
    let failures = Mutex<[String]>([])
    let threads = try (0..<2).map { index in
      let (path, settings) = (rig.store.folder, rig.settings)
      return try Thread.start("sync-\(index)") {
        do {
          let report = try Synchronizer(store: TrustStore(folder: path), settings: settings).run()
          if report.manifest?.paths != Self.count { failures.withLock { $0.append("\(report)") } }
        } catch { failures.withLock { $0.append("\(error)") } }
      }
    }
    for thread in threads { thread.join() }
    #expect(failures.withLock { $0 } == [])
    #expect(try rig.store.snapshot().manifest.paths == Self.count)
    #expect(try rig.sync().filesRead == 0)
  }

  @Test func aDamagedStoreIsBuiltAnew() throws {
    let rig = try installed()
    let before = try #require(try rig.sync().manifest)
    let file = "\(rig.store.folder)/\(before.file)"
    let handle = try #require(FileHandle(forWritingAtPath: file))
    try handle.seek(toOffset: before.byteCount / 2)
    handle.write(Data([0xff, 0x00, 0xff]))
    try handle.close()
    #expect(throws: TrustStoreError.self) { try rig.store.snapshot() }
    let report = try rig.sync()
    #expect(report.damage?.contains("damaged") == true)
    #expect(report.filesRead == Self.count)
    #expect(try rig.store.snapshot().manifest.paths == Self.count)
    let names = try FileManager.default.contentsOfDirectory(atPath: rig.store.folder)
    #expect(names.count { $0.hasSuffix(".damaged") } == 1)
    #expect(try rig.sync().damage == nil)
  }
}
