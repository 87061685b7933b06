// Owns the facts and questions that a program in the kernel understands, under the numbers that both sides use.
// It must not know a kernel interface: a test holds the numbers against the header that the kernel's side is built with.

/// A fact that a step may read. The raw value is its place among the facts of a request.
public enum KernelField: UInt8, CaseIterable, Sendable, Hashable {
  case pid, ppid, uid, euid, gid, egid, auid, session
  case exeDevice, exeInode, effective, permitted, userNamespaceInitial, mountNamespaceInitial, controlGroup
  case call, architecture, request, flags, protection, namespaces
  case targetPID, targetUID, targetDevice, targetInode
  case objectDevice, objectInode, objectOwner, objectMode, fileSystemLow, fileSystemHigh

  /// Whether the kernel always knows it: who calls has credentials and a process id.
  public var isAlwaysKnown: Bool {
    switch self {
    case .pid, .uid, .euid, .gid, .egid, .effective, .permitted, .userNamespaceInitial: true
    default: false
    }
  }

  /// Whether it may use all 64 bits: its highest bit is no sign, as numbers of the policy language have one.
  public var isWide: Bool {
    switch self {
    case .exeInode, .targetInode, .objectInode, .request: true
    default: false
    }
  }
}

/// What a step asks of its field and of its operand. Numbers compare as signed.
public enum KernelTest: UInt8, CaseIterable, Sendable, Hashable {
  case equal, less, lessOrEqual
  /// Every bit of the operand is set in the field; some bit of it is.
  case allBits, anyBit

  /// The answer for values that are known.
  public func holds(_ field: UInt64, _ operand: UInt64) -> Bool {
    switch self {
    case .equal: field == operand
    case .less: Int64(bitPattern: field) < Int64(bitPattern: operand)
    case .lessOrEqual: Int64(bitPattern: field) <= Int64(bitPattern: operand)
    case .allBits: field & operand == operand
    case .anyBit: field & operand != 0
    }
  }
}

/// Something in a rule that has a number only on the host where the rule is put in force.
public enum KernelName: Sendable, Hashable {
  /// Device and inode of the file that has this path in the initial mount namespace, as the kernel calls it: no part of
  /// the path is a symbolic link.
  case device(path: [UInt8])
  case inode(path: [UInt8])
  /// Inode of the control group with this path, as in `/system.slice/x.service`.
  case controlGroup(path: [UInt8])
  /// Number of a system call on an architecture, both named as `CallFacts` names them.
  case callNumber([UInt8], architecture: String)
  /// Audit's number of an architecture.
  case architecture(String)
}

/// What a field is held against.
public enum KernelOperand: Sendable, Hashable {
  case constant(UInt64)
  case field(KernelField)
  /// What names nothing never equals, and has no bit.
  case name(KernelName)
}

/// One question.
public struct KernelQuestion: Sendable, Hashable {
  public var test: KernelTest
  public var field: KernelField
  public var operand: KernelOperand

  public init(_ test: KernelTest, _ field: KernelField, _ operand: KernelOperand) {
    self.test = test
    self.field = field
    self.operand = operand
  }

  /// A question whose answer is no, where the field is known at all: nothing is less than the least number.
  public static func never(_ field: KernelField) -> KernelQuestion {
    KernelQuestion(.less, field, .constant(UInt64(bitPattern: .min)))
  }
}
