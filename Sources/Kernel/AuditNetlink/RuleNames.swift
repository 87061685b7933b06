// Owns the words of auditctl(8) for what stands in a rule; libaudit knows them, and a number stands where it does not.
// It must not decide what a rule matches.

internal import CAudit

enum RuleNames {
  /// The call's name; its number where libaudit has none, or another than the man pages (`sys_kexec_load`), which the
  /// next version may not know.
  static func call(_ number: UInt32, on architecture: AuditArchitecture) -> String {
    let machine = audit_elf_to_machine(architecture.rawValue)
    guard machine >= 0, let name = unsafe audit_syscall_to_name(Int32(bitPattern: number), machine) else {
      return String(number)
    }
    // A table of constants that lives as long as the program.
    let text = unsafe String(cString: name)
    guard let known = KnownCall(number: number, on: architecture) else { return text }
    return known.name == text ? text : String(number)
  }

  static func field(_ number: UInt32) -> String {
    guard let name = unsafe audit_field_to_name(Int32(bitPattern: number)) else { return "f\(number)" }
    return unsafe String(cString: name)
  }

  /// `=`, `!=`, `&=` and so on.
  static func comparison(_ operation: UInt32) -> String {
    guard let symbol = unsafe audit_operator_to_symbol(Int32(bitPattern: operation)) else { return "?" }
    return unsafe String(cString: symbol)
  }

  static func value(_ value: UInt32, of field: UInt32) -> String {
    switch field {
    case FieldNumber.arguments: "0x" + String(value, radix: 16)
    case FieldNumber.exit: String(Int32(bitPattern: value))
    case FieldNumber.architecture: architecture(value)
    case FieldNumber.permission: permission(value)
    case FieldNumber.messageType: unsafe name(audit_msg_type_to_name(Int32(bitPattern: value)), or: value)
    case FieldNumber.fileType: unsafe name(audit_ftype_to_name(Int32(bitPattern: value)), or: value)
    default: String(value)
    }
  }

  private static func name(_ found: UnsafePointer<CChar>?, or value: UInt32) -> String {
    guard let found = unsafe found else { return String(value) }
    return unsafe String(cString: found)
  }

  private static func architecture(_ value: UInt32) -> String {
    let architecture = AuditArchitecture(rawValue: value)
    if AuditArchitecture.compatibles.contains(architecture) { return architecture.name }
    let machine = audit_elf_to_machine(value)
    return machine >= 0 ? unsafe name(audit_machine_to_name(machine), or: value) : "0x" + String(value, radix: 16)
  }

  /// AUDIT_PERM_*.
  private static func permission(_ bits: UInt32) -> String {
    var text = ""
    for (bit, letter) in [(4, "r"), (2, "w"), (1, "x"), (8, "a")] where bits & UInt32(bit) != 0 { text += letter }
    return text
  }
}
