// swift-tools-version: 6.3
// Lilium's targets. A folder under Sources is a stage of the reference monitor, a folder in it is one target; the
// arrows of `dependencies` point one way, and Tests/ArchitectureTests holds them.

import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Exclusive access is proven in every test, on debug builds; the released answer path does not look again (5 % of
/// its own time).
let released: [SwiftSetting] = [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// A Swift target of one stage.
func stage(
  _ folder: String, _ name: String, _ dependencies: [Target.Dependency] = [], safe: Bool = true
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(folder)/\(name)",
    swiftSettings: strict + released + (safe ? [.strictMemorySafety()] : []))
}

/// A C target that only carries macros, variadics and layouts to Swift.
func shim(_ folder: String, _ name: String, _ linked: [LinkerSetting] = []) -> Target {
  .target(
    name: name, path: "Sources/\(folder)/\(name)",
    cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])], linkerSettings: linked)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

/// Fuzzers exist only where libFuzzer is asked for: LILIUM_FUZZ=1 swift build --sanitize fuzzer --product NAME.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Tests/Fuzzers/\(name)",
    swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
}

let fuzzers: [Target] = [
  fuzzer("RuleTextFuzzer", ["AccessModel", "PolicyDecision", "PolicyLanguage"]),
  fuzzer("ConfigurationFuzzer", ["Configuration"]),
  fuzzer("ControlMessageFuzzer", ["AccessModel", "ControlProtocol"]),
  fuzzer("EventBufferFuzzer", ["Fanotify"]),
  fuzzer("ProcFSFuzzer", ["ProcFS"]),
  fuzzer("AuditRecordFuzzer", ["AuditNetlink"]),
  fuzzer("BinaryFormatFuzzer", ["BinaryFormat"]),
  fuzzer("TrustEntryFuzzer", ["AccessModel", "TrustDatabase"]),
  fuzzer("TrustManifestFuzzer", ["ContentDigest", "TrustDatabase"]),
  fuzzer("TrustFileFuzzer", ["TrustSources"]),
  fuzzer("ChecksumListFuzzer", ["TrustSources"]),
  fuzzer("DpkgDatabaseFuzzer", ["TrustSources"]),
]

