// Owns the names of Lilium's doors and what is fixed about each of them.
// It must not know how a door is sensed or denied on a kernel.

/// One kind of door through which new code can enter a running host.
public enum Mechanism: UInt8, CaseIterable, Sendable, Hashable {
  case exec, open, ptrace, mprotect, module, kexec, mount, clone, ioctl

  /// The word that rules, configuration and records use.
  public var name: String {
    switch self {
    case .exec: "exec"
    case .open: "open"
    case .ptrace: "ptrace"
    case .mprotect: "mprotect"
    case .module: "module"
    case .kexec: "kexec"
    case .mount: "mount"
    case .clone: "clone"
    case .ioctl: "ioctl"
    }
  }

  public init?(name: some StringProtocol) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  /// The capability that opens the door, or nil where trust and rules alone decide.
  public var capability: Capability? {
    switch self {
    case .exec, .open: nil
    case .ptrace: .sysPtrace
    case .mprotect, .mount, .clone, .ioctl: .sysAdmin
    case .module: .sysModule
    case .kexec: .sysBoot
    }
  }

  /// Whether the door is a system call rather than a file.
  public var isCall: Bool { self != .exec && self != .open }

  /// The verdict where no rule matches. `open` and `ioctl` speak only about what the rules name, so the rest passes.
  public var builtInDefault: Verdict {
    switch self {
    case .open, .ioctl: .allow
    default: .deny
    }
  }
}

/// Several mechanisms.
public struct MechanismSet: OptionSet, Sendable, Hashable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  public init(_ mechanism: Mechanism) { rawValue = 1 << UInt16(mechanism.rawValue) }

  public static let all = MechanismSet(rawValue: (1 << UInt16(Mechanism.allCases.count)) - 1)
  /// Those whose door is a file.
  public static let files: MechanismSet = [MechanismSet(.exec), MechanismSet(.open)]
  /// Those whose door is a system call.
  public static let calls = all.subtracting(files)

  public func contains(_ mechanism: Mechanism) -> Bool { contains(MechanismSet(mechanism)) }
  /// In the order of the mechanisms.
  public var members: [Mechanism] { Mechanism.allCases.filter { contains($0) } }
}

/// What the administrator has set a mechanism to.
public enum Mode: UInt8, CaseIterable, Sendable, Hashable {
  /// Nothing is armed and nothing is paid.
  case off
  /// Everything is decided and logged, nothing is denied.
  case audit
  /// A denial is carried out.
  case enforce

  public var name: String {
    switch self {
    case .off: "off"
    case .audit: "audit"
    case .enforce: "enforce"
    }
  }

  public init?(name: some StringProtocol) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}
