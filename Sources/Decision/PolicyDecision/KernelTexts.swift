// Owns what texts are in the kernel: files by device and inode, numbers of calls and requests, bits of flags.
// It must not look anything up: what the host alone knows stays a name.

internal import AccessModel
internal import PolicyLanguage

extension KernelConditions {
  func compareTexts(
    _ comparison: Comparison, _ a: Expression, _ b: Expression
  ) throws(KernelObstacle) -> KernelFormula {
    let (left, right) = (KernelText(a), KernelText(b))
    guard comparison == .equal || comparison == .notEqual else {
      guard let attribute = left.attribute ?? right.attribute else {
        throw KernelObstacle("the order of texts cannot be asked in the kernel")
      }
      throw KernelObstacle("\(attribute.name) can be asked in the kernel with == and != only")
    }
    let isEqual = try equal(left, right)
    return comparison == .equal ? isEqual : isEqual.negated
  }

  func text(_ element: Expression, in list: [[UInt8]]) throws(KernelObstacle) -> KernelFormula {
    let element = KernelText(element)
    guard case .attribute(let attribute) = element, list.isEmpty else {
      var parts: [KernelFormula] = []
      for literal in list { parts.append(try equal(element, .literal(literal))) }
      return .disjunction(parts)
    }
    return .never(try mark(of: attribute))
  }

  private func equal(_ a: KernelText, _ b: KernelText) throws(KernelObstacle) -> KernelFormula {
    switch (a, b) {
    case (.literal(let a), .literal(let b)): return .constant(a == b)
    case (.attribute(let attribute), .literal(let bytes)), (.literal(let bytes), .attribute(let attribute)):
      return try equal(attribute, bytes)
    case (.attribute(let a), .attribute(let b)):
      if let (device, inode) = fileFields(a), let (otherDevice, otherInode) = fileFields(b) {
        return .conjunction([
          .ask(.equal, inode, .field(otherInode)), .ask(.equal, device, .field(otherDevice)),
        ])
      }
      if let device = deviceField(a), let other = deviceField(b) { return .ask(.equal, device, .field(other)) }
      for attribute in [a, b] { _ = try mark(of: attribute) }
      throw KernelObstacle("\(a.name) and \(b.name) cannot be held against each other in the kernel")
    }
  }

  private func equal(_ attribute: Attribute, _ bytes: [UInt8]) throws(KernelObstacle) -> KernelFormula {
    if let (device, inode) = fileFields(attribute) {
      guard bytes.isFullPath else { return .never(device) }
      return .conjunction([
        .ask(.equal, inode, .name(.inode(path: bytes))), .ask(.equal, device, .name(.device(path: bytes))),
      ])
    }
    if let field = deviceField(attribute) {
      return DeviceText.number(bytes).map { .ask(.equal, field, .constant($0)) } ?? .never(field)
    }
    switch attribute {
    case .subjectCGroup:
      guard bytes.isFullPath else { return .never(.controlGroup) }
      return .ask(.equal, .controlGroup, .name(.controlGroup(path: bytes)))
    case .objectFSType where mechanism == .mount: return try fileSystem(bytes)
    case .operationSyscall: return isCall(bytes)
    case .operationArchitecture:
      return .ask(.equal, .architecture, .name(.architecture(String(decoding: bytes, as: UTF8.self))))
    case .operationRequest: return isRequest(String(decoding: bytes, as: UTF8.self))
    default: throw .noAttribute(attribute)
    }
  }

  /// A field that is known where a text attribute is; throws where the kernel knows nothing of it.
  private func mark(of attribute: Attribute) throws(KernelObstacle) -> KernelField {
    if let device = fileFields(attribute)?.device ?? deviceField(attribute) { return device }
    switch attribute {
    case .subjectCGroup: return .controlGroup
    case .objectFSType where mechanism == .mount: return .fileSystemLow
    case .operationSyscall: return .call
    case .operationArchitecture: return .architecture
    case .operationRequest: return .request
    default: throw .noAttribute(attribute)
    }
  }

