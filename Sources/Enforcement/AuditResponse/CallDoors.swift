// Owns which system calls are doors, of which mechanism, and with which arguments: one table for the kernel's filter
// and for the classification of what comes back. It must not depend on the key of a rule: others have rules too.

internal import AccessModel
internal import AuditNetlink

/// A question about one argument that a kernel filter can ask as well. It sees the low 32 bits of each.
enum ArgumentTest: Hashable, Sendable {
  case equals(argument: Int, UInt32)
  /// At least one of these bits is set.
  case anyBit(argument: Int, UInt32)
  /// All of these bits are set.
  case allBits(argument: Int, UInt32)

  func holds(_ arguments: CallArguments) -> Bool {
    switch self {
    case .equals(let argument, let value): arguments.low(argument) == value
    case .anyBit(let argument, let mask): arguments.low(argument) & mask != 0
    case .allBits(let argument, let mask): arguments.low(argument) & mask == mask
    }
  }
}

/// Calls that are a door where all tests hold.
struct CallDoor: Hashable, Sendable {
  var mechanism: Mechanism
  var calls: [KnownCall]
  var tests: [ArgumentTest] = []
}

extension CallDoor {
  /// Flags of unshare(2) that create a namespace; CLONE_NEWTIME shares its bit with clone(2)'s exit signal.
  static let newNamespaces: UInt32 = 0x7e02_0080
  static let newNamespacesOfClone: UInt32 = 0x7e02_0000

  private static let execute: UInt32 = 4
  private static let writeAndExecute: UInt32 = 6
  private static let anonymous: UInt32 = 0x20

  /// Every door of a mechanism, given which requests the policy wants to hear of.
  static func doors(of mechanism: Mechanism, _ filter: RequestFilter) -> [CallDoor] {
    switch mechanism {
    case .exec, .open: []
    case .ptrace: requests(of: .ptrace, .ptrace, argument: 0, filter) + [writingMemory]
    case .ioctl: requests(of: .ioctl, .ioctl, argument: 1, filter)
    case .mprotect: protections
    case .module: [CallDoor(mechanism: .module, calls: [.initModule, .finitModule, .deleteModule])]
    case .kexec: [CallDoor(mechanism: .kexec, calls: [.kexecLoad, .kexecFileLoad])]
    case .mount: mounts
    case .clone: namespaces
    }
  }

  private static let writingMemory = CallDoor(mechanism: .ptrace, calls: [.processVMWritev, .pidfdGetfd])

  private static func requests(
    of mechanism: Mechanism, _ call: KnownCall, argument: Int, _ filter: RequestFilter
  ) -> [CallDoor] {
    switch filter {
    case .all: [CallDoor(mechanism: mechanism, calls: [call])]
    case .numbers(let numbers):
      numbers.map { number in
        CallDoor(
          mechanism: mechanism, calls: [call],
          tests: [.equals(argument: argument, UInt32(truncatingIfNeeded: number))])
      }
    }
  }

  /// Memory without a file, and memory that can be written, must not become code. A file that is mapped for execution
  /// only is `exec`'s business.
  private static let protections = [
    CallDoor(
      mechanism: .mprotect, calls: [.mmap, .mmap2],
      tests: [.allBits(argument: 2, execute), .allBits(argument: 3, anonymous)]),
    CallDoor(mechanism: .mprotect, calls: [.mmap, .mmap2], tests: [.allBits(argument: 2, writeAndExecute)]),
    CallDoor(mechanism: .mprotect, calls: [.mprotect, .pkeyMprotect], tests: [.allBits(argument: 2, execute)]),
  ]

  /// fsconfig(2) changes a mounted file system by FSCONFIG_CMD_RECONFIGURE alone; a new one shows when it is mounted.
  /// open_tree(2) without OPEN_TREE_CLONE only names a mount.
  private static let mounts = [
    CallDoor(
      mechanism: .mount,
      calls: [.mount, .umount, .umount2, .moveMount, .fsmount, .mountSetattr, .pivotRoot]),
    CallDoor(mechanism: .mount, calls: [.openTree, .openTreeAttr], tests: [.allBits(argument: 2, 1)]),
    CallDoor(mechanism: .mount, calls: [.fsconfig], tests: [.equals(argument: 1, 7)]),
  ]

  /// clone3(2) takes its flags in memory, where no filter reaches; setns(2) may leave the kind to its descriptor.
  private static let namespaces = [
    CallDoor(mechanism: .clone, calls: [.clone], tests: [.anyBit(argument: 0, newNamespacesOfClone)]),
    CallDoor(mechanism: .clone, calls: [.unshare], tests: [.anyBit(argument: 0, newNamespaces)]),
    CallDoor(mechanism: .clone, calls: [.clone3, .setns]),
  ]

  /// Calls after which other facts hold about the caller, whatever mechanisms are on.
  static let upkeep: [(calls: [KnownCall], tests: [ArgumentTest])] = [
    ([.capset, .setns], []), ([.clone, .unshare], [.anyBit(argument: 0, 0x1002_0000)]),
  ]

  /// The old mmap of i386 takes all its arguments in memory, so that nothing can be asked about them.
  static func takesArgumentsInMemory(_ call: KnownCall, on architecture: AuditArchitecture) -> Bool {
    CallArguments.areInMemory(call.name, on: architecture.machine)
  }

  func matches(_ call: KnownCall, on architecture: AuditArchitecture, _ arguments: CallArguments) -> Bool {
    calls.contains(call)
      && (Self.takesArgumentsInMemory(call, on: architecture) || tests.allSatisfy { $0.holds(arguments) })
  }
}
