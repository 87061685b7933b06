// Holds by what a mechanism is sensed, and what is said where a mode cannot be had.

import AccessModel
import BPFLSM
import LSMEnforcement
import SystemCalls
import Testing

@Suite("The choice of a sensor") struct SenseChoiceTests {
  private static let calls = Mechanism.allCases.filter(\.isCall)
  private static let good = LSMReport(
    isInList: true, list: "capability,bpf",
    hooks: calls.map { LSMReport.Hook(name: "hook_\($0.name)", mechanism: $0.rawValue, isPresent: true) })

  private func choose(
    _ mode: Mode, _ sense: Sense, orElse unpreventable: Unpreventable = .refuse, _ report: LSMReport,
    unaskable: [KernelRefusal] = []
  ) -> SenseChoice {
    var settings = PolicySettings()
    settings[.exec].mode = mode
    settings[.ptrace].mode = mode
    settings[.ptrace].sense = sense
    settings[.ptrace].unpreventable = unpreventable
    return SenseChoice(settings, report, unaskable: unaskable)
  }

  @Test func aGoodKernelIsTakenUnlessAuditIsAskedFor() {
    for mode in [Mode.audit, .enforce] {
      #expect(choose(mode, .auto, Self.good).sensors == [.ptrace: .bpf])
      #expect(choose(mode, .bpf, Self.good).sensors == [.ptrace: .bpf])
      let audit = choose(mode, .audit, orElse: .contain, Self.good)
      #expect(audit.sensors == [.ptrace: .audit] && audit.hindrances.isEmpty && audit.refusals.isEmpty)
    }
    #expect(choose(.off, .bpf, LSMReport(isInList: false, list: "")) == choose(.off, .auto, Self.good))
    #expect(choose(.off, .auto, Self.good).sensors.isEmpty)
  }

  /// Set where it is needed, and nowhere else: most can never be taken back.
  @Test func aSysctlIsSetOnlyToEnforceWhatTheKernelCannotBeAsked() {
    let poor = LSMReport(isInList: false, list: "")
    #expect(choose(.enforce, .auto, orElse: .sysctl, poor).switches == [.ptrace: Mechanism.ptrace.hostSwitch])
    #expect(choose(.enforce, .audit, orElse: .sysctl, Self.good).switches == [.ptrace: Mechanism.ptrace.hostSwitch])
    #expect(choose(.enforce, .auto, orElse: .sysctl, poor).sensors == [.ptrace: .audit])
    for other in [
      choose(.enforce, .auto, orElse: .sysctl, Self.good), choose(.audit, .auto, orElse: .sysctl, poor),
      choose(.off, .auto, orElse: .sysctl, poor), choose(.enforce, .auto, orElse: .contain, poor),
    ] {
      #expect(other.switches.isEmpty && other.refusals.isEmpty)
    }
  }

  private static func report(_ change: (inout LSMReport) -> Void) -> LSMReport {
    var report = good
    change(&report)
    return report
  }

  static let faults: [(LSMReport, String)] = [
    (
      report { ($0.isInList, $0.list) = (false, "capability,yama") },
      "bpf is not among the active LSMs (capability,yama); add it to lsm= on the kernel command line"
    ),
    (
      report { ($0.isInList, $0.list) = (false, "") },
      "bpf is not among the active LSMs (unknown); add it to lsm= on the kernel command line"
    ),
    (
      report { $0.load = LSMReport.Fault(error: .permission, detail: "0: (b7)\nR1 invalid mem access\n") },
      "the kernel refuses Lilium's programs: Operation not permitted (R1 invalid mem access)"
    ),
    (
      report { $0.denial = LSMReport.Fault(error: .noData) },
      "a denial was provoked and not seen: No data available"
    ),
    (report { $0.hooks[0].isPresent = false }, "this kernel lacks the hook hook_ptrace"),
    (
      report {
        ($0.hooks[0].isPresent, $0.hooks[0].fault) = (false, LSMReport.Fault(error: .access, detail: "too long\n"))
      }, "the kernel refuses the program of the hook hook_ptrace: Permission denied (too long)"
    ),
    (report { $0.hooks.removeFirst() }, "no hook of this kernel guards ptrace"),
  ]

