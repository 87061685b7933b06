// What `exec` takes for code: by content, or by who opens it.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct CodeOrDataTests {
  private struct Opened {
    var kind = ContentKind.other
    var isLoadable = false
    var by = ProgramClass.ordinary
    var isNamed = false
    var hasSuffix = false
  }

  private func facts(_ opened: Opened) -> Facts {
    blankSheet {
      $0.operation = .open
      $0.object.kind = opened.kind
      $0.object.isLoadableLibrary = opened.isLoadable
      $0.subject.programClass = opened.by
      $0.subject.objectNamedByArguments = opened.isNamed
      $0.subject.objectHasModuleSuffix = opened.hasSuffix
    }
  }

  private func outcome(_ opened: Opened, failing: FactSet = []) -> (String, [FactSet]) {
    let sheet = facts(opened)
    let policy = policy("deny exec") { $0[.exec].onFailure = .allow }
    let asked = mediate(policy, .exec, sheet, failing: failing).asked
    return (decided(policy, .exec, sheet), asked)
  }

  @Test func anExecutedFileIsCodeWhateverItIs() {
    for kind in ContentKind.allCases {
      let sheet = blankSheet { $0.object.kind = kind }
      #expect(decided(policy("deny exec"), .exec, sheet) == "deny rule")
    }
  }

  @Test func aLibraryIsCodeWhoeverOpensIt() {
    #expect(outcome(Opened(kind: .elfLibrary)) == ("deny rule", [.objectContent]))
    #expect(outcome(Opened(kind: .elfLibrary, isLoadable: true)) == ("deny rule", [.objectContent]))
    #expect(outcome(Opened(kind: .elfOther, isLoadable: true)) == ("deny rule", [.objectContent]))
  }

  @Test(arguments: ContentKind.allCases)
  func anOrdinaryProgramOpensData(_ kind: ContentKind) {
    guard kind != .elfLibrary else { return }
    #expect(outcome(Opened(kind: kind, isNamed: true, hasSuffix: true)) == ("data", [.objectContent, .subjectProgram]))
  }

  @Test(arguments: ContentKind.allCases)
  func aLoaderOpensELFAsCode(_ kind: ContentKind) {
    let expected = kind.isELF ? "deny rule" : "data"
    #expect(outcome(Opened(kind: kind, by: .loader, isNamed: true, hasSuffix: true)).0 == expected)
  }

  @Test func anInterpreterOpensScriptsModulesAndItsArgumentAsCode() {
    #expect(outcome(Opened(kind: .script, by: .interpreter)) == ("deny rule", [.objectContent, .subjectProgram]))
    let all: [FactSet] = [.objectContent, .subjectProgram, .subjectScript]
    #expect(outcome(Opened(by: .interpreter)) == ("data", all))
    #expect(outcome(Opened(by: .interpreter, isNamed: true)) == ("deny rule", all))
    #expect(outcome(Opened(by: .interpreter, hasSuffix: true)) == ("deny rule", all))
    // An emulator's script is a program.
    #expect(outcome(Opened(kind: .elfExecutable, by: .interpreter)) == ("data", all))
    #expect(outcome(Opened(kind: .elfExecutable, by: .interpreter, isNamed: true)) == ("deny rule", all))
  }

  @Test(arguments: [
    (FactSet.objectContent, Opened(kind: .elfLibrary)), (.subjectProgram, Opened()),
    (.subjectProgram, Opened(kind: .elfExecutable)), (.subjectScript, Opened(by: .interpreter)),
  ])
  private func whatCannotBeToldIsAFailure(_ failing: FactSet, _ opened: Opened) {
    for verdict in Verdict.allCases {
      let policy = policy("allow exec") { $0[.exec].onFailure = verdict }
      #expect(
        mediate(policy, .exec, facts(opened), failing: failing).outcome
          == .final(
            Decision(mechanism: .exec, mode: .enforce, verdict: verdict, reason: .failure(.subjectVanished))))
    }
  }

  @Test func openDoesNotAskForCode() {
    let policy = policy("deny open when object.path == \"/usr/bin/ls\"")
    #expect(mediate(policy, .open, facts(Opened())).asked == [.objectPath])
  }
}
