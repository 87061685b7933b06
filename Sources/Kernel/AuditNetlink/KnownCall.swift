// Owns the system calls that Lilium may ask audit for, and their numbers on each architecture.
// It must not say which mechanism a call belongs to.

/// A system call by its name in the man pages.
public enum KnownCall: String, CaseIterable, Sendable, Hashable {
  case ptrace
  case processVMReadv = "process_vm_readv"
  case processVMWritev = "process_vm_writev"
  case pidfdGetfd = "pidfd_getfd"
  case mmap
  case mmap2
  case mprotect
  case pkeyMprotect = "pkey_mprotect"
  case initModule = "init_module"
  case finitModule = "finit_module"
  case deleteModule = "delete_module"
  case kexecLoad = "kexec_load"
  case kexecFileLoad = "kexec_file_load"
  case mount
  case umount
  case umount2
  case moveMount = "move_mount"
  case fsopen
  case fsconfig
  case fsmount
  case fspick
  case openTree = "open_tree"
  case openTreeAttr = "open_tree_attr"
  case mountSetattr = "mount_setattr"
  case pivotRoot = "pivot_root"
  case clone
  case clone3
  case unshare
  case setns
  case ioctl
  case capset

  /// As the man pages have it.
  public var name: String { rawValue }

  /// The call of this name, or nil.
  public init?(name: some StringProtocol) { self.init(rawValue: String(name)) }

  /// The call's number, or nil where the architecture has no such call. The x32 calls of x86-64 (number with bit 30
  /// set) fit no audit rule: the kernel's masks end at 2047.
  public func number(on architecture: AuditArchitecture) -> UInt32? {
    let all = numbers
    return switch architecture {
    case .x86_64: all.x86_64
    case .i386: all.i386
    case .aarch64: all.aarch64
    case .arm: all.arm
    default: nil
    }
  }

  /// The call that has this number.
  public init?(number: UInt32, on architecture: AuditArchitecture) {
    guard let found = Self.byNumber[architecture]?[number] else { return nil }
    self = found
  }

  private static let byNumber: [AuditArchitecture: [UInt32: KnownCall]] = {
    var tables: [AuditArchitecture: [UInt32: KnownCall]] = [:]
    for architecture in AuditArchitecture.known {
      for call in allCases {
        if let number = call.number(on: architecture) { tables[architecture, default: [:]][number] = call }
      }
    }
    return tables
  }()

  private typealias Numbers = (x86_64: UInt32?, i386: UInt32?, aarch64: UInt32?, arm: UInt32?)

  /// From the kernel's system call tables (arch/*/…/syscall*.tbl, include/uapi/asm-generic/unistd.h).
  private var numbers: Numbers {
    switch self {
    case .ptrace: (101, 26, 117, 26)
    case .processVMReadv: (310, 347, 270, 376)
    case .processVMWritev: (311, 348, 271, 377)
    case .pidfdGetfd: (438, 438, 438, 438)
    case .mmap: (9, 90, 222, nil)
    case .mmap2: (nil, 192, nil, 192)
    case .mprotect: (10, 125, 226, 125)
    case .pkeyMprotect: (329, 380, 288, 394)
    case .initModule: (175, 128, 105, 128)
    case .finitModule: (313, 350, 273, 379)
    case .deleteModule: (176, 129, 106, 129)
    case .kexecLoad: (246, 283, 104, 347)
    case .kexecFileLoad: (320, nil, 294, 401)
    case .mount: (165, 21, 40, 21)
    case .umount: (nil, 22, nil, nil)
    case .umount2: (166, 52, 39, 52)
    case .moveMount: (429, 429, 429, 429)
    case .fsopen: (430, 430, 430, 430)
    case .fsconfig: (431, 431, 431, 431)
    case .fsmount: (432, 432, 432, 432)
    case .fspick: (433, 433, 433, 433)
    case .openTree: (428, 428, 428, 428)
    case .openTreeAttr: (467, 467, 467, 467)
    case .mountSetattr: (442, 442, 442, 442)
    case .pivotRoot: (155, 217, 41, 218)
    case .clone: (56, 120, 220, 120)
    case .clone3: (435, 435, 435, 435)
    case .unshare: (272, 310, 97, 337)
    case .setns: (308, 346, 268, 375)
    case .ioctl: (16, 54, 29, 54)
    case .capset: (126, 185, 91, 185)
    }
  }
}
