// Owns the way from what is to be sensed to the fewest audit rules that sense it.
// It must not install them: RuleKeeper does.

public import AccessModel
public import AuditNetlink

/// An audit rule with what it is for.
public struct CompiledRule: Sendable, Hashable {
  public let rule: AuditRule
  /// Nil where the rule keeps what is known of processes up to date.
  public let mechanism: Mechanism?
  /// When it reports, as a sentence without an end.
  public let purpose: String
}

public enum RuleCompiler {
  /// Every key that is Lilium's begins so.
  public static let keyPrefix = "lilium."
  /// The key of the rules that keep what is known of processes up to date.
  public static let upkeepKey = keyPrefix + "subject"

  /// The rules for a plan: one for each test and architecture, with all the calls that share the test. None for an
  /// empty plan.
  public static func rules(
    for plan: SensingPlan, on architectures: [AuditArchitecture] = AuditArchitecture.compatibles
  ) -> [CompiledRule] {
    guard !plan.isEmpty else { return [] }
    let upkeep = CallDoor.upkeep.map { entry in
      (calls: entry.calls.filter { !isSensed($0, by: plan) }, tests: entry.tests)
    }
    return architectures.flatMap { architecture in
      // Two doors may need the same rule where arguments are not seen; the kernel takes none twice.
      unique(plan.doors.flatMap { rules(for: $0, on: architecture) })
        + upkeep.compactMap { entry in
          rule(
            architecture, entry.calls, entry.tests, key: upkeepKey, mechanism: nil,
            purpose: "a process changes its capabilities or namespaces: what is known of it holds no longer")
        }
    }
  }

  private static func unique(_ rules: [CompiledRule]) -> [CompiledRule] {
    var seen: Set<AuditRule> = []
    return rules.filter { seen.insert($0.rule).inserted }
  }

  /// The first rule that matches is the only one, so upkeep needs none for what a mechanism senses anyway.
  private static func isSensed(_ call: KnownCall, by plan: SensingPlan) -> Bool {
    plan.mechanisms.contains(.clone) && call != .capset
  }

  private static func rules(for door: CallDoor, on architecture: AuditArchitecture) -> [CompiledRule] {
    let blind = door.calls.filter { CallDoor.takesArgumentsInMemory($0, on: architecture) }
    let seeing = door.calls.filter { !blind.contains($0) }
    return [(seeing, door.tests), (blind, [])].compactMap { calls, tests in
      rule(
        architecture, calls, tests, key: keyPrefix + door.mechanism.name, mechanism: door.mechanism,
        purpose: calls == blind
          ? "a 32-bit program maps memory by a call whose arguments no rule sees; rare in programs of this century"
          : purpose(of: door.mechanism, calls))
    }
  }

  private static func rule(
    _ architecture: AuditArchitecture, _ calls: [KnownCall], _ tests: [ArgumentTest], key: String,
    mechanism: Mechanism?, purpose: String
  ) -> CompiledRule? {
    AuditRule(architecture: architecture, calls: calls, conditions: tests.map(AuditCondition.init), key: key)
      .map { CompiledRule(rule: $0, mechanism: mechanism, purpose: purpose) }
  }

  private static func purpose(of mechanism: Mechanism, _ calls: [KnownCall]) -> String {
    switch mechanism {
    case .exec, .open: ""
    case .ptrace where calls.contains(.ptrace): "a process begins to trace another; rare outside debuggers"
    case .ptrace: "a process writes another's memory or takes one of its descriptors; rare"
    case .mprotect where calls.contains(.mprotect):
      "memory is made executable after it was mapped; as often as a JIT compiles"
    case .mprotect: "memory is mapped that is both data and code; quiet but for JIT compilers"
    case .module: "a kernel module is loaded or unloaded; rare"
    case .kexec: "another kernel is loaded; rare"
    case .mount: "the file tree changes; rare, but for container engines"
    case .clone where calls.contains(.clone3):
      "a process or thread is made, or a namespace entered: clone3 hides its flags, so each one is reported"
    case .clone: "a namespace is made; rare, but for containers and sandboxes"
    case .ioctl: "a device gets the request that the rules name"
    }
  }
}

extension AuditCondition {
  fileprivate init(_ test: ArgumentTest) {
    switch test {
    case .equals(let argument, let value): self.init(Self.field(argument), .equal, value)
    case .anyBit(let argument, let mask): self.init(Self.field(argument), .bitMask, mask)
    case .allBits(let argument, let mask): self.init(Self.field(argument), .bitTest, mask)
    }
  }

  private static func field(_ argument: Int) -> Field {
    switch argument {
    case 0: .argument0
    case 1: .argument1
    case 2: .argument2
    default: .argument3
    }
  }
}
