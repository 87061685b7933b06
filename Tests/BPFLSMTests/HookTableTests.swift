// Holds liliumd's tables of hooks against the numbers that the programs in the kernel go by.

import Foundation
import Testing

@testable import BPFLSM

@Suite("Tables of hooks")
struct HookTableTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../../Sources/Kernel/BPFLSM/bpf")

  private static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  /// The enumerators of one enumeration, in their order, without LIL_ and in small letters.
  private static func enumerators(of enumeration: String) throws -> [String] {
    let text = try text("hooks.bpf.h")
    let body = try #require(text.components(separatedBy: "enum \(enumeration) {").dropFirst().first)
    let names = try #require(body.components(separatedBy: "}").first).components(separatedBy: ",")
    return names.map { $0.trimmingCharacters(in: .whitespacesAndNewlines).dropFirst(4).lowercased() }
  }

  @Test func doors() throws {
    #expect(try Self.enumerators(of: "lil_hook") == LSMHook.all.map(\.name))
  }

  @Test func guards() throws {
    #expect(try Self.enumerators(of: "lil_guard") == GuardHook.all.map(\.program))
    #expect(GuardHook.of(mechanism: 9, hook: 0)?.name == "task_kill")
    #expect(GuardHook.of(mechanism: 8, hook: 0) == nil && GuardHook.of(mechanism: 9, hook: 22) == nil)
  }

  /// Each program stands at the hook that its name says, and none is left out of the tables.
  @Test func programs() throws {
    let sources = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path())
    var found: Set<String> = []
    for source in sources.sorted() {
      for part in try Self.text(source).components(separatedBy: "SEC(\"lsm/").dropFirst() {
        let hook = String(part.prefix { $0 != "\"" })
        let program = part.components(separatedBy: "BPF_PROG(")[1].trimmingCharacters(in: .whitespacesAndNewlines)
          .prefix { $0 != "," }
        if program == "probe" { continue }
        #expect(program == hook || program == "guard_\(hook)", "\(source)")
        found.insert(String(program))
      }
    }
    #expect(found == Set(LSMHook.all.map(\.name)).union(GuardHook.all.map(\.program)))
  }
}
