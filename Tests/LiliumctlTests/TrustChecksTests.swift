// Owns what `liliumctl doctor` says about trust: the database, the hooks, what the kernel does for it.

import AccessModel
import Configuration
import Glibc
import PolicyLanguage
import SystemCalls
import Testing

@testable import TrustDatabase
@testable import liliumctl

private let manifest = TrustManifest(
  generation: 7, byteCount: 4096, hash: ContentHash(), paths: 104_211, contents: 2, written: 1000)

/// A host that has everything, one fact changed.
private func readings(_ change: (inout TrustReadings) -> Void = { _ in }) -> TrustReadings {
  var readings = TrustReadings(
    canIgnore: true, watchRefusal: nil, hasLeases: true, hasVerity: true, store: .success(manifest), now: 1090,
    hooks: TrustReadings.packageHooks.map { hook in
      var hook = hook
      hook.state = .installed
      return hook
    })
  change(&readings)
  return readings
}

private func checks(
  _ readings: TrustReadings, _ text: String = "", rules: String = "allow exec when object.trusted\n"
) throws -> [HostCheck] {
  let configuration = try #require(Configuration.parse(Array(text.utf8), path: "c").configuration)
  let set = RuleSet.parse([RuleSource(path: "r", file: "r", bytes: Array(rules.utf8))]).rules
  return TrustChecks(readings, configuration, set).all
}

@Suite struct TrustChecksTests {
  @Test func aHostThatHasEverything() throws {
    let text = DoctorReport(checks: try checks(readings())).rendered(Paint(isOn: false))
    #expect(
      text == """
        [+] trust database: generation 7, 104,211 paths, written 1m 30s ago
        [+] hook /etc/dpkg/dpkg.cfg.d/lilium: the trust database follows packages
        [+] hook /etc/apt/apt.conf.d/20lilium: the trust database follows packages
        [+] allows that the kernel remembers: kept until the file, the rules or the trust database change
        [+] read leases (CAP_LEASE): tell whether a file is still being written
        [+] fs-verity on /: files that have a digest are not read to be trusted

        """)
  }

  static let faults: [(TrustReadings, String)] = [
    (
      readings { $0.store = .failure(.missing(folder: "/x/trust")) },
      "[-] trust database: /x/trust: there is no trust database; run liliumctl trust sync\n"
    ),
    (
      readings { $0.store = .failure(.damaged(path: "/x\u{1b}", why: "torn")) },
      "[-] trust database: /x\\u{1b}: the trust database is damaged: torn; run liliumctl trust sync\n"
    ),
    (readings { $0.now = 0 }, "[+] trust database: generation 7, 104,211 paths, written 0s ago\n"),
    (
      readings { $0.hooks[0].state = .absent },
      "[-] hook /etc/dpkg/dpkg.cfg.d/lilium: not there; until it is installed, run liliumctl trust sync after each "
        + "installation of a package\n"
    ),
    (
      readings { $0.hooks[1].state = .foreign },
      "[-] hook /etc/apt/apt.conf.d/20lilium: does not call liliumctl trust transaction; until"
    ),
    (
      readings { $0.hooks[1].state = .broken(program: "/usr/bin/liliumctl") },
      "[-] hook /etc/apt/apt.conf.d/20lilium: calls /usr/bin/liliumctl, which is not there; until"
    ),
    (readings { $0.hooks = [] }, "[ ] package hooks: no dpkg here; run liliumctl trust sync after"),
    (readings { $0.canIgnore = false }, "[-] allows that the kernel remembers: no evictable ignore marks"),
    (
      readings { $0.watchRefusal = .notSupported },
      "[-] allows that the kernel remembers: changes of files on the root file system are not told: Operation not"
    ),
    (readings { $0.hasLeases = false }, "[-] read leases (CAP_LEASE): none given on /bin/sh: who writes"),
    (readings { $0.hasVerity = false }, "[ ] fs-verity on /: not offered; files are read to be trusted\n"),
  ]

  @Test(arguments: faults) func whatIsNotThere(_ readings: TrustReadings, _ line: String) throws {
    let text = DoctorReport(checks: try checks(readings)).rendered(Paint(isOn: false))
    #expect(text.contains(line), "\(text)")
    #expect(harmful(text).isEmpty)
  }

  @Test func whatTheConfigurationSwitchesOffIsNoFault() throws {
    let off = try checks(readings(), "trust.remember = false")
    #expect(off.first { $0.name == "allows that the kernel remembers" }?.state == .information)
    let cannot = try checks(readings { $0.canIgnore = false }, "trust.remember = false")
    #expect(cannot.first { $0.name == "allows that the kernel remembers" }?.state == .missing)
  }

  @Test(arguments: [
    ("", "allow exec when object.trusted", false), ("mode.exec = \"audit\"", "allow exec when object.trusted", true),
    ("mode.exec = \"enforce\"", "allow exec", false),
    ("mode.open = \"audit\"", "allow exec when object.trusted", false),
  ])
  func theDatabaseIsNeededWhereARuleAsksIt(_ configuration: String, _ rules: String, _ isNeeded: Bool) throws {
    let nothing = readings {
      $0.store = .failure(.missing(folder: "/x"))
      $0.hasLeases = false
    }
    #expect(DoctorReport(checks: try checks(nothing, configuration, rules: rules)).isGood == !isNeeded)
    #expect(DoctorReport(checks: try checks(readings(), configuration, rules: rules)).isGood)
  }
}

