// Fuzzes the rule language: any bytes parse to rules and diagnostics, twice the same, and every rule set decides.
// libFuzzer calls it; a broken promise traps.

import AccessModel
import PolicyDecision
import PolicyLanguage

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  let source = RuleSource(path: "/etc/lilium/rules.d/50-fuzz.rules", file: "50-fuzz.rules", bytes: bytes)
  let (rules, diagnostics) = RuleSet.parse([source])
  check(diagnostics, of: bytes)
  let (again, diagnosticsAgain) = RuleSet.parse([source])
  precondition(diagnostics == diagnosticsAgain, "parsing is deterministic")
  precondition(rules.rules.map(\.reference) == again.rules.map(\.reference))
  check(rules)
  return 0
}

/// Every finding stands in the file and can be shown.
private func check(_ diagnostics: [Diagnostic], of bytes: [UInt8]) {
  let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  for diagnostic in diagnostics {
    precondition((1...lines.count).contains(diagnostic.line), "the line exists")
    let width = lines[diagnostic.line - 1].count
    precondition(diagnostic.column >= 1 && diagnostic.column <= width + 1, "the column exists")
    precondition(diagnostic.length >= 1 && diagnostic.column + diagnostic.length <= width + 2, "the mark fits")
    let scalars = (diagnostic.rendered + diagnostic.message + (diagnostic.hint ?? "")).unicodeScalars
    precondition(!scalars.contains { $0.value < 0x20 ? $0 != "\n" : (0x7f...0x9f).contains($0.value) }, "fit to print")
  }
}

/// Every rule set decides, and asks only for what is missing.
private func check(_ rules: RuleSet) {
  var settings = PolicySettings()
  for mechanism in Mechanism.allCases { settings[mechanism].mode = .enforce }
  let policy = Policy(rules: rules, settings: settings)
  for mechanism in Mechanism.allCases {
    for failing in [FactSet(), .objectPath, .subject, .object, .ofCall, .targetExecutable] {
      decide(policy, mechanism, failing)
    }
  }
  check(policy.requestFilter(.ptrace))
  check(policy.requestFilter(.ioctl))
  for anchor in policy.openAnchors { precondition(anchor.path.first == UInt8(ascii: "/"), "anchors are absolute") }
}

/// A kernel filter can be made of it.
private func check(_ filter: RequestFilter) {
  guard case .numbers(let numbers) = filter else { return }
  precondition(numbers == Set(numbers).sorted(), "sorted, each once")
}

private func decide(_ policy: Policy, _ mechanism: Mechanism, _ failing: FactSet) {
  let facts = Facts()
  facts.begin(pid: 42, operation: .execute)
  facts.object.path = Array("/usr/bin/ls".utf8)
  facts.object.pathVerified = true
  facts.subject.executable = Array("/usr/bin/bash".utf8)
  facts.call.flags = [Array("MS_BIND".utf8), []]
  facts.call.request = Array("TIOCSTI".utf8)
  facts.call.requestNumber = .max
  facts.target.executableVerified = true
  var asked: FactSet = []
  while case .needs(let groups) = policy.decide(mechanism, facts) {
    precondition(!groups.isEmpty && groups.isDisjoint(with: asked), "decide makes progress")
    precondition(policy.uses(mechanism).isSuperset(of: groups), "the policy knows what it uses")
    asked.formUnion(groups)
    facts.markPresent(groups.subtracting(failing))
    facts.markFailed(groups.intersection(failing), because: .objectUnreadable)
  }
  _ = policy.trace(mechanism, facts)
}
