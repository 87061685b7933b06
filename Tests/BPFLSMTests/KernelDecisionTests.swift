// Holds what the program in the kernel says against `decide`: random rules of every mechanism, random requests. It asks
// by BPF_PROG_RUN, so that no call is at stake, and needs a kernel that loads programs of the kind "syscall", and root.

import AccessModel
import CBPFLSM
import Glibc
import KernelQuestions
import LSMEnforcement
import PolicyDecision
import PolicyLanguage
import Testing

@testable import BPFLSM

@Suite("What the kernel says and what `decide` says", .serialized)
struct KernelDecisionTests {
  private static let mechanisms = MechanismSet.calls.members

  @Test(.enabled(if: geteuid() == 0, "only root may load programs"), arguments: 0..<4)
  func theyAgree(_ part: Int) throws {
    let kernel = try QuestionProgram()
    var random = FixedRandom(seed: UInt64(part) &* 104_729 + 17)
    var asked = 0
    var reasons: [KernelReason: Int] = [:]
    while asked < 28_000 {
      let policy = try #require(RandomRules.policy(Self.mechanisms, &random), "a rule is refused as text")
      let program = policy.kernelProgram()
      #expect(program.refusals.isEmpty)
      let image = PolicyImage(program, policy.settings, generation: 1, names: BookLookup())
      try image.withPolicy { try kernel.replace($0) }
      for mechanism in Self.mechanisms {
        for _ in 0..<8 {
          let call = RandomCall(mechanism, &random)
          asked += 1
          guard case .final(let decision) = policy.decide(mechanism, call.facts) else {
            Issue.record("not decided")
            return
          }
          let said = try kernel.ask(mechanism, call.kernel)
          reasons[said.outcome?.reason ?? .default, default: 0] += 1
          guard said.outcome == KernelOutcome(decision), said.mode == decision.mode else {
            let rules = policy.rules.rules.map(\.reference.text).joined(separator: "\n")
            Issue.record("\(mechanism.name): kernel \(said), decide \(decision) by\n\(rules)")
            return
          }
        }
      }
    }
    for reason in KernelReason.allCases { #expect(reasons[reason, default: 0] > 100, "\(reason) is hardly tried") }
  }

  /// The longest way through a policy: every step is taken.
  @Test(.enabled(if: geteuid() == 0, "only root may load programs"))
  func theLongestWayEnds() throws {
    let kernel = try QuestionProgram()
    let last = KernelProgram.stepLimit - 1
    let question = KernelQuestion(.equal, .uid, .constant(1))
    let steps = (0..<last).map { KernelStep.ask(question, unknown: false, onTrue: last, onFalse: $0 + 1) }
    let program = KernelProgram(steps: steps + [.verdict(.deny, .rule, rule: 9)], entries: [.kexec: 0], refusals: [])
    var settings = PolicySettings()
    settings[.kexec].mode = .enforce
    let image = PolicyImage(program, settings, generation: 1, names: BookLookup())
    try image.withPolicy { try kernel.replace($0) }
    var facts = KernelFacts()
    facts[.uid] = 0
    #expect(try kernel.ask(.kexec, facts).outcome == KernelOutcome(.deny, .rule, rule: 9))
  }
}

/// The host that the random rules speak of.
private struct BookLookup: KernelNameLookup {
  func file(at path: [UInt8]) -> FileIdentity? { NameBook.files[String(decoding: path, as: UTF8.self)] }
  func controlGroup(at path: [UInt8]) -> UInt64? { NameBook.controlGroups[String(decoding: path, as: UTF8.self)] }
  func call(_ name: String, on architecture: String) -> UInt32? {
    NameBook.number(name, architecture).map { UInt32($0) }
  }
}

/// Lilium's object with the program `question` alone.
private final class QuestionProgram {
  private let programs: OpaquePointer

  struct Refused: Error { let what: String }

  struct Said {
    var outcome: KernelOutcome?
    var mode: Mode?
  }

  init() throws {
    guard let opened = ProgramObject.bytes.withUnsafeBytes({ lil_programs_open($0.baseAddress, $0.count) }) else {
      throw Refused(what: String(cString: lil_log()))
    }
    programs = opened
    var index = 0
    while let name = lil_programs_name(opened, index) {
      _ = lil_programs_choose(opened, name, strcmp(name, "question") == 0 ? 1 : 0)
      index += 1
    }
    var constants = lil_constants()
    guard lil_programs_load(opened, &constants) >= 0 else { throw Refused(what: String(cString: lil_log())) }
  }

  deinit { lil_programs_close(programs) }

  func replace(_ policy: UnsafePointer<lil_policy>) throws {
    guard lil_programs_replace(programs, policy) >= 0 else { throw Refused(what: "policy") }
  }

  func ask(_ mechanism: Mechanism, _ facts: KernelFacts) throws -> Said {
    var question = lil_question()
    question.mechanism = UInt32(mechanism.rawValue)
    withUnsafeMutableBytes(of: &question.facts.value) { values in
      for field in KernelField.allCases {
        // What is not known holds no value that would pass for one.
        values.storeBytes(of: facts[field] ?? 1, toByteOffset: 8 * Int(field.rawValue), as: UInt64.self)
      }
    }
    for field in KernelField.allCases where facts[field] != nil { question.facts.known |= 1 << UInt64(field.rawValue) }
    let result = lil_programs_ask(programs, &question)
    guard result >= 0 else { throw Refused(what: "asked, it gave \(result)") }
    let outcome = question.outcome
    guard let verdict = Verdict(rawValue: outcome.verdict), let reason = KernelReason(rawValue: outcome.reason) else {
      return Said()
    }
    return Said(
      outcome: KernelOutcome(verdict, reason, rule: Int(outcome.rule)), mode: Mode(rawValue: outcome.mode))
  }
}
