// Rules about content: what they read, and what a host without a trust database comes to.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct TrustTests {
  @Test(arguments: TrustState.allCases)
  func onlyTrustedIsTrusted(_ state: TrustState) {
    let facts = sheet { $0.object.trust = state }
    let isTrusted = state == .trusted
    #expect(
      decided(policy("allow exec when object.trusted"), .exec, facts) == (isTrusted ? "allow rule" : "deny default"))
    #expect(
      decided(policy("allow exec when !object.trusted"), .exec, facts) == (isTrusted ? "deny default" : "allow rule"))
    let open = policy("deny open when object.path == \"/usr/bin/ls\" && !object.trusted")
    #expect(decided(open, .open, facts) == (isTrusted ? "allow default" : "deny rule"))
  }

  @Test func aDigestIsReadDigitByDigit() {
    for place in 0..<64 {
      var other = bytes(sampleDigest)
      other[place] = other[place] == 0x30 ? 0x31 : 0x30
      let literal = String(decoding: other, as: UTF8.self)
      #expect(decided(policy("allow exec when object.sha256 == \"\(literal)\""), .exec, sheet()) == "deny default")
      let facts = sheet { $0.object.digest = ContentHash(hexadecimal: other) ?? ContentHash() }
      #expect(decided(policy("allow exec when object.sha256 == \"\(literal)\""), .exec, facts) == "allow rule")
    }
  }

  @Test func contentIsAskedForWhereARuleReadsIt() {
    let rules = """
      deny exec when object.owner == 1
      allow exec when object.trusted
      deny exec when object.sha256 == "\(sampleDigest)"
      """
    #expect(mediate(policy(rules), .exec, blankSheet()).asked == [.objectStatus, .objectTrust])
    let untrusted = blankSheet { $0.object.trust = .changed }
    #expect(mediate(policy(rules), .exec, untrusted).asked == [.objectStatus, .objectTrust, .objectDigest])
    #expect(mediate(policy(rules), .exec, blankSheet { $0.object.owner = 1 }).asked == [.objectStatus])
  }

  private static let unverified: @Sendable (Facts) -> Void = { $0.object.pathVerified = false }

  /// Where the database's answer would have decided, its absence is a failure; elsewhere it changes nothing.
  @Test(arguments: [
    ("allow exec when object.trusted", "failure"), ("deny exec when !object.trusted", "failure"),
    ("allow exec when object.trusted && object.owner == 0", "failure"),
    ("allow exec when object.trusted || object.owner == 1", "failure"),
    ("allow exec when object.trusted == object.setuid", "failure"),
    ("deny exec when object.trusted && object.setuid\nallow exec", "allow rule"),
    ("allow exec when object.owner == 0\ndeny exec when object.trusted", "allow rule"),
    ("allow exec when object.trusted || object.owner == 0", "allow rule"),
    ("deny exec when object.owner == 1 && object.trusted", "deny default"),
    // Either answer leaves the rule as it is.
    ("deny exec when (object.trusted || !object.trusted) && subject.exe == \"/x\"", "deny undecided"),
    ("allow exec when object.trusted && subject.exe == \"/x\"", "deny default"),
    // A denial would be lifted where the content is not trusted.
    ("deny exec when object.trusted && subject.exe == \"/x\"", "failure"),
    ("allow exec when object.trusted || subject.exe == \"/x\"", "failure"),
  ])
  func withoutADatabase(_ rules: String, _ expected: String) {
    for onFailure in Verdict.allCases {
      let policy = policy(rules) { $0[.exec].onFailure = onFailure }
      let facts = sheet {
        $0.subject.executableVerified = false
        $0.markFailed(.objectTrust, because: .trustUnavailable)
      }
      let outcome = expected == "failure" ? "\(onFailure.name) failure" : expected
      #expect(decided(policy, .exec, facts) == outcome)
      if expected == "failure" {
        #expect(
          policy.decide(.exec, facts)
            == .final(
              Decision(mechanism: .exec, mode: .enforce, verdict: onFailure, reason: .failure(.trustUnavailable))))
        #expect(policy.trace(.exec, facts).last?.result == .failed(.trustUnavailable))
      }
      #expect(facts.failed == .objectTrust && facts.object.trust == .trusted, "the sheet is as it was")
      #expect(facts.trustIsUnavailable)
    }
  }

  /// What else fails, before or after, does not hide it; and without it nothing else is taken for it.
  @Test func otherFailuresStayAsTheyAre() {
    let policy = policy("allow exec when object.trusted && subject.unit == \"\"\ndeny exec when object.trusted")
    let first = sheet {
      $0.markFailed(.objectTrust, because: .trustUnavailable)
      $0.markFailed(.subjectStat, because: .subjectVanished)
    }
    #expect(first.failure == .subjectVanished)
    #expect(decided(policy, .exec, first) == "allow failure")
    let last = sheet {
      $0.markFailed(.subjectStat, because: .subjectUncertain)
      $0.markFailed(.objectTrust, because: .trustUnavailable)
    }
    #expect(decided(policy, .exec, last) == "allow failure")
    let unreadable = sheet { $0.markFailed(.objectTrust, because: .objectUnreadable) }
    #expect(decided(policy, .exec, unreadable) == "allow failure")
    let again = sheet {
      $0.markFailed(.objectTrust, because: .trustUnavailable)
      $0.markPresent(.objectTrust)
    }
    #expect(decided(policy, .exec, again) == "allow rule")
    again.begin(pid: 1, operation: .execute)
    #expect(!again.trustIsUnavailable && again.failure == nil)
  }

  /// Whatever kept the content from being judged, `on_failure` answers and the failure has its own name, even where
  /// something else failed before or after.
  @Test(arguments: [Failure.trustUnavailable, .writersUnknown, .outOfThreads, .objectUnreadable])
  func contentThatCouldNotBeJudged(_ failure: Failure) {
    let rules = "deny exec when object.owner == 1\nallow exec when object.trusted"
    for onFailure in Verdict.allCases {
      let policy = policy(rules) { $0[.exec].onFailure = onFailure }
      for others in [nil, Failure.subjectUncertain, .subjectVanished] {
        let facts = sheet {
          if let others { $0.markFailed(.subjectStat, because: others) }
          $0.markFailed(.objectTrust, because: failure)
          if let others { $0.markFailed(.subjectControlGroup, because: others) }
        }
        #expect(facts.trustFailure == failure && facts.trustIsUnavailable == (failure == .trustUnavailable))
        let expected = Decision(mechanism: .exec, mode: .enforce, verdict: onFailure, reason: .failure(failure))
        #expect(policy.decide(.exec, facts) == .final(expected))
        #expect(policy.trace(.exec, facts).last?.result == .failed(failure))
        #expect(policy.decideForEverySubject(.exec, facts) == nil)
        facts.object.owner = 1
        #expect(decided(policy, .exec, facts) == "deny rule", "what needs no judgement is decided without one")
      }
    }
  }

  /// Who makes a file can give it a path that nobody can read, or a file system that says nothing of it. That shall not
  /// bring it an answer that the rules do not give.
  @Test(arguments: [FactSet.objectPath, .objectStatus, [.objectStatus, .objectPath]])
  func aFileThatHidesIsNotAFailure(_ hidden: FactSet) {
    let facts = sheet {
      $0.markFailed(hidden, because: .objectUnreadable)
      $0.markFailed(.objectTrust, because: .objectUnreadable)
    }
    #expect(decided(policy("allow exec when object.trusted"), .exec, facts) == "deny default")
    #expect(decided(policy("deny exec when !object.trusted\nallow exec"), .exec, facts) == "deny undecided")
  }

  @Test func aFailureIsForgottenWithItsGroup() {
    let ends: [(Facts) -> Void] = [
      { $0.markPresent(.objectTrust) }, { $0.markUnknown(.objectTrust) }, { $0.forget(.object) },
      { $0.begin(pid: 8, operation: .open) },
    ]
    for end in ends {
      let facts = sheet { $0.markFailed(.objectTrust, because: .outOfThreads) }
      facts.markUnknown(.objectDigest)
      #expect(facts.trustFailure == .outOfThreads)
      end(facts)
      #expect(facts.trustFailure == nil)
    }
  }

  @Test func aDigestNeedsNoDatabase() {
    let facts = sheet { $0.markFailed(.objectTrust, because: .trustUnavailable) }
    #expect(decided(policy("allow exec when object.sha256 == \"\(sampleDigest)\""), .exec, facts) == "allow rule")
  }

  @Test func aPolicySaysWhetherItAsksTheDatabase() {
    #expect(policy("allow exec when object.trusted || object.owner == 0").readsTrust)
    #expect(policy("deny open when object.path == \"/x\" && !object.trusted").readsTrust)
    #expect(!policy("allow exec when object.sha256 == \"\(sampleDigest)\"\nallow mount").readsTrust)
    #expect(!policy("allow exec when object.trusted") { $0[.exec].mode = .off }.readsTrust)
  }
}
