// Tests the numbers of the system calls against libaudit's tables and the kernel's own headers.

import AuditNetlink
import CAudit
import Testing

@Suite("System calls and their numbers")
struct KnownCallTests {
  /// libaudit 3.0.9 does not know these; a newer one may.
  private static let unknown: Set<String> = ["kexec_load i386", "open_tree_attr x86_64", "open_tree_attr i386"]

  @Test(arguments: AuditArchitecture.compatibles)
  func libauditAgrees(_ architecture: AuditArchitecture) {
    let machine = audit_elf_to_machine(architecture.rawValue)
    #expect(machine >= 0)
    for call in KnownCall.allCases {
      let theirs = audit_name_to_syscall(call.name, machine)
      let label = "\(call.name) \(architecture.machine)"
      if theirs < 0, Self.unknown.contains(label) { continue }
      #expect(call.number(on: architecture).map(Int32.init) ?? -1 == theirs, "\(label)")
    }
  }

  /// From arch/arm64/include/asm/unistd32.h, include/uapi/asm-generic/unistd.h and the tables of x86.
  @Test(arguments: [
    (KnownCall.kexecLoad, AuditArchitecture.i386, 283 as UInt32?), (.openTreeAttr, .x86_64, 467),
    (.openTreeAttr, .arm, 467),
    (.mmap, .aarch64, 222), (.mmap, .arm, nil), (.mmap2, .arm, 192), (.mmap2, .aarch64, nil), (.umount, .x86_64, nil),
    (.umount, .i386, 22), (.umount, .aarch64, nil), (.kexecFileLoad, .i386, nil), (.kexecFileLoad, .arm, 401),
    (.kexecFileLoad, .aarch64, 294), (.mount, .aarch64, 40), (.umount2, .aarch64, 39), (.ptrace, .aarch64, 117),
    (.ptrace, .arm, 26), (.clone, .aarch64, 220), (.unshare, .aarch64, 97), (.setns, .arm, 375), (.ioctl, .arm, 54),
    (.ioctl, .aarch64, 29), (.capset, .aarch64, 91), (.finitModule, .arm, 379), (.mprotect, .aarch64, 226),
    (.pkeyMprotect, .aarch64, 288), (.processVMReadv, .aarch64, 270), (.processVMWritev, .arm, 377),
    (.clone3, .aarch64, 435), (.pidfdGetfd, .arm, 438), (.mountSetattr, .aarch64, 442), (.pivotRoot, .arm, 218),
  ])
  func theTablesOfTheKernelAgree(_ call: KnownCall, _ architecture: AuditArchitecture, _ number: UInt32?) {
    #expect(call.number(on: architecture) == number)
  }

  @Test(arguments: AuditArchitecture.known)
  func numbersLeadBack(_ architecture: AuditArchitecture) {
    var seen: Set<UInt32> = []
    for call in KnownCall.allCases {
      guard let number = call.number(on: architecture) else { continue }
      #expect(seen.insert(number).inserted, "\(call.name) shares its number")
      #expect(KnownCall(number: number, on: architecture) == call)
    }
    #expect(KnownCall(number: 2047, on: architecture) == nil)
  }

  @Test func namesLeadBack() {
    for call in KnownCall.allCases { #expect(KnownCall(name: call.name) == call) }
    #expect(KnownCall(name: "open") == nil)
    #expect(KnownCall.mount.number(on: AuditArchitecture(rawValue: 1)) == nil)
    #expect(KnownCall(number: 165, on: AuditArchitecture(rawValue: 1)) == nil)
  }

  @Test func theArchitecturesAreThoseOfThisHost() {
    let machine = audit_detect_machine()
    #expect(audit_machine_to_elf(machine) == AuditArchitecture.native.rawValue)
    #expect(AuditArchitecture.compatibles.map(\.name) == ["b64", "b32"])
    for architecture in AuditArchitecture.compatibles {
      // Debian's libaudit is built without the tables of other machines.
      let number = audit_elf_to_machine(architecture.rawValue)
      if let name = audit_machine_to_name(number) { #expect(String(cString: name) == architecture.machine) }
    }
  }
}
