// Owns the arguments of a system call as numbers, and what they and the call's name say about the operation.
// It must not follow a pointer or look at a process.

/// The first arguments of a system call, as the caller's registers had them.
public struct CallArguments: Hashable, Sendable {
  private let values: [UInt64]
  public init(_ values: [UInt64]) { self.values = values }

  /// 0 where there is none.
  public subscript(index: Int) -> UInt64 { values.indices.contains(index) ? values[index] : 0 }
  /// The low half, which is all that the kernel takes of an int.
  public func low(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: self[index]) }
}

extension CallArguments {
  /// Whether the call takes all its arguments in memory, so that nothing can be said of them: the old mmap of i386
  /// does. `name` is the call's in the manual, `machine` as in `CallFacts.architecture`.
  public static func areInMemory(_ name: String, on machine: String) -> Bool { name == "mmap" && machine == "i386" }
}

extension CallFacts {
  /// Says what call it was, and what its numbers mean. `name` is the call's in the manual, empty where it has none
  /// here; `machine` is the calling convention: see `architecture`. What came of the call stays as it is.
  public mutating func describe(
    _ name: String, on machine: String, _ arguments: CallArguments, of mechanism: Mechanism
  ) {
    self.name = [UInt8](name.utf8)
    architecture = [UInt8](machine.utf8)
    (request, requestNumber, flags, protection, size) = ([], 0, [], [], 0)
    describeRequest(name, arguments, mechanism)
    if !CallArguments.areInMemory(name, on: machine) { describeFlags(name, arguments) }
  }

  private mutating func describeRequest(_ name: String, _ arguments: CallArguments, _ mechanism: Mechanism) {
    switch name {
    case "ptrace": setRequest(arguments.low(0), of: mechanism)
    case "ioctl": setRequest(arguments.low(1), of: mechanism)
    default: break
    }
  }

  /// The kernel takes 32 bits of an ioctl's request; ptrace's is small.
  public mutating func setRequest(_ number: UInt32, of mechanism: Mechanism) {
    requestNumber = UInt64(number)
    let name = RequestNames.name(of: requestNumber, mechanism) ?? "0x" + String(requestNumber, radix: 16)
    request = [UInt8](name.utf8)
  }

  private mutating func describeFlags(_ name: String, _ arguments: CallArguments) {
    switch name {
    case "mmap", "mmap2":
      protection = FlagNames.protection.text(arguments[2])
      flags = FlagNames.map.text(arguments[3])
    case "mprotect", "pkey_mprotect": protection = FlagNames.protection.text(arguments[2])
    case "init_module": size = arguments[1]
    default:
      if let (names, bits) = Self.flags(of: name, arguments) { flags = names.text(bits) }
    }
  }

  /// The bits of a call's one argument of flags, and what they are called.
  private static func flags(of name: String, _ arguments: CallArguments) -> (names: FlagNames, bits: UInt64)? {
    switch name {
    case "mount": (.mount, arguments.mountFlags)
    case "umount2": (.unmount, arguments[1])
    case "open_tree", "open_tree_attr", "mount_setattr": (.tree, arguments[2])
    case "fsmount": (.mountAttributes, arguments[2])
    case "clone": (.clone, arguments[0] & 0xffff_ff00)
    case "unshare": (.clone, arguments[0])
    case "setns": (.clone, arguments[1])
    case "finit_module": (.module, arguments[2])
    case "delete_module": (.unload, arguments[1])
    case "kexec_load": (.kexec, arguments[3] & 0xffff)
    default: nil
    }
  }
}

extension CallArguments {
  /// Without the magic number that old programs put into the upper half (mount(2), MS_MGC_VAL).
  fileprivate var mountFlags: UInt64 {
    self[3] & 0xffff_0000 == 0xc0ed_0000 ? self[3] & 0xffff : self[3] & 0xffff_ffff
  }

  /// Namespaces that the flags of a call name, as `CallFacts.namespaces` has them; nil where the call has no such flags
  /// or hides them, as clone3(2) does in memory and setns(2) behind its descriptor.
  public func namespaces(of name: String) -> [[UInt8]]? {
    switch name {
    case "clone": NamespaceKind.names(self[0] & 0xffff_ff00)
    case "unshare": NamespaceKind.names(self[0])
    case "setns" where self[1] & 0xffff_ffff != 0: NamespaceKind.names(self[1])
    default: nil
    }
  }
}
