// Owns what the readings about trust mean for Lilium, line by line.
// It must not read anything itself.

internal import Configuration
internal import PolicyDecision
internal import PolicyLanguage
internal import TrustDatabase

/// The part of `liliumctl doctor` about trust in content, and what the kernel does for it.
struct TrustChecks {
  private let readings: TrustReadings
  /// The configuration lets the kernel keep allows.
  private let remembers: Bool
  /// Some rule of a mechanism that is on asks the database.
  private let isNeeded: Bool

  init(_ readings: TrustReadings, _ configuration: Configuration, _ rules: RuleSet) {
    self.readings = readings
    remembers = configuration.trust.remembersAllows
    isNeeded = Policy(rules: rules, settings: configuration.policy).readsTrust
  }

  var all: [HostCheck] { [database] + hooks + [memory, leases, verity] }

  private var database: HostCheck {
    let name = "trust database"
    switch readings.store {
    case .failure(let error):
      return HostCheck(name, false, needed: isNeeded, error.description)
    case .success(let manifest):
      let age = TimeText.duration(UInt64(max(0, readings.now - manifest.written)))
      let paths = Quantity.count(manifest.paths)
      return HostCheck(
        name, true, needed: isNeeded, "generation \(manifest.generation), \(paths) paths, written \(age) ago")
    }
  }

  private var hooks: [HostCheck] {
    if readings.hooks.isEmpty {
      let detail = "no dpkg here; run liliumctl trust sync after each installation of a package"
      return [HostCheck("package hooks", .information, detail)]
    }
    return readings.hooks.map { hook in
      let name = "hook \(hook.path)"
      let remedy = "until it is installed, run liliumctl trust sync after each installation of a package"
      return switch hook.state {
      case .installed: HostCheck(name, true, "the trust database follows packages")
      case .absent: HostCheck(name, false, "not there; \(remedy)")
      case .foreign: HostCheck(name, false, "does not call liliumctl trust transaction; \(remedy)")
      case .broken(let program): HostCheck(name, false, "calls \(program), which is not there; \(remedy)")
      }
    }
  }

  /// What the kernel keeps needs ignore marks, and to be told of changes.
  private var memory: HostCheck {
    let name = "allows that the kernel remembers"
    let otherwise = "every open of code is asked about"
    guard readings.canIgnore else {
      return HostCheck(name, false, "no evictable ignore marks, as of Linux 6.0; \(otherwise)")
    }
    if let refusal = readings.watchRefusal {
      return HostCheck(name, false, "changes of files on the root file system are not told: \(refusal); \(otherwise)")
    }
    guard remembers else { return HostCheck(name, .information, "possible; trust.remember switches them off") }
    return HostCheck(name, true, "kept until the file, the rules or the trust database change")
  }

  private var leases: HostCheck {
    HostCheck(
      "read leases (CAP_LEASE)", readings.hasLeases, needed: isNeeded,
      readings.hasLeases
        ? "tell whether a file is still being written"
        : "none given on \(TrustReadings.program): who writes a file is not known, so none there is trusted")
  }

  private var verity: HostCheck {
    readings.hasVerity
      ? HostCheck("fs-verity on /", true, "files that have a digest are not read to be trusted")
      : HostCheck("fs-verity on /", .information, "not offered; files are read to be trusted")
  }
}
