// Owns reading one file, and the crew that reads many.

import AccessModel
import Foundation
import Synchronization
import SystemCalls
import Testing
import TrustDatabase

@testable import TrustUpkeep

@Suite struct FileReadingTests {
  @Test func bothDigestsOfOneReading() throws {
    let rig = try Rig()
    let path = try rig.write("a", "content")
    let young = try FileMeter().read(PathBytes(path), withMD5: true)
    guard case .measured(let file) = young else {
      Issue.record("\(young)")
      return
    }
    #expect(file.size == 7)
    #expect(try file.hash == hash("content"))
    #expect(
      file.md5 == [0x9a, 0x03, 0x64, 0xb9, 0xe9, 0x9b, 0xb4, 0x80, 0xdd, 0x25, 0xe1, 0xf0, 0x28, 0x4c, 0x85, 0x55])
    #expect(file.verity == nil)
    #expect(file.seen == nil, "a change within the clock's step would not show")
    rig.settle()
    guard case .measured(let old) = try FileMeter().read(PathBytes(path)) else { return }
    #expect(old.seen?.inode == old.status.inode)
    #expect(old.md5.isEmpty)
  }

  @Test func whatIsNoRegularFile() throws {
    let rig = try Rig()
    try rig.write("a", "content")
    try FileManager.default.createSymbolicLink(atPath: "\(rig.path)/link", withDestinationPath: "a")
    #expect(mkfifo("\(rig.path)/fifo", 0o644) == 0)
    let meter = try FileMeter()
    let cases: [(String, FileReading)] = [
      ("link", .notRegular), ("fifo", .notRegular), ("root", .notRegular), ("none", .missing), ("a/b", .missing),
    ]
    for (name, expected) in cases { #expect(meter.read(PathBytes(rig.place(name))) == expected, "\(name)") }
    #expect(meter.read(PathBytes("/dev/null")) == .notRegular)
    let long = PathBytes(rig.place(String(repeating: "x", count: 300)))
    #expect(meter.read(long) == .unreadable(.nameTooLong))
  }

  @Test func aReadingEndsWhenItIsTold() throws {
    let rig = try Rig()
    let path = try rig.write("a", "content")
    #expect(try FileMeter().read(PathBytes(path)) { _ in false } == .cancelled)
  }

  /// Each reading finds the file changed since it began.
  @Test func aFileThatIsWrittenToIsNotMeasured() throws {
    let rig = try Rig()
    let path = try rig.write("a", "content")
    let reading = try FileMeter().read(PathBytes(path)) { _ in
      if let handle = FileHandle(forWritingAtPath: "\(rig.path)/a") {
        _ = try? handle.seekToEnd()
        handle.write(Data("x".utf8))
      }
      return true
    }
    #expect(reading == .changing)
  }

  @Test(arguments: [
    (UInt16(0o755), UInt32(0), UInt32(0), false), (0o775, 0, 0, false), (0o775, 0, 50, true), (0o757, 0, 0, true),
    (0o644, 1000, 0, true),
  ])
  func whoCanWrite(_ mode: UInt16, _ owner: UInt32, _ group: UInt32, _ others: Bool) throws {
    let rig = try Rig()
    let path = "\(rig.path)/a"
    try rig.write("a", "")
    #expect(chown(path, owner, group) == 0 && chmod(path, mode_t(mode)) == 0)
    let status = try FileStatus.of(path: PathBytes(path))
    #expect(status.isWritableByOthers == others)
    #expect(status.whoCanWrite.isEmpty == !others)
  }
}

@Suite struct CrewTests {
  @Test(arguments: [0, 1, 2, 15, 16, 17, 1000], [1, 2, 8])
  func everyJobIsDoneOnce(_ count: Int, _ threads: Int) throws {
    let crew = try Crew<Int, Int>(Array(0..<count), threads: threads)
    var outcomes: [Int: Int] = [:]
    let isWhole = try crew.run {
      { job, told in
        _ = told(3)
        return job * 2
      }
    } deliver: { done in
      for (job, outcome) in done {
        #expect(outcomes[job] == nil)
        outcomes[job] = outcome
      }
      return true
    }
    #expect(isWhole)
    #expect(outcomes.count == count)
    #expect(outcomes.allSatisfy { $0.value == $0.key * 2 })
    #expect(crew.byteCount == UInt64(3 * count))
  }

  @Test func anEarlyEndGivesWhatWasDone() throws {
    let crew = try Crew<Int, Int>(Array(0..<100_000), threads: 2)
    var count = 0
    let isWhole = try crew.run {
      { job, _ in
        Clock.sleep(nanoseconds: 100_000)
        return job
      }
    } deliver: { done in
      count += done.count
      return count == 0
    }
    #expect(!isWhole)
    #expect(count > 0 && count < 100_000)
  }

  struct Stop: Error {}

  @Test func anErrorEndsAllThreads() throws {
    let crew = try Crew<Int, Int>(Array(0..<100_000), threads: 2)
    #expect(throws: Stop.self) {
      try crew.run {
        { job, _ in
          Clock.sleep(nanoseconds: 100_000)
          return job
        }
      } deliver: { _ in
        throw Stop()
      }
    }
  }
}

@Suite struct ContentOriginTests {
  @Test(arguments: [
    ContentOrigin(name: bytes("bash")), ContentOrigin(name: [], root: bytes("/srv/x"), mark: []),
    ContentOrigin(name: bytes("a"), root: [], mark: [0, 1, 0, 255]), ContentOrigin(name: [255], root: [1], mark: [0]),
  ])
  func partsComeBack(_ origin: ContentOrigin) { #expect(ContentOrigin(bytes: origin.bytes) == origin) }

  @Test(arguments: [[], [0], [0, 0], [0, 0, 0], [1, 0], [0, 1]] as [[UInt8]])
  func anyBytesAreRead(_ bytes: [UInt8]) {
    let origin = ContentOrigin(bytes: bytes)
    #expect(ContentOrigin(bytes: origin.bytes) == origin)
  }
}
