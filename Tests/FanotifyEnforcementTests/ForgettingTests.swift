// What takes a remembered allow back, and who is told of a change: with watches of this kernel on files of the test's own.

import AccessModel
import Fanotify
import Glibc
import Synchronization
import SystemCalls
import Testing

@testable import FanotifyEnforcement

extension MemoryTests {
  @Suite
  final class ForgettingTests: MemoryWorld {
    enum Change: CaseIterable {
      case write, cut, openForWriting, mapped, mode, owner, times, link, rename, renameOver, unlinkOther
    }

    private func change(_ change: Change, _ file: String) throws {
      switch change {
      case .write: try Descriptor.open(file, O_WRONLY).writeAll([0x79])
      case .cut: try #require(truncate(file, 0) == 0)
      case .openForWriting: _ = try Descriptor.open(file, O_WRONLY)
      case .mapped: try storeThroughMapping(file)
      case .mode: try #require(chmod(file, 0o777) == 0)
      case .owner: try #require(chown(file, 1000, 1000) == 0)
      case .times: try #require(utimes(file, nil) == 0)
      case .link: try #require(link(file, path("other")) == 0)
      case .rename: try #require(rename(file, path("other")) == 0)
      case .renameOver:
        try folder.file("new")
        try #require(rename(path("new"), file) == 0)
      case .unlinkOther: try #require(unlink(path("second")) == 0)
      }
    }

    private func storeThroughMapping(_ path: String) throws {
      let file = try Descriptor.open(path, O_RDWR)
      let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
      try #require(page != MAP_FAILED)
      page?.storeBytes(of: 0x7a, as: UInt8.self)
      munmap(page, 4096)
    }

    @Test(arguments: Change.allCases) func aChangeTakesItBack(_ kind: Change) throws {
      let file = try make("file")
      if kind == .unlinkOther { try #require(link(file, path("second")) == 0) }
      wait()
      let held = try open(file)
      let identity = FileIdentity(try FileStatus.of(descriptor: held.rawValue))
      // With another name it is remembered only where its path does not matter.
      #expect(try remember(file, withPath: kind != .unlinkOther))
      #expect(witness.files.isEmpty)
      try change(kind, file)
      #expect(eventually { witness.files.contains(identity) })
      #expect(memory.counts.forgotten == 1)
      #expect(try !takeMark("/proc/self/fd/\(held.rawValue)"))
      #expect(!witness.files.contains(nil), "one file's change is no other's")
    }

    @Test func readingAndRunningTakeNothingBack() throws {
      let file = try make("file")
      #expect(try remember(file))
      for _ in 0..<3 { _ = try open(file).readAll(limit: 100) }
      try #require(access(file, X_OK) == 0)
      wait()
      #expect(witness.files.isEmpty && memory.counts.forgotten == 0)
      #expect(try takeMark(file))
    }

    @Test func whatWasTakenBackIsRememberedAnew() throws {
      let file = try make("file")
      for round in 1...3 {
        #expect(try remember(file))
        try change(.write, file)
        #expect(eventually { memory.counts.forgotten == round })
        wait()
      }
    }

    /// The name of the file stays, its path does not.
    @Test(arguments: ["a", "a/b", "a/b/c"]) func aFolderThatMovesTakesAllBack(_ name: String) throws {
      let file = try make("a/b/c/file")
      let other = try make("other")
      #expect(try remember(file) && remember(other))
      let flushed = memory.counts.flushed
      try #require(rename(path(name), path("moved")) == 0)
      #expect(eventually { memory.counts.flushed > flushed })
      #expect(try !takeMark(other))
      #expect(memory.counts.folders == 0)
    }

    /// ext4 gives the number of a removed folder to the next one.
    @Test func aFolderThatIsMadeAnewIsWatchedAnew() throws {
      try remember(try make("other"))
      let (flushed, folders) = (memory.counts.flushed, memory.counts.folders)
      for _ in 0..<3 {
        let file = try make("a/file")
        #expect(try remember(file) && memory.counts.folders == folders + 1)
        try #require(unlink(file) == 0 && rmdir(path("a")) == 0)
        #expect(eventually { memory.counts.folders == folders })
      }
      #expect(memory.counts.flushed == flushed, "a folder that goes takes no file along")
      let file = try make("a/file")
      #expect(try remember(file))
      try #require(rename(path("a"), path("moved")) == 0)
      #expect(eventually { memory.counts.flushed > flushed })
    }

    @Test func aFolderAsideMoves() throws {
      let file = try make("a/file")
      try folder.directory("b")
      #expect(try remember(file))
      let flushed = memory.counts.flushed
      try #require(rename(path("b"), path("moved")) == 0 && rmdir(path("moved")) == 0)
      try #require(chmod(path("a"), 0o777) == 0, "nobody asked for the folder's rights")
      wait()
      #expect(memory.counts.flushed == flushed)
      #expect(try takeMark(file))
    }

    @Test func aFoldersRightsCountWhereTheyWereLookedAt() throws {
      let file = try make("a/file")
      #expect(try remember(file))
      #expect(try remember(file, rights: true))
      let flushed = memory.counts.flushed
      try #require(chmod(path("a"), 0o777) == 0)
      #expect(eventually { memory.counts.flushed > flushed })
    }

    /// What holds whatever the path is needs no folder.
    @Test func withoutAPathFoldersDoNotMatter() throws {
      let file = try make("a/file")
      #expect(try remember(file, withPath: false))
      #expect(memory.counts.folders == 0)
      #expect(try takeMark(file))
    }

    @Test func aFlushTakesAllBackAtOnce() throws {
      let files = (0..<20).map { path("\($0)") }
      for index in 0..<20 { try folder.file("\(index)") }
      wait()
      for file in files { #expect(try remember(file)) }
      memory.forgetAll()
      for file in files { #expect(try !takeMark(file)) }
      #expect(memory.counts.folders == 0)
    }

    @Test func stoppingTakesAllBack() throws {
      let file = try make("file")
      #expect(try remember(file))
      memory.stop()
      #expect(try !takeMark(file))
      #expect(try !remember(file))
      #expect(witness.files.contains(nil), "nothing that others keep is watched any more")
    }

    // MARK: - Watching for others

    @Test func aWatchedFilesChangeIsToldOnce() throws {
      let path = try make("file")
      let file = try open(path)
      let identity = FileIdentity(try FileStatus.of(descriptor: file.rawValue))
      #expect(memory.watch(file.rawValue) && memory.watch(file.rawValue))
      try change(.mapped, path)
      #expect(eventually { witness.files == [identity] })
      // The watch went with it: what is written again and again is not told again and again.
      for _ in 0..<10 { try change(.write, path) }
      wait()
      #expect(witness.files == [identity])
      #expect(memory.watch(file.rawValue))
      try change(.write, path)
      #expect(eventually { witness.files.count == 2 })
    }

    @Test(arguments: [0o775, 0o646] as [UInt32]) func aFileThatOthersWriteIsNotWatched(_ mode: UInt32) throws {
      let file = try open(try make("file", mode: mode))
      #expect(!memory.watch(file.rawValue))
      #expect(!memory.watch(-1))
    }

    @Test func manyFilesChangeAtOnce() throws {
      let count = 500
      for index in 0..<count { try folder.file("many/\(index)") }
      wait()
      for index in 0..<count { #expect(try remember(path("many/\(index)"))) }
      for index in 0..<count { try #require(chmod(path("many/\(index)"), 0o700) == 0) }
      #expect(eventually { memory.counts.forgotten == UInt64(count) })
      #expect(Set(witness.files.compactMap { $0 }).count == count)
    }
  }
}
