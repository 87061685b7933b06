// Holds that what is sensed is what the kernel's filter selects: no call that it reports is lost on the way, and no
// other call is taken for a door.

import AccessModel
import Testing

@testable import AuditNetlink
@testable import AuditResponse

@Suite("Classification of calls")
struct ClassificationTests {
  static let plans: [SensingPlan] =
    Mechanism.allCases.map { SensingPlan([($0, .all)]) } + [
      SensingPlan(Mechanism.allCases.map { ($0, .all) }), SensingPlan(),
      SensingPlan([(.ptrace, .numbers([0, 16, 0x4206])), (.ioctl, .numbers([0x5412, 0xc004_5877]))]),
      SensingPlan([(.ioctl, .numbers([])), (.ptrace, .numbers([]))]),
    ]

  /// The kernel's filter: 32 bits without sign (AuditCondition).
  private func selects(
    _ rule: AuditRule, _ call: KnownCall, _ architecture: AuditArchitecture, _ arguments: [UInt64]
  ) -> Bool {
    rule.architecture == architecture && rule.calls.contains(call)
      && rule.conditions.allSatisfy { condition in
        let value = UInt32(truncatingIfNeeded: arguments[Int(condition.field.rawValue) - 200])
        switch condition.comparison {
        case .equal: return value == condition.value
        case .notEqual: return value != condition.value
        case .less: return value < condition.value
        case .greater: return value > condition.value
        case .lessOrEqual: return value <= condition.value
        case .greaterOrEqual: return value >= condition.value
        case .bitMask: return value & condition.value != 0
        case .bitTest: return value & condition.value == condition.value
        }
      }
  }

  /// Values near those that tests ask for, with and without something in the upper half.
  private static func argument(_ generator: inout SystemRandomNumberGenerator) -> UInt64 {
    let known: [UInt64] = [
      0, 1, 2, 3, 4, 5, 6, 7, 16, 0x20, 0x22, 0x80, 0x4206, 0x5412, 0x2_0000, 0x1000_0000, 0xc004_5877,
    ]
    let low =
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: known.randomElement(using: &generator) ?? 0
      case 1: UInt64(1) << UInt64.random(in: 0..<32, using: &generator)
      case 2: (known.randomElement(using: &generator) ?? 0) | UInt64(1) << UInt64.random(in: 0..<32, using: &generator)
      default: UInt64.random(in: 0...0xffff_ffff, using: &generator)
      }
    return Bool.random(using: &generator) ? low : low | UInt64.random(in: 0...0xffff_ffff, using: &generator) << 32
  }

  @Test(arguments: plans.indices, AuditArchitecture.known)
  func whatTheKernelSelectsIsADoor(_ index: Int, on architecture: AuditArchitecture) throws {
    let plan = Self.plans[index]
    let rules = RuleCompiler.rules(for: plan, on: [architecture])
    var generator = SystemRandomNumberGenerator()
    for call in KnownCall.allCases where call.number(on: architecture) != nil {
      for _ in 0..<400 {
        let arguments = (0..<4).map { _ in Self.argument(&generator) }
        let first = rules.first { $0.mechanism != nil && selects($0.rule, call, architecture, arguments) }
        let found = plan.mechanism(of: call, on: architecture, CallArguments(arguments))
        try #require(found == first?.mechanism, "\(call.name) on \(architecture.machine): \(arguments)")
      }
    }
  }

  /// The rule of a mechanism stands before upkeep's, so that upkeep never takes a call away from it.
  @Test func upkeepComesLast() {
    for plan in Self.plans {
      for architecture in AuditArchitecture.known {
        let order = RuleCompiler.rules(for: plan, on: [architecture]).map { $0.mechanism == nil }
        #expect(order == order.sorted { !$0 && $1 })
      }
    }
  }

  /// Whatever is on, what changes a process's capabilities, user namespace or mount namespace is always reported.
  @Test func upkeepIsAlwaysReported() {
    for plan in Self.plans where !plan.isEmpty && !RuleCompiler.rules(for: plan, on: [.x86_64]).isEmpty {
      let rules = RuleCompiler.rules(for: plan, on: [.x86_64])
      for (call, argument) in [
        (KnownCall.capset, 0), (.setns, 0), (.unshare, 0x1000_0000), (.unshare, 0x2_0000),
        (.clone, 0x1000_0011), (.clone, 0x2_0011),
      ] {
        #expect(
          rules.contains { selects($0.rule, call, .x86_64, [UInt64(argument), 0, 0, 0]) }, "\(call.name)")
      }
    }
  }

  @Test func absentArgumentsAreZero() {
    let arguments = CallArguments([1, 0xffff_ffff_0000_0002])
    #expect(arguments[0] == 1 && arguments[1] == 0xffff_ffff_0000_0002 && arguments.low(1) == 2)
    #expect(arguments[2] == 0 && arguments[-1] == 0 && arguments.low(7) == 0)
  }
}
