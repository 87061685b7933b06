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
    #expect(rules.rules.count >= 5)
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

  /// By default what a package installed, untouched.
  private struct File: Sendable, CustomTestStringConvertible {
    var path: String
    var trust = TrustState.trusted
    var owner: UInt32 = 0
    var group: UInt32 = 0
    var mode: UInt16 = 0o755
    var links: UInt32 = 1
    var isVerified = true
    var kind = ContentKind.elfExecutable
    var uid: UInt32 = 1000
    /// Holds CAP_SYS_ADMIN.
    var isAdministrator = false
    var isInInitialNamespace = true
    let expected: String
    var testDescription: String {
      "\(expected): \(path) \(trust.name) \(owner):\(group) \(mode) \(kind.name) uid \(uid)"
    }
  }

  private static let files = [
    File(path: "/usr/bin/ls", expected: "allow rule"),
    File(path: "/usr/bin/sudo", mode: 0o4755, expected: "allow rule"),
    File(path: "/usr/bin/ls", links: 2, expected: "allow rule"),
    File(path: "/var/lib/dpkg/info/libc6.postinst", kind: .script, expected: "allow rule"),
    File(path: "/home/user/bin/added", expected: "allow rule"),
    // Trusted wherever it lies.
    File(path: "/srv/x", isVerified: false, expected: "allow rule"),
    // Where a file lies and who it belongs to is not enough.
    File(path: "/usr/bin/ls", trust: .changed, expected: "deny default"),
    File(path: "/usr/bin/ls", trust: .openForWriting, expected: "deny default"),
    File(path: "/usr/bin/unheard-of", trust: .unknown, expected: "deny default"),
    File(path: "/usr/local/bin/tool", trust: .unknown, expected: "deny default"),
    File(path: "/etc/cron.daily/mine", trust: .unknown, kind: .script, expected: "deny default"),
    File(path: "/opt/tool/bin/tool", trust: .unknown, expected: "deny default"),
    File(path: "/tmp/ls", trust: .unknown, expected: "deny default"),
    File(path: "/run/initramfs/shutdown", trust: .unknown, expected: "deny default"),
    File(path: "/tmp/#4711 (deleted)", trust: .unknown, links: 0, isVerified: false, expected: "deny default"),
    // Nor is the content, where others can change it after the look.
    File(path: "/usr/bin/at", owner: 1, expected: "deny rule"),
    File(path: "/usr/bin/ls", mode: 0o757, expected: "deny rule"),
    File(path: "/usr/bin/ls", group: 50, mode: 0o775, expected: "deny rule"),
    File(path: "/usr/local/bin/tool", mode: 0o775, expected: "allow rule"),
  ]

  private static let code = "/usr/lib/python3/dist-packages/apt/__pycache__/cache.cpython-311.pyc"
  private static let made = [
    File(path: code, trust: .unknown, kind: .other, expected: "allow rule"),
    File(path: "/usr/share/python3/__pycache__/x.pyc", trust: .unknown, kind: .other, expected: "allow rule"),
    File(path: code, trust: .unknown, owner: 1000, kind: .other, expected: "deny rule"),
    File(path: code, trust: .unknown, mode: 0o666, kind: .other, expected: "deny rule"),
    File(path: code, trust: .unknown, isVerified: false, kind: .other, expected: "deny default"),
    File(path: code, trust: .unknown, kind: .elfLibrary, expected: "deny default"),
    File(path: code, trust: .unknown, kind: .script, expected: "deny default"),
    File(path: "/usr/local/lib/__pycache__/x.pyc", trust: .unknown, kind: .other, expected: "deny default"),
    File(path: "/usr/lib/x.pyc", trust: .unknown, kind: .other, expected: "deny default"),
    File(path: "/usr/lib/__pycache__/x.pyc.so", trust: .unknown, kind: .other, expected: "deny default"),
    File(
      path: "/var/tmp/mkinitramfs_aBc123/usr/lib/libc.so.6", trust: .unknown, uid: 0, isAdministrator: true,
      expected: "allow rule"),
    File(
      path: "/var/tmp/dracut.aBc123/bin/sh", trust: .unknown, uid: 0, isAdministrator: true, expected: "allow rule"),
    // uid 0 is not enough: a confined service has it, and anybody has all capabilities in a namespace of his own.
    File(path: "/var/tmp/mkinitramfs_x/evil", trust: .unknown, uid: 0, expected: "deny default"),
    File(path: "/var/tmp/dracut.x/evil", trust: .unknown, uid: 0, expected: "deny default"),
    File(
      path: "/var/tmp/mkinitramfs_x/evil", trust: .unknown, uid: 0, isAdministrator: true,
      isInInitialNamespace: false, expected: "deny default"),
    File(path: "/var/tmp/mkinitramfs_aBc123/usr/lib/libc.so.6", trust: .unknown, expected: "deny default"),
    File(path: "/var/tmp/mkinitramfs_evil/sh", trust: .unknown, owner: 1000, uid: 0, expected: "deny rule"),
    File(path: "/var/tmp/other/sh", trust: .unknown, uid: 0, isAdministrator: true, expected: "deny default"),
  ]

  private func policy() throws -> Policy {
    var settings = PolicySettings()
    settings[.exec].mode = .enforce
    return Policy(rules: RuleSet.parse(try sources()).rules, settings: settings)
  }

  private func facts(_ file: File) -> Facts {
    blankSheet {
      $0.object.path = bytes(file.path)
      $0.object.trust = file.trust
      $0.object.owner = file.owner
      $0.object.group = file.group
      $0.object.mode = file.mode
      $0.object.links = file.links
      $0.object.pathVerified = file.isVerified
      $0.object.kind = file.kind
      $0.subject.uid = file.uid
      $0.subject.effectiveCapabilities = CapabilitySet(
        bits: file.isAdministrator ? 1 << UInt64(Capability.sysAdmin.rawValue) : 0)
      $0.subject.userNamespaceInitial = file.isInInitialNamespace
    }
  }

  @Test(arguments: files + made)
  private func decisions(_ file: File) throws {
    let (policy, facts) = (try policy(), facts(file))
    let (_, asked) = mediate(policy, .exec, facts)
    #expect(decided(policy, .exec, facts) == file.expected)
    // Of the subject only root's own work in /var/tmp asks.
    let isMade = file.path.hasPrefix("/var/tmp/") || !file.isVerified
    #expect(asked.allSatisfy { $0.isDisjoint(with: .subject) } || isMade)
  }

  /// What packages installed can be left to the kernel, with two groups of facts looked at.
  @Test func trustedFilesHoldForEverybody() throws {
    let (policy, facts) = (try policy(), facts(File(path: "/usr/bin/ls", expected: "")))
    #expect(policy.decideForEverySubject(.exec, facts) == .needs(.objectStatus))
    facts.markPresent(.objectStatus)
    #expect(policy.decideForEverySubject(.exec, facts) == .needs(.objectTrust))
    facts.markPresent(.objectTrust)
    #expect(policy.decideForEverySubject(.exec, facts) == policy.decide(.exec, facts))
    #expect(decided(policy, .exec, facts) == "allow rule")
  }

  /// A host on which `liliumctl trust sync` was not run is answered as `on_failure` says, and told so.
  @Test(arguments: Verdict.allCases)
  func withoutADatabase(_ onFailure: Verdict) throws {
    var settings = PolicySettings()
    settings[.exec].mode = .enforce
    settings[.exec].onFailure = onFailure
    let policy = Policy(rules: RuleSet.parse(try sources()).rules, settings: settings)
    #expect(policy.readsTrust)
    let facts = facts(File(path: "/usr/bin/ls", expected: ""))
    facts.markPresent([.objectStatus, .objectPath, .objectContent])
    facts.markFailed(.objectTrust, because: .trustUnavailable)
    #expect(decided(policy, .exec, facts) == "\(onFailure.name) failure")
    #expect(policy.decideForEverySubject(.exec, facts) == nil)
    facts.object.owner = 1000
    #expect(decided(policy, .exec, facts) == "deny rule", "what needs no database is decided without one")
  }
}