let package = Package(
  name: "lilium",
  products: [
    .executable(name: "liliumd", targets: ["liliumd"]),
    .executable(name: "liliumctl", targets: ["liliumctl"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    // Kernel: one target an interface, no policy words.
    shim("Kernel", "CSystemCalls"),
    stage("Kernel", "SystemCalls", ["CSystemCalls"]),
    shim("Kernel", "CStallGuard"),
    stage("Kernel", "StallGuard", ["CStallGuard", "SystemCalls"]),
    shim("Kernel", "CFanotify"),
    stage("Kernel", "Fanotify", ["CFanotify", "SystemCalls"]),
    stage("Kernel", "ProcFS", ["SystemCalls"]),
    stage("Kernel", "BinaryFormat"),
    stage("Kernel", "Inotify", ["SystemCalls"]),
    .systemLibrary(
      name: "CLibcrypto", path: "Sources/Kernel/CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    stage("Kernel", "ContentDigest", ["CLibcrypto", "SystemCalls"]),
    .systemLibrary(
      name: "CCapabilities", path: "Sources/Kernel/CCapabilities", pkgConfig: "libcap",
      providers: [.apt(["libcap-dev"])]),
    stage("Kernel", "Capabilities", ["CCapabilities", "SystemCalls"]),
    .systemLibrary(
      name: "CSystemd", path: "Sources/Kernel/CSystemd", pkgConfig: "libsystemd",
      providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(
      name: "CAudit", path: "Sources/Kernel/CAudit", pkgConfig: "audit", providers: [.apt(["libaudit-dev"])]),
    shim("Kernel", "CAuditNetlink"),
    stage("Kernel", "AuditNetlink", ["CAudit", "CAuditNetlink", "SystemCalls"]),
    shim("Kernel", "CBPFLSM", [.linkedLibrary("bpf")]),
    .plugin(name: "KernelPrograms", capability: .buildTool()),
    .target(
      name: "BPFLSM", dependencies: ["CBPFLSM", "SystemCalls"], path: "Sources/Kernel/BPFLSM", exclude: ["bpf"],
      swiftSettings: strict + released + [.strictMemorySafety()], plugins: ["KernelPrograms"]),
    shim("Kernel", "CJournal"),
    stage("Kernel", "Journal", ["CJournal", "CSystemd", "SystemCalls"]),

    // Model: the words that all stages share, and the ports between them.
    stage("Model", "AccessModel"),

    // Decision: text in, verdict out; pure.
    .target(
      name: "CRegularExpression", path: "Sources/Decision/CRegularExpression",
      linkerSettings: [.linkedLibrary("re2"), .linkedLibrary("stdc++")]),
    stage("Decision", "RegularExpression", ["CRegularExpression"]),
    stage("Decision", "PolicyLanguage", ["AccessModel", "RegularExpression"]),
    stage("Decision", "PolicyDecision", ["AccessModel", "PolicyLanguage", "RegularExpression"]),

    // Information: facts about the subject and the object of a request.
    stage("Information", "SubjectInformation", ["AccessModel", "BinaryFormat", "ProcFS", "SystemCalls"]),
    stage("Information", "ObjectInformation", ["AccessModel", "BinaryFormat", "ProcFS", "SystemCalls"]),
    stage("Information", "Integrity", ["AccessModel", "ContentDigest", "SystemCalls"]),
    .systemLibrary(
      name: "CLMDB", path: "Sources/Information/CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
    stage("Information", "TrustDatabase", ["AccessModel", "CLMDB", "ContentDigest", "SystemCalls"]),

    // Monitor: mediate a request, written against the ports.
    stage("Monitor", "ReferenceMonitor", ["AccessModel", "PolicyDecision"]),

    // Enforcement: where requests come from and answers go.
    stage(
      "Enforcement", "FanotifyEnforcement", ["AccessModel", "Fanotify", "Inotify", "ProcFS", "SystemCalls"]),
    stage("Enforcement", "AuditResponse", ["AccessModel", "AuditNetlink", "ProcFS", "SystemCalls"]),
    stage(
      "Enforcement", "LSMEnforcement", ["AccessModel", "AuditNetlink", "BPFLSM", "CBPFLSM", "ProcFS", "SystemCalls"]),

    // AuditTrail: what a record says, and where it goes.
    stage("AuditTrail", "DecisionRecord", ["AccessModel"]),
    stage("AuditTrail", "TrailSinks", ["AccessModel", "AuditNetlink", "DecisionRecord", "Journal", "SystemCalls"]),

    // Administration: what the administrator says to Lilium, and what Lilium says back.
    stage(
      "Administration", "Configuration",
      ["AccessModel", "ContentDigest", "PolicyLanguage", "SystemCalls", .product(name: "TOMLKit", package: "TOMLKit")],
      safe: false),
    stage("Administration", "ControlProtocol", ["AccessModel"], safe: false),
    stage("Administration", "ControlSocket", ["ControlProtocol", "ProcFS", "SystemCalls"]),
    .systemLibrary(
      name: "CArchive", path: "Sources/Administration/CArchive", pkgConfig: "libarchive",
      providers: [.apt(["libarchive-dev"])]),
    stage("Administration", "TrustSources", ["CArchive", "ContentDigest", "SystemCalls"], safe: false),
    stage(
      "Administration", "TrustUpkeep",
      ["AccessModel", "ContentDigest", "SystemCalls", "TrustDatabase", "TrustSources"], safe: false),

    .executableTarget(
      name: "liliumd",
      dependencies: [
        "AccessModel", "AuditNetlink", "AuditResponse", "Capabilities", "Configuration", "ContentDigest",
        "BPFLSM", "ControlProtocol", "ControlSocket", "DecisionRecord", "Fanotify", "FanotifyEnforcement", "Integrity",
        "Journal", "LSMEnforcement", "ObjectInformation",
        "PolicyDecision", "PolicyLanguage", "ProcFS", "ReferenceMonitor", "StallGuard", "SubjectInformation",
        "SystemCalls",
        "TrailSinks", "TrustDatabase",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "liliumctl",
      dependencies: [
        "AccessModel", "AuditNetlink", "AuditResponse", "BPFLSM", "Configuration", "ControlProtocol", "ControlSocket",
        "DecisionRecord", "Fanotify", "LSMEnforcement", "ObjectInformation", "PolicyDecision", "PolicyLanguage",
        "ProcFS",
        "Integrity", "SystemCalls", "TrustDatabase", "TrustSources", "TrustUpkeep",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    tests("ArchitectureTests", ["AccessModel"]),
    .target(
      name: "CRequestNumbers", path: "Tests/CRequestNumbers",
      cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    tests("AccessModelTests", ["AccessModel", "CRequestNumbers"]),
    tests("SystemCallsTests", ["SystemCalls"]),
    tests("CapabilitiesTests", ["AccessModel", "Capabilities", "ProcFS", "SystemCalls"]),
    tests("BinaryFormatTests", ["BinaryFormat"]),
    tests("ProcFSTests", ["ProcFS", "SystemCalls"]),
    tests("FanotifyTests", ["CFanotify", "Fanotify", "SystemCalls"]),
    .systemLibrary(
      name: "CAuparse", path: "Tests/CAuparse", pkgConfig: "auparse", providers: [.apt(["libauparse-dev"])]),
    tests("AuditNetlinkTests", ["AuditNetlink", "CAudit", "CAuparse", "SystemCalls"]),
    tests("AuditResponseTests", ["AccessModel", "AuditNetlink", "AuditResponse", "CAudit", "ProcFS", "SystemCalls"]),
    tests(
      "LSMEnforcementTests",
      ["AccessModel", "AuditNetlink", "BPFLSM", "CBPFLSM", "LSMEnforcement", "ProcFS", "SystemCalls"]),
    tests("ReferenceMonitorTests", ["AccessModel", "PolicyDecision", "PolicyLanguage", "ReferenceMonitor"]),
    tests(
      "FanotifyEnforcementTests",
      ["AccessModel", "Fanotify", "FanotifyEnforcement", "Inotify", "ProcFS", "SystemCalls"]),
    tests("SubjectInformationTests", ["AccessModel", "SubjectInformation", "SystemCalls"]),
    tests("ObjectInformationTests", ["AccessModel", "ObjectInformation", "ProcFS", "SystemCalls"]),
    tests("PolicyLanguageTests", ["AccessModel", "PolicyLanguage"]),
    // Random rules and requests, for whoever holds the kernel's programs against `decide`.
    .target(
      name: "KernelQuestions", dependencies: ["AccessModel", "PolicyDecision", "PolicyLanguage"],
      path: "Tests/KernelQuestions", swiftSettings: strict),
    // They load a program into the kernel, and ask it.
    tests(
      "BPFLSMTests",
      ["AccessModel", "BPFLSM", "CBPFLSM", "KernelQuestions", "LSMEnforcement", "PolicyDecision", "PolicyLanguage"]),
    tests(
      "PolicyDecisionTests",
      ["AccessModel", "CAllocationCounter", "KernelQuestions", "PolicyDecision", "PolicyLanguage"]),
    tests(
      "AnswerPathTests",
      [
        "AccessModel", "CAllocationCounter", "ObjectInformation", "PolicyDecision", "PolicyLanguage", "ProcFS",
        "ReferenceMonitor", "SubjectInformation", "SystemCalls",
      ]),
    tests("ContentDigestTests", ["CAllocationCounter", "ContentDigest", "SystemCalls"]),
    tests("IntegrityTests", ["AccessModel", "ContentDigest", "Integrity", "SystemCalls"]),
    tests(
      "TrustDatabaseTests", ["AccessModel", "CAllocationCounter", "ContentDigest", "SystemCalls", "TrustDatabase"]),
    tests("TrustSourcesTests", ["ContentDigest", "SystemCalls", "TrustSources"]),
    tests(
      "TrustUpkeepTests",
      ["AccessModel", "ContentDigest", "SystemCalls", "TrustDatabase", "TrustSources", "TrustUpkeep"]),
    tests("DecisionRecordTests", ["AccessModel", "DecisionRecord"]),
    tests("JournalTests", ["Journal", "SystemCalls"]),
    tests("TrailSinksTests", ["AccessModel", "DecisionRecord", "Journal", "SystemCalls", "TrailSinks"]),
    tests("ConfigurationTests", ["AccessModel", "Configuration", "PolicyLanguage", "SystemCalls"]),
    tests("ControlProtocolTests", ["AccessModel", "ControlProtocol", "ControlSocket", "SystemCalls"]),
    tests(
      "LiliumctlTests",
      [
        "AccessModel", "AuditNetlink", "AuditResponse", "BPFLSM", "Configuration", "ControlProtocol", "ControlSocket",
        "PolicyLanguage", "SystemCalls", "TrustDatabase", "TrustSources", "TrustUpkeep", "liliumctl",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(
      name: "RecordMappingTests", dependencies: ["AccessModel", "DecisionRecord"], path: "Tests/RecordMappingTests",
      exclude: ["Golden"], swiftSettings: strict),
    // They start liliumd and liliumctl, which must be built beside them.
    tests("KernelTests", ["AccessModel", "Fanotify", "FanotifyEnforcement", "liliumctl", "liliumd"]),
  ],
  cLanguageStandard: .gnu17,
  cxxLanguageStandard: .cxx17
)

if Context.environment["LILIUM_FUZZ"] == "1" { package.targets += fuzzers }

// The answer path's allocations are counted on optimised code: LILIUM_ANSWER_PATH=1 leaves what that test needs.
if Context.environment["LILIUM_ANSWER_PATH"] == "1" {
  package.products = []
  package.dependencies = []
  package.targets.removeAll { target in
    switch target.type {
    case .test: target.name != "AnswerPathTests"
    case .executable: true
    default: target.path?.hasPrefix("Sources/Administration") == true
    }
  }
}
