// Holds the rules that a plan compiles to, line by line as auditctl(8) would take them.

import AccessModel
import AuditResponse
import Testing

@testable import AuditNetlink

@Suite("Rules of a plan")
struct RuleCompilerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var plan: SensingPlan
    var architecture: AuditArchitecture
    var lines: [String]
    var testDescription: String { "\(plan.mechanisms.map(\.name)) on \(architecture.machine)" }

    init(_ mechanism: Mechanism, _ filter: RequestFilter = .all, on architecture: AuditArchitecture, _ lines: [String])
    {
      plan = SensingPlan([(mechanism, filter)])
      self.architecture = architecture
      self.lines = lines
    }
  }

  /// Behind `-a always,exit -F arch=`. Calls stand in the order of their numbers.
  private static let upkeep64 = [
    "b64 -S capset,setns -F key=lilium.subject", "b64 -S clone,unshare -F a0&0x10020000 -F key=lilium.subject",
  ]
  private static let upkeepARM64 = [
    "b64 -S capset,setns -F key=lilium.subject", "b64 -S unshare,clone -F a0&0x10020000 -F key=lilium.subject",
  ]
  private static let upkeep32 = [
    "b32 -S capset,setns -F key=lilium.subject", "b32 -S clone,unshare -F a0&0x10020000 -F key=lilium.subject",
  ]

  static let x86: [Case] = [
    Case(
      .ptrace, on: .x86_64,
      ["b64 -S ptrace -F key=lilium.ptrace", "b64 -S process_vm_writev,pidfd_getfd -F key=lilium.ptrace"] + upkeep64),
    Case(
      .ptrace, .numbers([0, 16, 0x4206]), on: .i386,
      [
        "b32 -S ptrace -F a0=0x0 -F key=lilium.ptrace", "b32 -S ptrace -F a0=0x10 -F key=lilium.ptrace",
        "b32 -S ptrace -F a0=0x4206 -F key=lilium.ptrace", "b32 -S process_vm_writev,pidfd_getfd -F key=lilium.ptrace",
      ] + upkeep32),
    Case(.ptrace, .numbers([]), on: .x86_64, ["b64 -S process_vm_writev,pidfd_getfd -F key=lilium.ptrace"] + upkeep64),
    Case(
      .mprotect, on: .x86_64,
      [
        "b64 -S mmap -F a2&=0x4 -F a3&=0x20 -F key=lilium.mprotect", "b64 -S mmap -F a2&=0x6 -F key=lilium.mprotect",
        "b64 -S mprotect,pkey_mprotect -F a2&=0x4 -F key=lilium.mprotect",
      ] + upkeep64),
    Case(
      .mprotect, on: .i386,
      [
        "b32 -S mmap2 -F a2&=0x4 -F a3&=0x20 -F key=lilium.mprotect", "b32 -S mmap -F key=lilium.mprotect",
        "b32 -S mmap2 -F a2&=0x6 -F key=lilium.mprotect",
        "b32 -S mprotect,pkey_mprotect -F a2&=0x4 -F key=lilium.mprotect",
      ] + upkeep32),
    Case(.module, on: .x86_64, ["b64 -S init_module,delete_module,finit_module -F key=lilium.module"] + upkeep64),
    Case(.module, on: .i386, ["b32 -S init_module,delete_module,finit_module -F key=lilium.module"] + upkeep32),
    Case(.kexec, on: .x86_64, ["b64 -S kexec_load,kexec_file_load -F key=lilium.kexec"] + upkeep64),
    Case(.kexec, on: .i386, ["b32 -S kexec_load -F key=lilium.kexec"] + upkeep32),
    Case(
      .mount, on: .x86_64,
      [
        "b64 -S pivot_root,mount,umount2,move_mount,fsmount,mount_setattr -F key=lilium.mount",
        "b64 -S open_tree,open_tree_attr -F a2&=0x1 -F key=lilium.mount",
        "b64 -S fsconfig -F a1=0x7 -F key=lilium.mount",
      ] + upkeep64),
    Case(
      .mount, on: .i386,
      [
        "b32 -S mount,umount,umount2,pivot_root,move_mount,fsmount,mount_setattr -F key=lilium.mount",
        "b32 -S open_tree,open_tree_attr -F a2&=0x1 -F key=lilium.mount",
        "b32 -S fsconfig -F a1=0x7 -F key=lilium.mount",
      ] + upkeep32),
    Case(
      .clone, on: .x86_64,
      [
        "b64 -S clone -F a0&0x7e020000 -F key=lilium.clone", "b64 -S unshare -F a0&0x7e020080 -F key=lilium.clone",
        "b64 -S setns,clone3 -F key=lilium.clone", "b64 -S capset -F key=lilium.subject",
      ]),
    Case(
      .ioctl, .numbers([0x5412, 0x4004_5431]), on: .x86_64,
      ["b64 -S ioctl -F a1=0x5412 -F key=lilium.ioctl", "b64 -S ioctl -F a1=0x40045431 -F key=lilium.ioctl"] + upkeep64),
    Case(.ioctl, on: .i386, ["b32 -S ioctl -F key=lilium.ioctl"] + upkeep32),
    Case(.exec, on: .x86_64, []), Case(.open, on: .i386, []),
  ]

  static let arm: [Case] = [
    Case(
      .ptrace, .numbers([16]), on: .aarch64,
      ["b64 -S ptrace -F a0=0x10 -F key=lilium.ptrace", "b64 -S process_vm_writev,pidfd_getfd -F key=lilium.ptrace"]
        + upkeepARM64),
    Case(
      .mprotect, on: .aarch64,
      [
        "b64 -S mmap -F a2&=0x4 -F a3&=0x20 -F key=lilium.mprotect", "b64 -S mmap -F a2&=0x6 -F key=lilium.mprotect",
        "b64 -S mprotect,pkey_mprotect -F a2&=0x4 -F key=lilium.mprotect",
      ] + upkeepARM64),
    Case(
      .mprotect, on: .arm,
      [
        "b32 -S mmap2 -F a2&=0x4 -F a3&=0x20 -F key=lilium.mprotect", "b32 -S mmap2 -F a2&=0x6 -F key=lilium.mprotect",
        "b32 -S mprotect,pkey_mprotect -F a2&=0x4 -F key=lilium.mprotect",
      ] + upkeep32),
    Case(.module, on: .aarch64, ["b64 -S init_module,delete_module,finit_module -F key=lilium.module"] + upkeepARM64),
    Case(.kexec, on: .aarch64, ["b64 -S kexec_load,kexec_file_load -F key=lilium.kexec"] + upkeepARM64),
    Case(.kexec, on: .arm, ["b32 -S kexec_load,kexec_file_load -F key=lilium.kexec"] + upkeep32),
    Case(
      .mount, on: .aarch64,
      [
        "b64 -S umount2,mount,pivot_root,move_mount,fsmount,mount_setattr -F key=lilium.mount",
        "b64 -S open_tree,open_tree_attr -F a2&=0x1 -F key=lilium.mount",
        "b64 -S fsconfig -F a1=0x7 -F key=lilium.mount",
      ] + upkeepARM64),
    Case(
      .mount, on: .arm,
      [
        "b32 -S mount,umount2,pivot_root,move_mount,fsmount,mount_setattr -F key=lilium.mount",
        "b32 -S open_tree,open_tree_attr -F a2&=0x1 -F key=lilium.mount",
        "b32 -S fsconfig -F a1=0x7 -F key=lilium.mount",
      ] + upkeep32),
    Case(
      .clone, on: .arm,
      [
        "b32 -S clone -F a0&0x7e020000 -F key=lilium.clone", "b32 -S unshare -F a0&0x7e020080 -F key=lilium.clone",
        "b32 -S setns,clone3 -F key=lilium.clone", "b32 -S capset -F key=lilium.subject",
      ]),
  ]

  @Test(arguments: x86 + arm)
  func theLinesAreThese(_ test: Case) {
    let compiled = RuleCompiler.rules(for: test.plan, on: [test.architecture])
    #expect(compiled.map { line($0.rule) } == test.lines.map { "-a always,exit -F arch=" + $0 })
  }

  /// Where libaudit has no name for a call its number stands in the line; which ones those are differs by version.
  private func line(_ rule: AuditRule) -> String {
    rule.text.split(separator: " ").map { word in
      word.split(separator: ",").map { part in
        UInt32(part).flatMap { KnownCall(number: $0, on: rule.architecture)?.name } ?? String(part)
      }.joined(separator: ",")
    }.joined(separator: " ")
  }

  private static let everything = SensingPlan(Mechanism.allCases.map { ($0, .all) })

  @Test func theNewestMountCallsAreOnlyWhereTheyExist() {
    #expect(RuleCompiler.rules(for: SensingPlan([(.mount, .all)]), on: [AuditArchitecture(rawValue: 1)]).isEmpty)
  }

  @Test func anEmptyPlanNeedsNoRule() {
    #expect(RuleCompiler.rules(for: SensingPlan()).isEmpty)
    #expect(RuleCompiler.rules(for: SensingPlan([(.exec, .all), (.open, .all)])).isEmpty)
    #expect(RuleCompiler.rules(for: Self.everything, on: []).isEmpty)
  }

  /// The cost of auditing is that of having any rule at all.
  @Test func aPlanThatSensesNothingNeedsNoRule() {
    #expect(RuleCompiler.rules(for: SensingPlan([(.ioctl, .numbers([]))])).isEmpty)
  }

  @Test(arguments: [[AuditArchitecture.x86_64, .i386], [.aarch64, .arm]])
  func everyRuleIsThereOnce(_ architectures: [AuditArchitecture]) {
    let compiled = RuleCompiler.rules(for: Self.everything, on: architectures)
    #expect(Set(compiled.map(\.rule)).count == compiled.count, "auditctl -R ends at a rule that exists")
    #expect(Set(compiled.map(\.rule.architecture)) == Set(architectures))
  }

  @Test func keysNameTheMechanism() {
    let compiled = RuleCompiler.rules(for: Self.everything, on: AuditArchitecture.known)
    #expect(Set(compiled.compactMap(\.mechanism)) == Set(Mechanism.allCases.filter(\.isCall)))
    for rule in compiled {
      #expect(rule.rule.key == "lilium." + (rule.mechanism?.name ?? "subject"))
      #expect(rule.rule.key.hasPrefix(RuleCompiler.keyPrefix))
      #expect(!rule.purpose.isEmpty && !rule.purpose.hasSuffix("."))
    }
  }

  /// Requests that 32 bits cannot tell apart are one to the kernel.
  @Test func aRequestIsItsLowHalf() {
    let plan = SensingPlan([(.ioctl, .numbers([0xffff_ffff_0000_5412]))])
    let compiled = RuleCompiler.rules(for: plan, on: [.x86_64])
    #expect(compiled.first?.rule.text == "-a always,exit -F arch=b64 -S ioctl -F a1=0x5412 -F key=lilium.ioctl")
  }
}
