// Holds the names of flags against the system's C headers, and the texts that are made of them.

import Foundation
import Testing

@testable import AccessModel

@Suite("Names of flags")
struct FlagNameTests {
  struct Table: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let names: FlagNames
  }

  static let tables = [
    Table(testDescription: "protection", names: .protection), Table(testDescription: "map", names: .map),
    Table(testDescription: "mount", names: .mount), Table(testDescription: "unmount", names: .unmount),
    Table(testDescription: "tree", names: .tree), Table(testDescription: "mountAttributes", names: .mountAttributes),
    Table(testDescription: "clone", names: .clone), Table(testDescription: "module", names: .module),
    Table(testDescription: "unload", names: .unload), Table(testDescription: "kexec", names: .kexec),
  ]

  private static let headers = [
    "stdio.h", "stdint.h", "fcntl.h", "sys/mman.h", "sys/mount.h", "linux/mount.h", "linux/sched.h", "linux/module.h",
    "linux/kexec.h",
  ]

  /// Every single bit's name has that value in the headers; macros that these headers lack are passed over.
  @Test(arguments: tables)
  func theHeadersAgree(_ table: Table) throws {
    let bits = (0..<32).map { UInt64(1) << UInt64($0) }
    let named = bits.map { (bit: $0, name: texts(table.names.text($0))[0]) }.filter { !$0.name.hasPrefix("0x") }
    #expect(!named.isEmpty)
    let folder = try FileManager.default.url(
      for: .itemReplacementDirectory, in: .userDomainMask, appropriateFor: URL(fileURLWithPath: "/tmp"), create: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = folder.appendingPathComponent("flags.c")
    let program = folder.appendingPathComponent("flags").path
    var code = "#define _GNU_SOURCE\n"
    for header in Self.headers { code += "#if __has_include(<\(header)>)\n#include <\(header)>\n#endif\n" }
    code += "int main(void) {\n"
    for (bit, name) in named {
      // Some of them are enumerators, which the preprocessor does not know, with a macro of their own name beside them.
      code += "#ifdef \(name)\nif ((uint32_t)(\(name)) != \(bit)u) puts(\"\(name)\"); else puts(\"+\");\n#endif\n"
    }
    try Data((code + "}\n").utf8).write(to: source)
    try #require(try run("/usr/bin/cc", ["-w", "-o", program, source.path]).status == 0)
    let lines = try run(program, []).output.split(separator: "\n")
    #expect(lines.filter { $0 != "+" }.isEmpty, "other values in the headers")
    #expect(lines.count * 3 >= named.count, "the headers knew \(lines.count) of \(named.count)")
  }

  private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  @Test(arguments: tables)
  func noBitIsLost(_ table: Table) {
    #expect(table.names.text(0).isEmpty)
    for flags in [UInt64.max, 0x8000_0000_0000_0000, 0xdead_beef, 1, 0xffff_ffff] {
      let words = texts(table.names.text(flags))
      #expect(Set(words).count == words.count)
      #expect(words.filter { $0.hasPrefix("0x") }.count <= 1)
      if flags >> 32 != 0 { #expect(words.last?.hasPrefix("0x") == true, "what has no name stands at the end") }
    }
  }

  @Test(
    arguments: [
      (3, ["MAP_SHARED_VALIDATE"]), (1, ["MAP_SHARED"]), (2, ["MAP_PRIVATE"]),
      (0x22, ["MAP_PRIVATE", "MAP_ANONYMOUS"]),
      (0x8000_0000_0002, ["MAP_PRIVATE", "0x800000000000"]), (0x40, ["MAP_32BIT"]),
      (0x0400_0022, ["MAP_PRIVATE", "MAP_ANONYMOUS", "0x4000000"]),
    ] as [(UInt64, [String])])
  func mapFlags(_ flags: UInt64, _ words: [String]) { #expect(texts(FlagNames.map.text(flags)) == words) }

  @Test(
    arguments: [
      (0, []), (0x2_0000, ["mount"]), (0x80, ["time"]),
      (0x7e02_0080, ["cgroup", "ipc", "mount", "net", "pid", "time", "user", "uts"]),
      (0x1000_0000 | 0x100, ["user"]), (0x1_0000_0000, []),
    ] as [(UInt64, [String])])
  func kindsOfNamespace(_ flags: UInt64, _ names: [String]) { #expect(texts(NamespaceKind.names(flags)) == names) }

  @Test func everyKindHasALinkThatExists() {
    for kind in NamespaceKind.all {
      #expect(FileManager.default.fileExists(atPath: "/proc/self/ns/\(NamespaceKind.link(kind.name))"), "\(kind.name)")
    }
  }
}

private func texts(_ list: [[UInt8]]) -> [String] { list.map { String(decoding: $0, as: UTF8.self) } }
