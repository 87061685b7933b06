// What a decision tells the kernel, what settings begin with, and how a sheet of facts is kept.

import AccessModel
import Testing

@Suite struct DecisionTests {
  @Test(arguments: [
    (Mode.off, Verdict.allow, Verdict.allow), (.off, .deny, .allow), (.audit, .allow, .allow), (.audit, .deny, .allow),
    (.enforce, .allow, .allow), (.enforce, .deny, .deny),
  ])
  func onlyEnforceCarriesADenialOut(_ mode: Mode, _ verdict: Verdict, _ answer: Verdict) {
    let decision = Decision(mechanism: .exec, mode: mode, verdict: verdict, reason: .default)
    #expect(decision.answer == answer)
  }

  @Test func settingsBeginOff() {
    let settings = PolicySettings()
    for mechanism in Mechanism.allCases {
      #expect(
        settings[mechanism]
          == MechanismSettings(
            mode: .off, defaultVerdict: mechanism.builtInDefault, onFailure: .allow, evaluatesHolders: false))
    }
  }

  @Test func settingOneMechanismLeavesTheOthers() {
    var settings = PolicySettings()
    settings[.mount].mode = .enforce
    #expect(Mechanism.allCases.filter { settings[$0].mode != .off } == [.mount])
  }

  @Test func aReasonNamesItsRule() {
    let rule = RuleReference(file: "50-site.rules", path: "/etc/x/50-site.rules", line: 12, text: "deny exec", index: 3)
    #expect(rule.name == "50-site.rules:12")
    #expect(Reason.rule(rule).rule === rule)
    #expect(Reason.undecided(rule).rule === rule)
    for reason in [Reason.off, .capability(.sysAdmin), .default, .failure(.deadline)] { #expect(reason.rule == nil) }
    let other = RuleReference(
      file: "50-site.rules", path: "/usr/x/50-site.rules", line: 12, text: "deny exec", index: 3)
    #expect(rule != other, "the same name in another folder is another rule")
    #expect(rule == RuleReference(file: "x", path: rule.path, line: 12, text: "", index: 3))
  }
}

@Suite struct FactsTests {
  private let groups: [FactSet] = [
    .objectStatus, .objectPath, .objectContent, .objectFileSystem, .objectDirectory, .objectDigest, .objectTrust,
    .subjectStatus, .subjectStat, .subjectLogin, .subjectNamespaces, .subjectExecutable, .subjectParent,
    .subjectControlGroup, .subjectProgram, .subjectScript, .subjectCapabilities, .request,
  ]
  private let ofCall: [FactSet] = [
    .call, .callNamespaces, .callSource, .callModule, .targetStatus, .targetExecutable,
  ]

  @Test func groupsAreSingleBitsAndEachOfOneSide() {
    for (index, group) in groups.enumerated() {
      #expect(group.rawValue.nonzeroBitCount == 1)
      #expect(groups[..<index].allSatisfy { $0.isDisjoint(with: group) })
      #expect(FactSet.object.contains(group) != FactSet.subject.contains(group))
    }
    for (index, group) in ofCall.enumerated() {
      #expect(group.rawValue.nonzeroBitCount == 1)
      #expect(ofCall[..<index].allSatisfy { $0.isDisjoint(with: group) })
      #expect(group.isDisjoint(with: FactSet.object.union(.subject)))
      // What one can fetch is the program that the target runs.
      #expect(FactSet.ofCall.contains(group) == (group != .targetExecutable))
    }
    #expect(FactSet.object.isDisjoint(with: .subject))
    #expect(FactSet.record.isSubset(of: FactSet.object.union(.subject)))
    #expect(FactSet.recordOfCall.isSubset(of: FactSet.subject.union(.targetExecutable)))
    // A record never has a file read for its own sake.
    #expect(FactSet.record.isDisjoint(with: [.objectDigest, .objectTrust]))
  }

  @Test func aGroupIsMissingUntilItIsFetchedOrGivenUp() {
    let facts = Facts()
    facts.begin(pid: 7, operation: .execute, objectHandle: 5)
    #expect(facts.missing(of: [.objectPath, .subjectStat]) == [.objectPath, .subjectStat])
    facts.markPresent(.objectPath)
    #expect(facts.missing(of: [.objectPath, .subjectStat]) == .subjectStat)
    facts.markFailed(.subjectStat, because: .subjectVanished)
    #expect(facts.missing(of: [.objectPath, .subjectStat]) == [])
    #expect(facts.failure == .subjectVanished)
  }

