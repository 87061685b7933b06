// Owns the lists that are bits in the kernel: capabilities, namespaces, protection and flags by their names.
// It must not number a flag: AccessModel's tables do.

internal import AccessModel
internal import PolicyLanguage

extension KernelConditions {
  /// Whether a list attribute holds a name.
  func name(_ element: Expression, in list: Attribute) throws(KernelObstacle) -> KernelFormula {
    guard let field = Self.bits(of: list) else { throw .noAttribute(list) }
    guard case .string(let bytes) = element else {
      throw KernelObstacle("in \(list.name), the kernel can be asked for quoted names only")
    }
    let name = String(decoding: bytes, as: UTF8.self)
    switch list {
    case .subjectCapabilities, .subjectPermittedCapabilities:
      guard let capability = Capability(name: name) else { return .constant(false) }
      return .ask(.allBits, field, .constant(1 << UInt64(capability.rawValue)))
    case .operationNamespaces:
      guard let kind = NamespaceKind.all.first(where: { $0.name == name }) else { return .never(field) }
      return .ask(.allBits, field, .constant(kind.flag))
    case .operationProtection: return Self.holds(name, field, FlagNames.protection) ?? .never(field)
    default: return try flag(name)
    }
  }

  private static func bits(of list: Attribute) -> KernelField? {
    switch list {
    case .subjectCapabilities: .effective
    case .subjectPermittedCapabilities: .permitted
    case .operationNamespaces: .namespaces
    case .operationProtection: .protection
    case .operationFlags: .flags
    default: nil
    }
  }

  /// The same bit has another name in another call's flags: where a mechanism's calls differ, the call is asked too.
  private func flag(_ name: String) throws(KernelObstacle) -> KernelFormula {
    guard mechanism != .clone || name.hasPrefix("CLONE_NEW") else {
      throw KernelObstacle("operation.flags can be asked in the kernel for CLONE_NEW* only")
    }
    let vocabulary = FlagVocabulary.of(mechanism)
    let parts = vocabulary.compactMap { (calls, names) -> KernelFormula? in
      guard let bits = Self.holds(name, .flags, names) else { return nil }
      return calls.isEmpty ? bits : .conjunction([bits, .disjunction(calls.map { isCall([UInt8]($0.utf8)) })])
    }
    if !parts.isEmpty { return .disjunction(parts) }
    guard !name.hasPrefix("0x") else {
      throw KernelObstacle("operation.flags cannot be asked in the kernel for bits that have no name")
    }
    return .never(.flags)
  }

  /// A name of several bits takes them from the names behind it (`FlagNames.text`). Nil where the table has no such
  /// name.
  private static func holds(_ name: String, _ field: KernelField, _ table: FlagNames) -> KernelFormula? {
    guard let place = table.names.firstIndex(where: { $0.name == name }) else { return nil }
    let bit = table.names[place].bit
    let wider = table.names[..<place].filter { $0.bit & bit != 0 }
    let ask = { (bits: UInt64) in KernelFormula.ask(.allBits, field, .constant(bits)) }
    return .conjunction([ask(bit)] + wider.map { ask($0.bit).negated })
  }
}

/// Whose flags have which names.
private enum FlagVocabulary {
  /// No calls: all of the mechanism's that have flags.
  static func of(_ mechanism: Mechanism) -> [(calls: [String], names: FlagNames)] {
    switch mechanism {
    case .mprotect: [([], .map)]
    case .clone: [([], .clone)]
    case .module: [(["finit_module"], .module), (["delete_module"], .unload)]
    case .kexec: [(["kexec_load"], .kexec)]
    case .mount:
      [
        (["mount"], .mount), (["umount2"], .unmount), (["open_tree", "open_tree_attr", "mount_setattr"], .tree),
        (["fsmount"], .mountAttributes),
      ]
    case .exec, .open, .ptrace, .ioctl: []
    }
  }
}
