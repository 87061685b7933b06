// Owns the compiled policy in the form that the kernel's programs read: doors and steps, every name looked up.
// It must not decide anything, nor load itself.

public import AccessModel
public import CBPFLSM

/// What BPFLSM puts in force. Owns its memory (about 24 KiB), which lives as long as it does.
@safe public struct PolicyImage: ~Copyable {
  private let policy: UnsafeMutablePointer<lil_policy>
  /// Names in the rules that name nothing on this host now: what is held against them is never equal.
  public let unresolved: [KernelName]

  /// The doors of `mechanisms` that are on and have a program get their modes and steps; all others are off. `logging`
  /// are those whose allows are events too. `generation` comes back with each event.
  public init(
    _ program: KernelProgram, _ settings: PolicySettings, of mechanisms: MechanismSet = .calls,
    logging: MechanismSet = [], generation: UInt64, names: some KernelNameLookup
  ) {
    precondition(program.steps.count <= KernelProgram.stepLimit)
    unsafe policy = .allocate(capacity: 1)
    unsafe UnsafeMutableRawPointer(policy).initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
    unsafe policy.pointee.generation = generation
    var numbers = KernelNumbering(names)
    unsafe Self.write(program.steps.map { lil_step($0, &numbers) }, to: policy, at: Self.stepsOffset)
    let doors = Mechanism.allCases.map { mechanism in
      let isWanted = mechanisms.contains(mechanism)
      return lil_door(
        settings[mechanism], mechanism, entry: isWanted ? program.entries[mechanism] : nil,
        logsAllows: logging.contains(mechanism))
    }
    unsafe Self.write(doors, to: policy, at: Self.doorsOffset)
    unresolved = numbers.unresolved
  }

  deinit { unsafe policy.deallocate() }

  /// Lends the policy for the time of `body`.
  public borrowing func withPolicy<Result, Failure: Error>(
    _ body: (UnsafePointer<lil_policy>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(UnsafePointer(policy))
  }

  private static let byteCount = MemoryLayout<lil_policy>.size
  // The generation, the doors, the steps, with nothing between them: the C side asserts that.
  private static let doorsOffset = MemoryLayout<UInt64>.size
  private static let stepsOffset = byteCount - KernelProgram.stepLimit * MemoryLayout<lil_step>.stride

  private static func write<Element>(
    _ elements: [Element], to policy: UnsafeMutablePointer<lil_policy>, at offset: Int
  ) {
    let place = unsafe UnsafeMutableRawPointer(policy).advanced(by: offset)
    for (index, element) in elements.enumerated() {
      unsafe place.storeBytes(of: element, toByteOffset: index * MemoryLayout<Element>.stride, as: Element.self)
    }
  }
}

extension lil_door {
  /// Off without an entry.
  fileprivate init(_ settings: MechanismSettings, _ mechanism: Mechanism, entry: Int?, logsAllows: Bool) {
    self.init()
    guard let entry, settings.mode != .off else { return }
    mode = settings.mode.rawValue
    self.entry = UInt16(entry)
    logs_allows = logsAllows ? 1 : 0
    if let opener = mechanism.capability, !settings.evaluatesHolders { capability = 1 << UInt64(opener.rawValue) }
  }
}

extension lil_step {
  fileprivate init(_ step: KernelStep, _ numbers: inout KernelNumbering<some KernelNameLookup>) {
    self.init()
    other = UInt8(LIL_NO_FIELD)
    switch step {
    case .verdict(let verdict, let reason, let rule):
      test = UInt8(LIL_VERDICT.rawValue)
      value = UInt64(rule)
      unknown = verdict.rawValue
      self.reason = reason.rawValue
    case .ask(let asked, let answer, let onTrue, let onFalse):
      unknown = answer ? 1 : 0
      on_true = UInt16(onTrue)
      on_false = UInt16(onFalse)
      let question = numbers.settled(asked)
      test = question.test.rawValue
      field = question.field.rawValue
      switch question.operand {
      case .constant(let constant): value = constant
      case .field(let second): other = second.rawValue
      case .name: preconditionFailure("every name is looked up")
      }
    }
  }
}

/// Puts numbers for names, each file looked up once, so that its device and inode belong together.
private struct KernelNumbering<Lookup: KernelNameLookup> {
  private let names: Lookup
  private var files: [[UInt8]: FileIdentity?] = [:]
  private(set) var unresolved: [KernelName] = []

  init(_ names: Lookup) { self.names = names }

  mutating func settled(_ question: KernelQuestion) -> KernelQuestion {
    guard case .name(let name) = question.operand else { return question }
    guard let number = number(of: name) else {
      if !unresolved.contains(name) { unresolved.append(name) }
      return .never(question.field)
    }
    return KernelQuestion(question.test, question.field, .constant(number))
  }

  private mutating func number(of name: KernelName) -> UInt64? {
    switch name {
    // As the kernel keeps a device (include/linux/kdev_t.h).
    case .device(let path): file(path).map { UInt64($0.device.major) << 20 | UInt64($0.device.minor) }
    case .inode(let path): file(path)?.inode
    case .controlGroup(let path): names.controlGroup(at: path)
    case .callNumber(let call, let architecture):
      names.call(String(decoding: call, as: UTF8.self), on: architecture).map { UInt64($0) }
    case .architecture(let machine): KernelArchitecture.number(machine)
    }
  }

  private mutating func file(_ path: [UInt8]) -> FileIdentity? {
    if let known = files[path] { return known }
    let found = names.file(at: path)
    files[path] = .some(found)
    return found
  }
}
