// What an open file's content says it is, and what is done where it cannot be read.

import AccessModel
import Glibc
import ObjectInformation
import SystemCalls
import Testing

@Suite struct ContentTests {
  private let folder = Folder()

  private func content(_ bytes: [UInt8]) throws -> ObjectFacts {
    let facts = try facts(.objectContent, ofFile: folder.write("file", bytes))
    #expect(facts.present.subtracting(.request) == .objectContent)
    return facts.object
  }

  private func mapped(_ name: String) throws -> String {
    let maps = try Descriptor.open("/proc/self/maps", O_RDONLY).readAll(limit: 1 << 22)
    let paths = text(maps).split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
    return try #require(paths.first { $0.contains(name) })
  }

  @Test func programsAndLibrariesAreTold() throws {
    let program = try facts(.objectContent, ofFile: "/usr/bin/env").object
    #expect(program.kind == .elfExecutable && !program.isLoadableLibrary)
    let library = try facts(.objectContent, ofFile: mapped("/libc.so.6")).object
    #expect(library.kind == .elfLibrary && !library.isLoadableLibrary)
    let loader = try facts(.objectContent, ofFile: mapped("/ld-linux")).object
    #expect(loader.kind == .elfLibrary && loader.isLoadableLibrary)
  }

  @Test(arguments: [
    ("", ContentKind.other, ""), ("#", .other, ""), ("plain text", .other, ""), ("#!/bin/sh\nls", .script, "/bin/sh"),
    ("#! /usr/bin/env python3", .script, "/usr/bin/env"), ("#!", .script, ""), ("\u{7f}ELF", .elfOther, ""),
  ])
  func shortFilesAreJudgedByWhatTheyHold(_ bytes: String, _ kind: ContentKind, _ interpreter: String) throws {
    let object = try content(Array(bytes.utf8))
    #expect(object.kind == kind && text(object.interpreter) == interpreter)
  }

  @Test func anInterpreterDoesNotOutliveItsFile() throws {
    let first = try Descriptor.open(try folder.write("script", Array("#!/bin/sh\n".utf8)), O_RDONLY)
    let second = try Descriptor.open(try folder.write("text", Array("no".utf8)), O_RDONLY)
    let sheet = Facts()
    let information = ObjectInformation(mounts: try ownMounts(), room: Room())
    for (number, expected) in [(first.rawValue, "/bin/sh"), (second.rawValue, ""), (first.rawValue, "/bin/sh")] {
      sheet.begin(pid: 1, operation: .open, objectHandle: number)
      information.fetch(.objectContent, into: sheet)
      #expect(text(sheet.object.interpreter) == expected)
    }
  }

  /// Where the dynamic section claims to stand behind the end of every file, the kernel calls reading there an error. It
  /// must not be one here: an unreadable library is answered by `on_failure`, and that may let it pass.
  @Test(arguments: [UInt64(Int64.max), UInt64(Int64.max) - 15, 1 << 62, .max, .max - 15])
  func aHostileOffsetIsNoFailure(_ offset: UInt64) throws {
    func number(_ value: UInt64, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9)
    file += number(3, 2) + number(62, 2) + number(1, 4) + number(0, 8) + number(64, 8) + number(0, 8)
    file += number(0, 4) + number(64, 2) + number(56, 2) + number(2, 2) + number(0, 6)
    for type in [1, 2] as [UInt64] {
      file += number(type, 4) + number(6, 4) + number(offset, 8) + number(0x2000, 8) + number(0x2000, 8)
      file += number(0x40, 8) + number(0x40, 8) + number(0x1000, 8)
    }
    let object = try content(file)
    #expect(object.kind == .elfLibrary && object.isLoadableLibrary)
    file.replaceSubrange(32..<40, with: number(offset, 8))
    #expect(try content(file).kind == .elfLibrary)
  }

  @Test func whatIsNoFileCannotBeRead() throws {
    let directory = try Descriptor.open("/tmp", O_RDONLY)
    let facts = try facts(.objectContent, of: directory.rawValue)
    #expect(facts.failed == .objectContent && facts.failure == .objectUnreadable)
  }

  @Test func contentThatIsInMemoryIsReadAtOnce() throws {
    let file = try Descriptor.open(try folder.write("script", Array("#!/bin/sh\n".utf8)), O_RDONLY)
    let room = Room(isFull: true)
    #expect(try facts(.objectContent, of: file.rawValue, room: room).present == [.request, .objectContent])
  }

  /// procfs cannot say what is in memory: such a read waits, and whoever may not wait gives up.
  @Test func contentThatMayHaveToBeWaitedForNeedsRoom() throws {
    let file = try Descriptor.open("/proc/self/limits", O_RDONLY)
    let (number, room) = (file.rawValue, Room())
    let known = try facts(.objectContent, of: number, room: room)
    #expect(known.present == [.request, .objectContent])
    try #require(room.visits > 0, "this kernel reads procfs without waiting")
    let unknown = try facts(.objectContent, of: number, room: Room(isFull: true))
    #expect(unknown.failed == .objectContent && unknown.failure == .outOfThreads)
  }
}
