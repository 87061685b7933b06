// The words of the model: names that are read and written, and what is fixed about each mechanism.

import AccessModel
import Testing

@Suite struct WordsTests {
  @Test func everyAttributeStandsAtItsRawValue() {
    #expect(Attribute.definitions.map(\.attribute) == Attribute.allCases)
    #expect(Attribute.allCases.map { Int($0.rawValue) } == Array(0..<Attribute.allCases.count))
  }

  @Test(arguments: Attribute.allCases)
  func anAttributeIsFoundByItsName(_ attribute: Attribute) {
    #expect(Attribute(name: attribute.name) == attribute)
    #expect(Attribute(name: attribute.name.uppercased()) == nil)
    #expect(Attribute(name: attribute.name + " ") == nil)
    #expect(!attribute.definition.summary.isEmpty)
  }

  @Test func attributeNamesAreUniqueAndOfAKnownSubjectMatter() {
    let names = Attribute.definitions.map(\.name)
    #expect(Set(names).count == names.count)
    for name in names { #expect(name.contains(/^(subject|object|target|operation)\.[a-z_]+(256)?$/), "\(name)") }
  }

  /// What an attribute rests on is of its own side, so an information point of that side can fetch it.
  @Test(arguments: Attribute.allCases)
  func anAttributeRestsOnFactsOfItsOwnSide(_ attribute: Attribute) {
    let side: FactSet =
      switch attribute.name.prefix(while: { $0 != "." }) {
      case _ where attribute == .operationKind: .request
      case "subject": .subject
      case "object": .object
      case "target": [.targetStatus, .targetExecutable]
      default: .ofCall.subtracting(.targetStatus)
      }
    #expect(attribute.facts.isSubset(of: side))
    #expect(!attribute.facts.isEmpty)
    #expect((attribute.facts == .request) == [.subjectPID, .operationKind].contains(attribute))
  }

  @Test func whatCannotBeFetchedComesWithTheCallAndBelongsToCallsAlone() {
    for attribute in Attribute.allCases {
      #expect(!attribute.mechanisms.isEmpty)
      let isOfCall = !attribute.facts.isDisjoint(with: FactSet.ofCall.union(.targetExecutable))
      #expect(isOfCall == attribute.mechanisms.isDisjoint(with: .files), "\(attribute)")
      if attribute.name.hasPrefix("subject.") { #expect(attribute.mechanisms == .all) }
    }
    #expect(Attribute.objectPath.mechanisms.members == [.exec, .open, .module, .mount, .ioctl])
    #expect(Attribute.targetUID.mechanisms.members == [.ptrace])
  }

  @Test func setsOfMechanisms() {
    #expect(MechanismSet.all.members == Mechanism.allCases)
    #expect(MechanismSet.files.members == [.exec, .open])
    #expect(MechanismSet.calls.members == Mechanism.allCases.filter(\.isCall))
    #expect(MechanismSet().members == [] && !MechanismSet().contains(.exec))
    for mechanism in Mechanism.allCases { #expect(MechanismSet(mechanism).members == [mechanism]) }
  }

  @Test func capabilitiesAreFoundByTheirNames() {
    #expect(Capability.allCases.count == 41)
    #expect(Set(Capability.allCases.map(\.name)).count == 41)
    for capability in Capability.allCases { #expect(Capability(name: capability.name) == capability) }
    for name in ["", "cap_chown", "CAP_CHOW", "CAP_CHOWN ", "CAP_41"] { #expect(Capability(name: name) == nil) }
  }

  @Test func aCapabilitySetIsTheKernelsBits() {
    #expect(CapabilitySet().members == [])
    #expect(CapabilitySet(bits: 1 << 0 | 1 << 19 | 1 << 40).members == [.chown, .sysPtrace, .checkpointRestore])
    #expect(CapabilitySet(bits: .max).members == Capability.allCases, "bits without a name are left out")
    #expect(CapabilitySet(bits: 1 << 41).members == [])
    #expect(!CapabilitySet(bits: ~(1 << 21)).contains(.sysAdmin))
  }

  @Test(
    arguments: [
      (Mechanism.exec, "exec", nil, Verdict.deny), (.open, "open", nil, .allow), (.ptrace, "ptrace", .sysPtrace, .deny),
      (.mprotect, "mprotect", .sysAdmin, .deny), (.module, "module", .sysModule, .deny),
      (.kexec, "kexec", .sysBoot, .deny), (.mount, "mount", .sysAdmin, .deny), (.clone, "clone", .sysAdmin, .deny),
      (.ioctl, "ioctl", .sysAdmin, .allow),
    ] as [(Mechanism, String, Capability?, Verdict)])
  func aMechanismIs(_ mechanism: Mechanism, _ name: String, _ capability: Capability?, _ verdict: Verdict) {
    #expect(mechanism.name == name)
    #expect(Mechanism(name: name) == mechanism)
    #expect(mechanism.capability == capability)
    #expect(mechanism.builtInDefault == verdict)
  }

  @Test func namesAreReadBackAndNothingElseIs() {
    #expect(Mechanism.allCases.count == 9)
    for mode in Mode.allCases { #expect(Mode(name: mode.name) == mode) }
    for verdict in Verdict.allCases { #expect(Verdict(name: verdict.name) == verdict) }
    for name in ["", "Enforce", "enforced", "allow\n"] {
      #expect(Mode(name: name) == nil)
      #expect(Verdict(name: name) == nil)
      #expect(Mechanism(name: name) == nil)
    }
  }

  @Test func recordsTellFailuresEffectsAndKindsApart() {
    #expect(Set(Failure.allCases.map(\.name)).count == Failure.allCases.count)
    #expect(Set(ContainmentFailure.allCases.map(\.name)).count == ContainmentFailure.allCases.count)
    #expect(Set(IdentityCertainty.allCases.map(\.name)).count == IdentityCertainty.allCases.count)
    #expect(Set(Effect.allCases.map(\.name)).count == Effect.allCases.count)
    #expect(Set(ContentKind.allCases.map(\.name)).count == ContentKind.allCases.count)
    #expect(Set(TrustState.allCases.map(\.name)).count == TrustState.allCases.count)
    #expect(IntegrityMode.allCases.map(\.name) == ["size", "sha256"])
    #expect(ContentKind.allCases.filter(\.isELF) == [.elfExecutable, .elfLibrary, .elfOther])
  }
}
