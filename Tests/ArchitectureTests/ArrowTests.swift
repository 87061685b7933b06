// Owns the arrows between the targets: which stage may import which, and which modules of the system.
// A new target or arrow is argued about here first.

import Testing

@Suite("The arrows between targets point one way")
struct ArrowTests {
  /// Which stages a stage may import from. Information, Enforcement and AuditTrail never know one another.
  static let allowed: [String: Set<String>] = [
    "Kernel": ["Kernel"],
    "Model": [],
    "Decision": ["Decision", "Model"],
    "Information": ["Model", "Kernel"],
    "Monitor": ["Model", "Decision"],
    "Enforcement": ["Model", "Kernel"],
    "AuditTrail": ["AuditTrail", "Model", "Kernel"],
    "Administration": ["Administration", "Model", "Decision", "Kernel"],
    "liliumd": [
      "Kernel", "Model", "Decision", "Information", "Monitor", "Enforcement", "AuditTrail", "Administration",
    ],
    // It shows what the enforcement points would ask of the kernel.
    "liliumctl": ["Kernel", "Model", "Decision", "Information", "Enforcement", "AuditTrail", "Administration"],
  ]

  /// Arrows of single targets beyond those of their stage, each with its reason.
  static let extraArrows: [String: Set<String>] = [
    // The trust database has one form on disk, which its reader on the answer path owns. Who keeps it up to date writes
    // that form through the same target, so that no second description of it can differ; nothing else of the stage is
    // Administration's business, and liliumd does not link TrustUpkeep.
    "TrustUpkeep": ["TrustDatabase"],
    // The module map of the database's own library: an arrow to outside, as those of Kernel are.
    "TrustDatabase": ["CLMDB"],
  ]

  private static func allows(_ name: String, in stages: Set<String>, to other: DeclaredTarget) -> Bool {
    stages.contains(other.stage) || extraArrows[name, default: []].contains(other.name)
  }

  /// Targets that do no I/O and import nothing that could.
  static let pure: Set<String> = ["AccessModel", "PolicyLanguage", "PolicyDecision", "DecisionRecord"]

  /// Modules from outside this package that a stage may import; `Synchronization` is everybody's.
  static let foreign: [String: Set<String>] = [
    "Kernel": ["Glibc"],
    "Information": ["Glibc"],
    "Enforcement": ["Glibc"],
    "AuditTrail": ["Glibc"],
    "Administration": ["Glibc", "TOMLKit", "FoundationEssentials", "Foundation"],
    "liliumd": ["Glibc"],
    "liliumctl": ["Glibc", "ArgumentParser", "FoundationEssentials", "Foundation"],
  ]

  static let targets = PackageTargets.read(Repository.file("Package.swift")?.text ?? "")
  static let swiftSources = Repository.sources.filter(\.isSwift)

  @Test func everyFolderIsADeclaredTargetOfItsStage() {
    #expect(!Self.swiftSources.isEmpty)
    let folders = Set(Repository.sources.compactMap(\.target))
    #expect(
      folders.symmetricDifference(Self.targets.keys).isEmpty, "Package.swift and Sources do not hold the same targets")
    for file in Repository.sources {
      guard let name = file.target, let declared = Self.targets[name] else { continue }
      #expect(file.folders[1] == declared.stage, "\(file.path): Package.swift puts \(name) into \(declared.stage)")
    }
  }

  @Test(arguments: swiftSources)
  func importsFollowTheArrows(_ file: SourceFile) throws {
    let name = try #require(file.target, "\(file.path) belongs to no target")
    let target = try #require(Self.targets[name], "\(name) is not in Package.swift")
    let stages = try #require(Self.allowed[target.stage], "\(target.stage) is not a stage")
    for module in SwiftText(file.text).imports {
      if let other = Self.targets[module] {
        #expect(target.dependencies.contains(module), "\(file.path) imports \(module); \(name) does not declare it")
        #expect(
          Self.allows(name, in: stages, to: other),
          "\(file.path): \(target.stage) must not import \(module) of \(other.stage)")
      } else {
        let foreign = Self.foreign[target.stage, default: []].union(["Synchronization"])
        #expect(foreign.contains(module), "\(file.path): \(target.stage) must not import \(module)")
        #expect(!Self.pure.contains(name) || module == "Synchronization", "\(file.path): \(name) does no I/O")
      }
    }
  }

  /// What is declared but not imported counts as well: it is linked.
  @Test(arguments: targets.keys.sorted())
  func declaredDependenciesFollowTheArrows(_ name: String) throws {
    let target = try #require(Self.targets[name])
    let stages = try #require(Self.allowed[target.stage], "\(target.stage) is not a stage")
    for dependency in target.dependencies {
      if let other = Self.targets[dependency] {
        #expect(
          Self.allows(name, in: stages, to: other), "Package.swift: \(name) must not depend on \(dependency)")
        #expect(!Self.pure.contains(name) || other.stage != "Kernel", "Package.swift: \(name) does no I/O")
      } else {
        #expect(
          Self.foreign[target.stage, default: []].contains(dependency),
          "Package.swift: \(target.stage) must not depend on \(dependency)")
      }
    }
  }

  @Test func pureTargetsExist() {
    #expect(Self.pure.isSubset(of: Self.targets.keys))
  }

  /// An exception that nothing uses is none, and neither is one that the stage has anyway.
  @Test(arguments: extraArrows.keys.sorted())
  func exceptionsAreUsed(_ name: String) throws {
    let target = try #require(Self.targets[name])
    for other in Self.extraArrows[name, default: []] {
      #expect(target.dependencies.contains(other), "Package.swift: \(name) does not depend on \(other)")
      let stage = try #require(Self.targets[other]?.stage)
      #expect(Self.allowed[target.stage]?.contains(stage) == false, "\(target.stage) may import from \(stage) anyway")
    }
  }

  /// What reads files for the trust database, or writes it, is no part of the daemon.
  @Test func theDaemonKeepsNoDatabaseUp() throws {
    let daemon = try #require(Self.targets["liliumd"])
    #expect(daemon.dependencies.isDisjoint(with: ["TrustUpkeep", "TrustSources", "CArchive"]))
  }

  @Test func aManifestIsReadAsItIsMeant() throws {
    let manifest = """
      stage("Model", "A"),
      stage(
        "AuditTrail", "B", ["A", .product(name: "P", package: "q-r")], safe: false),
      shim("Kernel", "C", [.linkedLibrary("c")]),
      .target(
        name: "D", path: "Sources/Decision/D", linkerSettings: []),
      .target(name: "F", path: "Tests/F"),
      .executableTarget(name: "e", dependencies: ["A", "B"]),
      """
    let targets = PackageTargets.read(manifest)
    #expect(targets.mapValues(\.stage) == ["A": "Model", "B": "AuditTrail", "C": "Kernel", "D": "Decision", "e": "e"])
    #expect(targets["B"]?.dependencies == ["A", "P"])
    #expect(targets["C"]?.dependencies == [])
    #expect(targets["e"]?.dependencies == ["A", "B"])
  }
}