@Suite struct TrustReadingsTests {
  private static let shipped = ["etc/dpkg/dpkg.cfg.d/lilium", "etc/apt/apt.conf.d/20lilium"]

  private func text(_ name: String) throws -> String {
    let repository = String(#filePath.dropLast("Tests/LiliumctlTests/TrustChecksTests.swift".count))
    return String(decoding: try Descriptor.open(repository + name, O_RDONLY).readAll(limit: 1 << 20), as: UTF8.self)
  }

  @Test(arguments: [0, 1]) func theShippedHooksAreKnown(_ index: Int) throws {
    let hook = TrustReadings.packageHooks[index]
    let text = try text(Self.shipped[index])
    #expect(hook.path == "/" + Self.shipped[index])
    #expect(TrustReadings.state(of: hook, text: text) { $0 == "/usr/bin/liliumctl" } == .installed)
    #expect(TrustReadings.state(of: hook, text: text) { _ in false } == .broken(program: "/usr/bin/liliumctl"))
    #expect(TrustReadings.state(of: hook, text: nil) { _ in true } == .absent)
    let moved = text.replacing("/usr/bin/", with: "/usr/local/bin/")
    #expect(TrustReadings.state(of: hook, text: moved) { $0 == "/usr/local/bin/liliumctl" } == .installed)
    let silenced = text.split(separator: "\n").map { "#" + $0 }.joined(separator: "\n")
    for foreign in ["", "pre-invoke=true\n", silenced] {
      #expect(TrustReadings.state(of: hook, text: foreign) { _ in true } == .foreign)
    }
  }

  /// A hook that begins what nothing ends.
  @Test func halfAHookIsNone() throws {
    let half = try text(Self.shipped[0]).split(separator: "\n").filter { !$0.hasPrefix("post-invoke") }
    let state = TrustReadings.state(of: TrustReadings.packageHooks[0], text: half.joined(separator: "\n")) { _ in true }
    #expect(state == .foreign)
  }

  @Test func anAptHookThatEndsNothingIsNone() throws {
    let half = try text(Self.shipped[1]).split(separator: "\n").filter { !$0.contains("prune") }
    let state = TrustReadings.state(of: TrustReadings.packageHooks[1], text: half.joined(separator: "\n")) { _ in true }
    #expect(state == .foreign)
  }

  /// What the kernel makes up is on no file system that has either.
  @Test func leasesAndDigestsAreTried() {
    #expect(!TrustReadings.hasVerity("/proc/self/status"))
    #expect(!TrustReadings.hasVerity("/nonexistent"))
    #expect(!TrustReadings.hasLeases("/nonexistent"))
  }

  @Test func aFolderWithoutADatabaseHasNone() {
    let readings = TrustReadings.take(state: "/nonexistent")
    #expect(throws: TrustStoreError.missing(folder: "/nonexistent/trust")) { try readings.store.get() }
    #expect(readings.now > 1_700_000_000)
  }
}