  /// Paths are files here. What a mount is about has no file that the hooks would see.
  private func fileFields(_ attribute: Attribute) -> (device: KernelField, inode: KernelField)? {
    switch attribute {
    case .subjectExe: (.exeDevice, .exeInode)
    case .targetExe: (.targetDevice, .targetInode)
    case .objectPath where mechanism != .mount: (.objectDevice, .objectInode)
    default: nil
    }
  }

  private func deviceField(_ attribute: Attribute) -> KernelField? {
    switch attribute {
    case .subjectExeDev: .exeDevice
    case .objectDev: .objectDevice
    default: nil
    }
  }

  /// Two words hold fifteen bytes of a name, zero bytes behind it. A longer name is cut: no rule may ask for one that
  /// could be the beginning of it.
  private func fileSystem(_ name: [UInt8]) throws(KernelObstacle) -> KernelFormula {
    guard name.count < 15 else {
      throw KernelObstacle("object.fstype can be asked in the kernel for names of up to 14 bytes only")
    }
    guard !name.contains(0) else { return .never(.fileSystemLow) }
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    return .conjunction([
      .ask(.equal, .fileSystemLow, .constant(word(name.prefix(8)))),
      .ask(.equal, .fileSystemHigh, .constant(word(name.dropFirst(8)))),
    ])
  }

  /// The same number is another call on another architecture.
  func isCall(_ name: [UInt8]) -> KernelFormula {
    .disjunction(
      Self.architectures.map { architecture in
        .conjunction([
          .ask(.equal, .call, .name(.callNumber(name, architecture: architecture))),
          .ask(.equal, .architecture, .name(.architecture(architecture))),
        ])
      })
  }

  /// Those whose calls a host of this machine can make.
  private static var architectures: [String] {
    #if arch(arm64)
      ["aarch64", "arm"]
    #else
      ["x86_64", "i386"]
    #endif
  }

  /// A call that has no request has the number 0 in its place.
  private func isRequest(_ name: String) -> KernelFormula {
    let numbers = RequestNames.numbers(named: name, mechanism: mechanism)
      .filter { RequestNames.name(of: $0, mechanism) == name }
    if numbers.isEmpty { return .never(.request) }
    return .disjunction(
      numbers.map { number in
        let isEqual = KernelFormula.ask(.equal, .request, .constant(number))
        return number == 0 ? .conjunction([isEqual, isCall([UInt8](mechanism.name.utf8))]) : isEqual
      })
  }
}

/// A side of a comparison of texts.
private enum KernelText {
  case literal([UInt8])
  case attribute(Attribute)

  init(_ expression: Expression) {
    switch expression {
    case .string(let bytes): self = .literal(bytes)
    // These mechanisms' requests are all calls.
    case .attribute(.operationKind): self = .literal([UInt8](Operation.call.name.utf8))
    case .attribute(let attribute): self = .attribute(attribute)
    default: preconditionFailure("a text is a literal or an attribute")
    }
  }

  var attribute: Attribute? {
    guard case .attribute(let attribute) = self else { return nil }
    return attribute
  }
}

private enum DeviceText {
  /// The kernel's number of `MAJOR:MINOR` (include/linux/kdev_t.h); nil where no device is written so.
  static func number(_ text: [UInt8]) -> UInt64? {
    let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2, let major = decimal(parts[0]), let minor = decimal(parts[1]) else { return nil }
    return major < 1 << 12 && minor < 1 << 20 ? major << 20 | minor : nil
  }

  /// As records show it: digits without a needless zero or a sign.
  private static func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
    guard let value = UInt64(String(decoding: digits, as: UTF8.self)),
      String(value).utf8.elementsEqual(digits)
    else { return nil }
    return value
  }
}

extension [UInt8] {
  fileprivate var isFullPath: Bool { first == UInt8(ascii: "/") && !contains(0) }
}
