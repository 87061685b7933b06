// Owns the names of system calls by number, beyond those that Lilium asks audit for.
// It must not say what a call does.

internal import CAudit

public enum CallName {
  /// What x86-64 adds to the numbers of its x32 calls (arch/x86/include/uapi/asm/unistd.h, __X32_SYSCALL_BIT).
  private static let x32: UInt32 = 0x4000_0000

  /// The name in the manual; where Lilium has none, libaudit's. Nil where neither knows the number. An x32 call that
  /// shares its number with a call of x86-64 has that one's name.
  public static func of(_ number: UInt32, on architecture: AuditArchitecture) -> String? {
    let number = architecture == .x86_64 ? number & ~x32 : number
    if let known = KnownCall(number: number, on: architecture) { return known.name }
    let machine = audit_elf_to_machine(architecture.rawValue)
    guard machine >= 0, number <= UInt32(Int32.max),
      let name = unsafe audit_syscall_to_name(Int32(number), machine)
    else { return nil }
    // A table of constants that lives as long as the program.
    return unsafe String(cString: name)
  }

  /// The number of the call with this name in the manual; nil where neither Lilium nor libaudit knows one.
  public static func number(named name: String, on architecture: AuditArchitecture) -> UInt32? {
    if let known = KnownCall(name: name) { return known.number(on: architecture) }
    let machine = audit_elf_to_machine(architecture.rawValue)
    guard machine >= 0, !name.utf8.contains(0) else { return nil }
    return UInt32(exactly: unsafe audit_name_to_syscall(name, machine))
  }
}