  @Test(arguments: faults.indices) func everyFaultIsNamed(_ index: Int) throws {
    let (report, why) = Self.faults[index]
    let audit = choose(.audit, .auto, report)
    #expect(audit.sensors == [.ptrace: .audit] && audit.refusals.isEmpty && audit.hindrances == [.ptrace: [why]])
    let contained = choose(.enforce, .auto, orElse: .contain, report)
    #expect(contained.sensors == [.ptrace: .audit] && contained.hindrances == audit.hindrances)
    let refused = choose(.enforce, .auto, report)
    #expect(refused.sensors.isEmpty)
    let refusal = try #require(refused.refusals.first)
    #expect(
      refusal.mechanism == .ptrace
        && refusal.message
          == "\"enforce\" would have to prevent, and audit tells of the call when it was made; the BPF "
          + "LSM cannot be had here: \(why)"
        && refusal.remedy
          == "set on_unpreventable.ptrace = \"contain\" to have the call answered afterwards, or \"sysctl\" to end it for everybody by "
          + "kernel.yama.ptrace_scope = 3, or mode.ptrace = \"audit\""
    )
  }

  /// Around the verifier's own words stands what says nothing.
  @Test func theTellingLineIsQuoted() {
    let log = """
      libbpf: prog 'x': BPF program load failed: Permission denied
      libbpf: prog 'x': -- BEGIN PROG LOAD LOG --
      R1 invalid mem access 'scalar'
      processed 7 insns (limit 1000000) max_states_per_insn 0
      -- END PROG LOAD LOG --
      libbpf: prog 'x': failed to load: -13
      libbpf: failed to load object 'lilium'

      """
    let fault = LSMReport.Fault(error: .access, detail: log)
    #expect(SenseChoice.words(of: fault) == "Permission denied (R1 invalid mem access 'scalar')")
    #expect(SenseChoice.words(of: LSMReport.Fault(error: Errno(0))) == "no reason is known")
    #expect(SenseChoice.words(of: LSMReport.Fault(error: Errno(0), detail: "granted\n")) == "granted")
  }

  @Test func whoAsksForBPFAloneGetsNothingElse() throws {
    let report = LSMReport(isInList: false, list: "yama")
    for (mode, unpreventable) in [(Mode.audit, Unpreventable.refuse), (.audit, .contain), (.enforce, .contain)] {
      let refusal = try #require(choose(mode, .bpf, orElse: unpreventable, report).refusals.first)
      #expect(
        refusal.message.hasPrefix("sense.ptrace asks for the BPF LSM, which cannot be had here: bpf is not among"))
      #expect(refusal.remedy == "set sense.ptrace = \"auto\"")
    }
    #expect(
      choose(.enforce, .bpf, report).refusals.first?.remedy
        == "set sense.ptrace = \"auto\" and on_unpreventable.ptrace = \"contain\"")
  }

  @Test func aRuleThatCannotBeAskedIsNamed() {
    let sentence = "50-site.rules:3: subject.unit cannot be asked in the kernel"
    let rule = KernelRefusal(
      mechanism: .ptrace, rule: RuleReference(file: "50-site.rules", path: "", line: 3, text: "", index: 2),
      why: "subject.unit cannot be asked in the kernel")
    let found = choose(.enforce, .auto, Self.good, unaskable: [rule])
    #expect(found.hindrances == [.ptrace: [sentence]])
    #expect(found.refusals.first?.message.hasSuffix(": \(sentence)") == true)
    // Another mechanism's rule hinders nobody else.
    let other = KernelRefusal(mechanism: .mount, rule: rule.rule, why: rule.why)
    #expect(choose(.enforce, .auto, Self.good, unaskable: [other]).sensors == [.ptrace: .bpf])
    #expect(choose(.audit, .auto, Self.good, unaskable: [rule]).sensors == [.ptrace: .audit])
    #expect(choose(.audit, .audit, Self.good, unaskable: [rule]).hindrances.isEmpty)
  }

  @Test func auditAloneCannotPrevent() {
    let refused = choose(.enforce, .audit, Self.good).refusals
    #expect(refused.first?.message.hasSuffix("sense.ptrace asks for audit") == true)
  }

  /// A hook that the mechanism can do without takes nothing down, nor does another mechanism's.
  @Test func oneHookDoesNotTakeTheOthersDown() {
    let report = Self.report {
      $0.hooks.append(LSMReport.Hook(name: "file_ioctl_compat", mechanism: 2, isPresent: false, isNeeded: false))
      $0.hooks[1].isPresent = false
    }
    #expect(choose(.enforce, .auto, report).sensors == [.ptrace: .bpf])
    #expect(report.missingHooks(of: Mechanism.mprotect.rawValue) == ["hook_mprotect"])
  }
}
