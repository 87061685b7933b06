// Owns the architectures that audit tells apart (AUDIT_ARCH_*, linux/audit.h) and which of them one host runs.
// It must not know a system call.

/// The calling convention that a system call came by. A process may use more than one: `int 0x80` in a 64-bit program
/// is an i386 call.
public struct AuditArchitecture: RawRepresentable, Sendable, Hashable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  // swift-format-ignore: AlwaysUseLowerCamelCase
  public static let x86_64 = AuditArchitecture(rawValue: 0xC000_003E)
  public static let i386 = AuditArchitecture(rawValue: 0x4000_0003)
  public static let aarch64 = AuditArchitecture(rawValue: 0xC000_00B7)
  public static let arm = AuditArchitecture(rawValue: 0x4000_0028)

  /// The one that this program was built for.
  public static var native: AuditArchitecture {
    #if arch(x86_64)
      x86_64
    #elseif arch(arm64)
      aarch64
    #else
      #error("Lilium knows the system calls of x86-64 and AArch64 only; add this machine's to KnownCall")
    #endif
  }

  /// All whose calls a host of the native machine can make: rules are needed for each.
  public static var compatibles: [AuditArchitecture] {
    native == .x86_64 ? [.x86_64, .i386] : [.aarch64, .arm]
  }

  /// Those that Lilium has system call numbers of.
  public static let known: [AuditArchitecture] = [.x86_64, .i386, .aarch64, .arm]

  /// Addresses and arguments of 64 bits (__AUDIT_ARCH_64BIT).
  public var is64Bit: Bool { rawValue & 0x8000_0000 != 0 }

  /// auditctl(8)'s name for it on its own machine.
  public var name: String { is64Bit ? "b64" : "b32" }

  /// The machine's name as uname(1) and libaudit give it; hexadecimal where it is not known.
  public var machine: String {
    switch self {
    case .x86_64: "x86_64"
    case .i386: "i386"
    case .aarch64: "aarch64"
    case .arm: "arm"
    default: String(rawValue, radix: 16)
    }
  }
}
