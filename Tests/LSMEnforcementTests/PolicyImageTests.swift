// The policy as the kernel's programs read it: numbers on both sides, doors, steps, names that are looked up.

import AccessModel
import CBPFLSM
import Testing

@testable import LSMEnforcement

@Suite struct PolicyImageTests {
  /// Knows one file, one control group and one call.
  private struct Names: KernelNameLookup {
    func file(at path: [UInt8]) -> FileIdentity? {
      path == Array("/a".utf8) ? FileIdentity(device: DeviceNumber(major: 259, minor: 3), inode: 77) : nil
    }
    func controlGroup(at path: [UInt8]) -> UInt64? { path == Array("/g".utf8) ? 500 : nil }
    func call(_ name: String, on architecture: String) -> UInt32? {
      name == "ptrace" && architecture == "i386" ? 26 : nil
    }
  }

  private func doors(_ image: borrowing PolicyImage) -> [lil_door] {
    image.withPolicy { policy in withUnsafeBytes(of: policy.pointee.doors) { Array($0.bindMemory(to: lil_door.self)) } }
  }

  private func steps(_ image: borrowing PolicyImage, _ count: Int) -> [lil_step] {
    image.withPolicy { policy in
      let end = UnsafeRawPointer(policy + 1).assumingMemoryBound(to: lil_step.self)
      return (0..<count).map { end[$0 - KernelProgram.stepLimit] }
    }
  }

  private func image(_ steps: [KernelStep], _ entries: [Mechanism: Int] = [.ptrace: 0]) -> PolicyImage {
    var settings = PolicySettings()
    settings[.ptrace].mode = .enforce
    settings[.mount].mode = .audit
    settings[.mount].evaluatesHolders = true
    let program = KernelProgram(steps: steps, entries: entries, refusals: [])
    return PolicyImage(program, settings, logging: MechanismSet(.mount), generation: 7, names: Names())
  }

  @Test func bothSidesHaveTheSameNumbers() {
    let fields = [
      LIL_PID, LIL_PPID, LIL_UID, LIL_EUID, LIL_GID, LIL_EGID, LIL_AUID, LIL_SESSION, LIL_EXE_DEV, LIL_EXE_INO,
      LIL_EFFECTIVE, LIL_PERMITTED, LIL_USERNS_INITIAL, LIL_MNTNS_INITIAL, LIL_CGROUP, LIL_CALL, LIL_ARCH, LIL_REQUEST,
      LIL_FLAGS, LIL_PROTECTION, LIL_NAMESPACES, LIL_TARGET_PID, LIL_TARGET_UID, LIL_TARGET_DEV, LIL_TARGET_INO,
      LIL_OBJECT_DEV, LIL_OBJECT_INO, LIL_OBJECT_OWNER, LIL_OBJECT_MODE, LIL_FSTYPE_LOW, LIL_FSTYPE_HIGH,
    ]
    #expect(fields.map(\.rawValue) == KernelField.allCases.map { UInt32($0.rawValue) })
    #expect(Int(LIL_FIELDS.rawValue) == KernelField.allCases.count)
    let tests = [LIL_EQUAL, LIL_LESS, LIL_LESS_OR_EQUAL, LIL_ALL_BITS, LIL_ANY_BIT]
    #expect(tests.map(\.rawValue) == KernelTest.allCases.map { UInt32($0.rawValue) })
    #expect(Int(LIL_VERDICT.rawValue) == tests.count)
    let reasons = [LIL_BY_CAPABILITY, LIL_BY_RULE, LIL_BY_UNDECIDED, LIL_BY_DEFAULT]
    #expect(reasons.map(\.rawValue) == KernelReason.allCases.map { UInt32($0.rawValue) })
    let mechanisms = [
      LIL_EXEC, LIL_OPEN, LIL_PTRACE, LIL_MPROTECT, LIL_MODULE, LIL_KEXEC, LIL_MOUNT, LIL_CLONE, LIL_IOCTL,
    ]
    #expect(mechanisms.map(\.rawValue) == Mechanism.allCases.map { UInt32($0.rawValue) })
    #expect([LIL_OFF, LIL_AUDIT, LIL_ENFORCE].map(\.rawValue) == Mode.allCases.map { UInt32($0.rawValue) })
    #expect([LIL_ALLOW, LIL_DENY].map(\.rawValue) == Verdict.allCases.map { UInt32($0.rawValue) })
    #expect(Int(LIL_STEPS) == KernelProgram.stepLimit)
  }

  @Test func doorsAreWhatIsSet() {
    let image = image(
      [.verdict(.deny, .default, rule: 0), .verdict(.allow, .default, rule: 0)], [.ptrace: 0, .mount: 1, .clone: 0])
    #expect(image.withPolicy { $0.pointee.generation } == 7)
    let doors = doors(image)
    let (ptrace, mount) = (doors[Int(LIL_PTRACE.rawValue)], doors[Int(LIL_MOUNT.rawValue)])
    #expect(ptrace.mode == 2 && ptrace.entry == 0 && ptrace.logs_allows == 0)
    #expect(ptrace.capability == 1 << 19)
    #expect(mount.mode == 1 && mount.entry == 1 && mount.logs_allows == 1)
    #expect(mount.capability == 0)
    for door in doors.enumerated() where ![2, 6].contains(door.offset) { #expect(door.element.mode == 0) }
  }

  @Test func aMechanismWithoutAProgramIsOff() {
    #expect(doors(image([], [:])).allSatisfy { $0.mode == 0 })
  }

  @Test func stepsAreWrittenInTheirPlaces() {
    let steps = steps(
      image([
        .ask(KernelQuestion(.less, .targetUID, .field(.uid)), unknown: true, onTrue: 1, onFalse: 2),
        .verdict(.deny, .undecided, rule: 3), .verdict(.allow, .default, rule: 0),
      ]), 4)
    #expect(steps[0].test == 1 && steps[0].field == 22 && steps[0].other == 2 && steps[0].unknown == 1)
    #expect(steps[0].on_true == 1 && steps[0].on_false == 2)
    #expect(steps[1].test == 5 && steps[1].value == 3 && steps[1].unknown == 1 && steps[1].reason == 2)
    #expect(steps[2].value == 0 && steps[2].unknown == 0 && steps[2].reason == 3)
    #expect(steps[3].value == 0 && steps[3].test == 0)
  }

  @Test func namesBecomeNumbers() {
    func ask(_ field: KernelField, _ name: KernelName) -> KernelStep {
      .ask(KernelQuestion(.equal, field, .name(name)), unknown: false, onTrue: 9, onFalse: 9)
    }
    let (a, b) = (Array("/a".utf8), Array("/b".utf8))
    let image = image([
      ask(.exeDevice, .device(path: a)), ask(.exeInode, .inode(path: a)), ask(.controlGroup, .controlGroup(path: b)),
      ask(.call, .callNumber(Array("ptrace".utf8), architecture: "i386")),
      ask(.architecture, .architecture("x86_64")), ask(.exeInode, .inode(path: b)), ask(.exeInode, .inode(path: b)),
    ])
    #expect(image.unresolved == [.controlGroup(path: b), .inode(path: b)])
    let steps = steps(image, 7)
    #expect(steps[0].value == 259 << 20 | 3 && steps[1].value == 77)
    // Nothing is less than the least number.
    #expect(steps[2].test == 1 && steps[2].value == 1 << 63 && steps[2].field == 14)
    #expect(steps[3].value == 26 && steps[4].value == 0xC000_003E)
    #expect(steps[5].value == 1 << 63 && steps[6].value == 1 << 63)
    #expect(steps.allSatisfy { $0.other == 255 })
  }
}
