// Owns the numbers of architectures by the names that facts have for them.
// It must not name a system call.

internal import AuditNetlink

enum KernelArchitecture {
  /// AUDIT_ARCH_* (include/uapi/linux/audit.h); nil for a name that Lilium does not know.
  static func number(_ machine: String) -> UInt64? {
    AuditArchitecture.known.first { $0.machine == machine }.map { UInt64($0.rawValue) }
  }
}
