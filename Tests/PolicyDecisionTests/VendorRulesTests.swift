// The shipped rules: they load without a word, and decide as their comments say.

import AccessModel
import Foundation
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct VendorRulesTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../etc/rules.d").standardizedFileURL

  private func sources(_ change: (String) -> String = { $0 }) throws -> [RuleSource] {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
    #expect(!files.isEmpty)
    return try files.map { file in
      #expect(file.hasSuffix(".rules"))
      let text = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
      return RuleSource(path: "/usr/lib/lilium/rules.d/\(file)", file: file, bytes: bytes(change(text)))
    }
  }

  @Test func theyLoadWithoutAWord() throws {
    let (rules, diagnostics) = RuleSet.parse(try sources())
    #expect(diagnostics.map(\.rendered) == [])
    #expect(rules.rules.count > 10)
    #expect(rules.rules.allSatisfy { $0.mechanism == .exec })
  }

  @Test func theExamplesLoadOnceTheirMarkIsOff() throws {
    let uncommented = try sources { text in
      text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        ["#allow ", "#deny ", "#  "].contains { line.hasPrefix($0) } ? String(line.dropFirst()) : String(line)
      }.joined(separator: "\n")
    }
    let (rules, diagnostics) = RuleSet.parse(uncommented)
    #expect(diagnostics.map(\.rendered) == [])
    #expect(rules.rules.filter { $0.mechanism == .open }.count >= 2)
  }

  private struct File: Sendable, CustomTestStringConvertible {
    var path: String
    var owner: UInt32 = 0
    var group: UInt32 = 0
    var mode: UInt16 = 0o755
    var links: UInt32 = 1
    var isVerified = true
    var inWorldWritable = false
    let expected: String
    var testDescription: String { "\(expected): \(path)" }
  }

  @Test(arguments: [
    File(path: "/usr/bin/ls", expected: "allow rule"),
    File(path: "/usr/bin/sudo", mode: 0o4755, expected: "allow rule"),
    File(path: "/usr/local/bin/tool", mode: 0o775, expected: "allow rule"),
    File(path: "/usr/lib/x86_64-linux-gnu/libc.so.6", mode: 0o644, expected: "allow rule"),
    File(path: "/lib64/ld-linux-x86-64.so.2", expected: "allow rule"),
    File(path: "/etc/cron.daily/apt-compat", expected: "allow rule"),
    File(path: "/var/lib/dpkg/info/libc6.postinst", expected: "allow rule"),
    File(path: "/opt/tool/bin/tool", expected: "allow rule"),
    File(path: "/tmp/ls", owner: 1000, expected: "deny rule"),
    File(path: "/tmp/ls", expected: "deny rule"),
    File(path: "/tmpfiles/ls", expected: "deny default"),
    File(path: "/var/tmp/x", expected: "deny rule"),
    File(path: "/dev/shm/x", expected: "deny rule"),
    File(path: "/run/user/1000/x", expected: "deny rule"),
    File(path: "/home/user/bin/x", owner: 1000, expected: "deny rule"),
    File(path: "/usr/local/bin/mine", owner: 1000, expected: "deny rule"),
    File(path: "/usr/bin/ls", mode: 0o757, expected: "deny rule"),
    File(path: "/usr/bin/ls", group: 50, mode: 0o775, expected: "deny rule"),
    File(path: "/opt/shared/x", inWorldWritable: true, expected: "deny rule"),
    File(path: "/usr/bin/ls", isVerified: false, expected: "deny rule"),
    File(path: "/tmp/#4711 (deleted)", links: 0, isVerified: false, expected: "deny rule"),
    File(path: "/usr/bin/ls", links: 0, expected: "deny rule"),
    File(path: "/root/x", expected: "deny default"),
    File(path: "/srv/x", expected: "deny default"),
  ])
  private func decisions(_ file: File) throws {
    var settings = PolicySettings()
    settings[.exec].mode = .enforce
    let policy = Policy(rules: RuleSet.parse(try sources()).rules, settings: settings)
    let facts = blankSheet {
      $0.object.path = bytes(file.path)
      $0.object.owner = file.owner
      $0.object.group = file.group
      $0.object.mode = file.mode
      $0.object.links = file.links
      $0.object.pathVerified = file.isVerified
      $0.object.directoryWorldWritable = file.inWorldWritable
    }
    let (_, asked) = mediate(policy, .exec, facts)
    #expect(decided(policy, .exec, facts) == file.expected)
    // An allow that rests on the object alone can be handed to the kernel.
    #expect(asked.allSatisfy { $0.isDisjoint(with: .subject) })
  }
}
