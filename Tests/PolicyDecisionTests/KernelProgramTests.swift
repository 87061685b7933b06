// The steps that rules compile to: their form, what has to be looked up, and which rules are refused with which words.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct KernelProgramTests {
  private func refusal(_ rule: String) -> String? {
    policy(rule).kernelProgram().refusals.first?.why
  }

  @Test func anEmptyPolicyIsItsDefaults() {
    let program = policy("").kernelProgram()
    #expect(program.mechanisms == .calls)
    #expect(program.refusals.isEmpty)
    #expect(program.steps.count == 7)
    for (mechanism, entry) in program.entries {
      #expect(program.steps[entry] == .verdict(mechanism.builtInDefault, .default, rule: 0))
    }
  }

  @Test func aRuleIsAskedOnce() {
    let program = policy("deny exec\nallow ptrace when subject.uid == 1000").kernelProgram(MechanismSet(.ptrace))
    #expect(program.entries == [.ptrace: 0])
    #expect(
      program.steps == [
        .ask(KernelQuestion(.equal, .uid, .constant(1000)), unknown: false, onTrue: 1, onFalse: 2),
        .verdict(.allow, .rule, rule: 2),
        .verdict(.deny, .default, rule: 0),
      ])
  }

  @Test func aDenyRuleIsAskedAgainWhereItMayBeUndecided() {
    let program = policy("deny ptrace when target.uid != 0").kernelProgram(MechanismSet(.ptrace))
    let question = KernelQuestion(.equal, .targetUID, .constant(0))
    #expect(
      program.steps == [
        .ask(question, unknown: true, onTrue: 2, onFalse: 1), .verdict(.deny, .rule, rule: 1),
        .ask(question, unknown: false, onTrue: 4, onFalse: 3), .verdict(.deny, .undecided, rule: 1),
        .verdict(.deny, .default, rule: 0),
      ])
    #expect(policy("deny ptrace when subject.uid == 0").kernelProgram(MechanismSet(.ptrace)).steps.count == 3)
  }

  @Test func nothingStandsBehindARuleThatAlwaysMatches() {
    let text = "allow kexec when subject.uid == 0\ndeny kexec\nallow kexec when subject.comm == \"x\""
    let program = policy(text).kernelProgram(MechanismSet(.kexec))
    #expect(program.refusals.isEmpty)
    #expect(program.steps.last == .verdict(.deny, .rule, rule: 2))
    #expect(program.steps.count == 3)
  }

  @Test func aRuleThatNeverMatchesIsNotAsked() {
    #expect(policy("deny mount when subject.uid == 0 && false").kernelProgram(MechanismSet(.mount)).steps.count == 1)
    #expect(policy("deny mount when operation.kind == \"open\"").kernelProgram(MechanismSet(.mount)).steps.count == 1)
  }

  @Test func namesAreListedOnce() {
    let program = policy(
      """
      allow ptrace when subject.exe == "/usr/bin/gdb" || target.exe in ["/usr/bin/gdb", "/b"]
      allow ioctl when subject.cgroup == "/x" && operation.architecture == "x86_64"
      """
    ).kernelProgram()
    let (gdb, b) = (bytes("/usr/bin/gdb"), bytes("/b"))
    #expect(
      program.names == [
        .inode(path: gdb), .device(path: gdb), .inode(path: b), .device(path: b), .controlGroup(path: bytes("/x")),
        .architecture("x86_64"),
      ])
  }

  @Test(arguments: [
    ("ptrace", "subject.unit == \"x.service\"", "subject.unit cannot be asked in the kernel"),
    ("ptrace", "subject.comm == \"x\" || subject.uid == 0", "subject.comm cannot be asked in the kernel"),
    ("ptrace", "subject.parent_exe == \"/x\"", "subject.parent_exe cannot be asked in the kernel"),
    ("ptrace", "27 in subject.groups", "subject.groups cannot be asked in the kernel"),
    ("ptrace", "subject.terminal in []", "subject.terminal cannot be asked in the kernel"),
    ("ptrace", "target.comm == subject.comm", "target.comm cannot be asked in the kernel"),
    ("ptrace", "target.exe.startsWith(\"/usr/\")", "target.exe cannot be asked in the kernel with startsWith"),
    ("ptrace", "subject.exe.matches(\"x\")", "subject.exe cannot be asked in the kernel with matches"),
    ("ptrace", "subject.exe < \"/x\"", "subject.exe can be asked in the kernel with == and != only"),
    (
      "ptrace", "subject.exe == subject.cgroup",
      "subject.exe and subject.cgroup cannot be held against each other in the kernel"
    ),
    ("mount", "object.path == \"/mnt\"", "object.path cannot be asked in the kernel"),
    ("mount", "object.path_verified", "object.path_verified cannot be asked in the kernel"),
    ("mount", "operation.source == \"x\"", "operation.source cannot be asked in the kernel"),
    ("mount", "operation.flags.size() == 2", "the size of operation.flags cannot be asked in the kernel"),
    (
      "mount", "\"0x40000000\" in operation.flags",
      "operation.flags cannot be asked in the kernel for bits that have no name"
    ),
    (
      "clone", "operation.syscall in operation.namespaces",
      "in operation.namespaces, the kernel can be asked for quoted names only"
    ),
    (
      "mount", "object.fstype == \"a-name-too-long\"",
      "object.fstype can be asked in the kernel for names of up to 14 bytes only"
    ),
    ("module", "operation.module == \"nf_tables\"", "operation.module cannot be asked in the kernel"),
    ("module", "object.fstype == \"ext4\"", "object.fstype cannot be asked in the kernel"),
    ("ioctl", "object.fstype in []", "object.fstype cannot be asked in the kernel"),
    (
      "clone", "\"CLONE_VM\" in operation.flags",
      "operation.flags can be asked in the kernel for CLONE_NEW* only"
    ),
    ("module", "object.size > 5", "object.size cannot be asked in the kernel"),
    (
      "ptrace", "operation.request == \"PTRACE_POKEDATA\"",
      "PTRACE_POKEDATA is not seen in the kernel, which checks only PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE"
    ),
    (
      "ptrace", "operation.request_number == 77",
      "request 77 is not seen in the kernel, which checks only PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE"
    ),
  ])
  func whatCannotBeAskedIsNamed(_ mechanism: String, _ condition: String, _ why: String) {
    #expect(refusal("allow \(mechanism) when \(condition)") == why)
  }

  @Test func aRefusalTakesItsMechanismAlone() {
    let program = policy("allow mount when subject.uid == 0\ndeny mount when subject.unit == \"\"\nallow clone")
      .kernelProgram()
    #expect(program.refusals.map(\.rule.name) == ["50-site.rules:2"])
    #expect(program.refusals.map(\.mechanism) == [.mount])
    #expect(program.mechanisms == MechanismSet.calls.subtracting(MechanismSet(.mount)))
  }

  @Test func whatIsTooLongIsRefusedWhereItEnds() throws {
    let list = (0..<300).map(String.init).joined(separator: ", ")
    let rules = (0..<5).map { "allow ptrace when subject.uid in [\(list)] && subject.euid == \($0)" }
    let program = policy((rules + ["allow clone when subject.uid == 0"]).joined(separator: "\n")).kernelProgram()
    let refusal = try #require(program.refusals.first)
    #expect(program.refusals.count == 1)
    #expect(refusal.rule.name == "50-site.rules:4")
    #expect(refusal.why == "is too long for the kernel, which takes 1024 steps for all rules together")
    #expect(program.mechanisms == MechanismSet.calls.subtracting(MechanismSet(.ptrace)))
  }

  /// Each comparison doubles what it compares: it must end soon, not fill the memory.
  @Test func comparisonsOfComparisonsEnd() {
    var condition = "subject.uid == 0"
    for _ in 0..<40 { condition = "(\(condition)) == subject.userns_initial" }
    #expect(refusal("allow kexec when \(condition)") == "its condition is too long for the kernel")
  }

  @Test func onlyWhatIsAskedForIsCompiled() {
    let program = policy("deny ptrace when subject.unit == \"\"").kernelProgram([
      MechanismSet(.mount), MechanismSet(.exec),
    ])
    #expect(program.mechanisms == MechanismSet(.mount))
    #expect(program.refusals.isEmpty)
  }
}