  @Test func aGroupIsNeverBothPresentAndFailed() {
    let facts = Facts()
    facts.markPresent([.objectPath, .objectStatus])
    facts.markFailed(.objectPath, because: .objectUnreadable)
    #expect(facts.present == .objectStatus)
    #expect(facts.failed == .objectPath)
    facts.markPresent(.objectPath)
    #expect(facts.present == [.objectPath, .objectStatus])
    #expect(facts.failed == [])
  }

  @Test func whatDoesNotExistIsUnknownAndNobodysFault() {
    let facts = Facts()
    facts.begin(pid: 7, operation: .call)
    facts.markPresent(.call)
    facts.markUnknown([.call, .callModule])
    #expect(facts.present == .request && facts.failed == [.call, .callModule] && facts.failure == nil)
    #expect(facts.missing(of: [.call, .callModule]) == [])
    #expect(facts.objectHandle == -1)
  }

  @Test func anUncertainSubjectOutweighsWhatFollowsFromIt() {
    let facts = Facts()
    facts.markFailed(.objectStatus, because: .objectUnreadable)
    facts.markFailed(.subjectCapabilities, because: .subjectUncertain)
    facts.markFailed(.targetExecutable, because: .targetUnreadable)
    #expect(facts.failure == .subjectUncertain)
    facts.begin(pid: 8, operation: .call)
    facts.markFailed(.targetExecutable, because: .targetUnreadable)
    #expect(facts.failure == .targetUnreadable)
  }

  @Test func theNextRequestKnowsNothingOfTheLast() {
    let facts = Facts()
    facts.begin(pid: 7, operation: .execute, objectHandle: 5)
    facts.markPresent(.object)
    facts.markFailed(.subjectLogin, because: .subjectUnreadable)
    facts.subject.identity = .certain
    facts.begin(pid: 8, operation: .open)
    #expect(facts.present == .request && facts.failed == [] && facts.failure == nil)
    #expect(facts.subject.pid == 8)
    #expect(facts.subject.identity == .uncertain)
    #expect(facts.operation == .open)
    #expect(facts.objectHandle == -1)
  }

  @Test func withoutTheSubjectNothingIsKnownOfIt() {
    let facts = Facts()
    facts.begin(pid: 7, operation: .execute, objectHandle: 5)
    facts.markPresent([.subjectStatus, .objectPath])
    facts.markFailed(.subjectStat, because: .subjectVanished)
    let missing = facts.withoutSubject {
      #expect(facts.present == .objectPath && facts.failed == .subject)
      facts.markPresent(.objectStatus)
      facts.markFailed(.objectContent, because: .objectUnreadable)
      return facts.missing(of: FactSet.object.union(.subject))
    }
    #expect(missing == [.objectFileSystem, .objectDirectory, .objectDigest, .objectTrust])
    #expect(facts.present == [.request, .subjectStatus, .objectPath, .objectStatus], "what was fetched stays")
    #expect(facts.failed == [.subjectStat, .objectContent])
  }

  @Test func anAssumedTrustLastsForTheQuestionAlone() {
    let facts = Facts()
    facts.begin(pid: 7, operation: .execute)
    facts.object.trust = .changed
    for knows in [{ facts.markFailed(.objectTrust, because: .trustUnavailable) }, { facts.markPresent(.objectTrust) }] {
      knows()
      let (present, failed) = (facts.present, facts.failed)
      for trust in TrustState.allCases {
        facts.assuming(trust) {
          #expect(facts.present.contains(.objectTrust) && facts.failed == [] && facts.object.trust == trust)
        }
        #expect(facts.present == present && facts.failed == failed && facts.object.trust == .changed)
      }
    }
  }

  @Test func aMissingDatabaseIsRememberedWhateverElseFails() {
    let facts = Facts()
    facts.begin(pid: 7, operation: .execute)
    facts.markFailed(.objectDigest, because: .objectUnreadable)
    #expect(!facts.trustIsUnavailable)
    facts.markFailed(.objectTrust, because: .trustUnavailable)
    facts.markFailed(.objectPath, because: .subjectUncertain)
    #expect(facts.trustIsUnavailable && facts.failure == .subjectUncertain)
    facts.markFailed(.objectTrust, because: .objectUnreadable)
    #expect(!facts.trustIsUnavailable, "the group was tried again, and failed for another reason")
    for end in [
      { facts.markPresent(.objectTrust) }, { facts.forget(.object) }, { facts.begin(pid: 8, operation: .open) },
    ] {
      facts.markFailed(.objectTrust, because: .trustUnavailable)
      end()
      #expect(!facts.trustIsUnavailable)
    }
  }
}
