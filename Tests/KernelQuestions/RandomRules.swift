// Owns random rules in the part of the language that the kernel can be asked, the same in every run.
// It must not draw anything that is refused.

public import AccessModel
public import PolicyDecision
internal import PolicyLanguage

/// A small generator with a fixed seed (SplitMix64).
public struct FixedRandom: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: elements.indices, using: &self)]
  }
}

public enum RandomRules {
  /// A policy whose rules for all these mechanisms are random; nil where a rule of it is refused as text.
  public static func policy(_ mechanisms: [Mechanism], _ random: inout FixedRandom) -> Policy? {
    var settings = PolicySettings()
    var lines: [String] = []
    for mechanism in mechanisms {
      settings[mechanism].mode = random.pick([.audit, .enforce])
      settings[mechanism].defaultVerdict = random.pick([.allow, .deny])
      settings[mechanism].evaluatesHolders = random.chance(70)
      for _ in 0..<Int.random(in: 0...5, using: &random) { lines.append(rule(mechanism, &random)) }
    }
    lines.shuffle(using: &random)
    let bytes = [UInt8](lines.joined(separator: "\n").utf8)
    let (rules, diagnostics) = RuleSet.parse([RuleSource(path: "/r", file: "r", bytes: bytes)])
    return diagnostics.contains { $0.severity == .error } ? nil : Policy(rules: rules, settings: settings)
  }

  private static func rule(_ mechanism: Mechanism, _ random: inout FixedRandom) -> String {
    let verdict = random.chance(50) ? "allow" : "deny"
    if random.chance(4) { return "\(verdict) \(mechanism.name)" }
    return "\(verdict) \(mechanism.name) when \(condition(mechanism, &random, depth: 3))"
  }

  private static func condition(_ mechanism: Mechanism, _ random: inout FixedRandom, depth: Int) -> String {
    if depth == 0 || random.chance(30) { return leaf(mechanism, &random) }
    let a = condition(mechanism, &random, depth: depth - 1)
    let b = condition(mechanism, &random, depth: depth - 1)
    switch Int.random(in: 0..<12, using: &random) {
    case 0, 1: return "!(\(a))"
    case 2: return "(\(a)) \(random.pick(["==", "!=", "<", "<=", ">", ">="])) (\(b))"
    case 3...7: return "(\(a) && \(b))"
    default: return "(\(a) || \(b))"
    }
  }

  private static func leaf(_ mechanism: Mechanism, _ random: inout FixedRandom) -> String {
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1: number(mechanism, &random)
    case 2: random.pick(["true", "false", "subject.userns_initial", "subject.mntns_initial"])
    case 3: capability(&random)
    case 4, 5: text(["subject.exe", "subject.exe", "subject.cgroup", "subject.exe_dev"], &random)
    case 6: text(["operation.syscall", "operation.architecture", "operation.kind"], &random)
    default: random.pick(own(mechanism, &random))
    }
  }

  private static func capability(_ random: inout FixedRandom) -> String {
    let name = random.pick(["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_CHOWN"])
    return "\"\(name)\" in subject.\(random.pick(["", "permitted_"]))capabilities"
  }

  private static func number(_ mechanism: Mechanism, _ random: inout FixedRandom) -> String {
    var names = ["pid", "ppid", "uid", "euid", "gid", "egid", "auid", "session", "exe_inode"].map { "subject." + $0 }
    if mechanism == .ptrace { names += ["target.uid", "target.pid"] }
    if mechanism == .module || mechanism == .ioctl { names += ["object.inode", "object.owner", "object.mode"] }
    if mechanism == .ioctl { names.append("operation.request_number") }
    let name = random.pick(names)
    if random.chance(15) {
      return "\(name) in [\(random.pick(["", "0", "0, 1000", "-1, 100, 4294967295", "7, 1000, 21522"]))]"
    }
    let (operation, literals) = (
      random.pick(["==", "!=", "<", "<=", ">", ">="]), [-5, -1, 0, 7, 100, 1000, 4_294_967_295]
    )
    if random.chance(15) { return "\(random.pick(literals)) \(operation) \(name)" }
    return "\(name) \(operation) \(random.chance(25) ? random.pick(names) : String(random.pick(literals)))"
  }

  private static func text(_ names: [String], _ random: inout FixedRandom) -> String {
    let name = random.pick(names)
    func literal() -> String { "\"\(random.pick(values(name)))\"" }
    switch Int.random(in: 0..<5, using: &random) {
    case 0: return "\(name) in [\(literal()), \(literal())]"
    case 1: return "\(name) != \(literal())"
    case 2: return "\(literal()) == \(name)"
    case 3 where random.chance(20): return "\(name) in []"
    default: return "\(name) == \(literal())"
    }
  }

  private static func values(_ name: String) -> [String] {
    switch name {
    case "subject.exe", "target.exe", "object.path":
      ["/usr/bin/gdb", "/usr/bin/strace", "/dev/tty1", "/no/such/file", ""]
    case "subject.exe_dev", "object.dev": ["8:1", "0:6", "259:1048575", "08:1", "8:1048577", "x", "8"]
    case "subject.cgroup": ["/system.slice/x.service", "/user.slice", "/gone.slice", ""]
    case "operation.syscall": NameBook.calls + ["nosuch"]
    case "operation.architecture": ["x86_64", "i386"]
    case "operation.kind": ["call", "open"]
    case "object.fstype": ["ext4", "tmpfs", "fourteen-bytes", "nfs", ""]
    case "ptrace": ["PTRACE_TRACEME", "PTRACE_ATTACH", "PTRACE_SEIZE"]
    default: ["TIOCSTI", "FS_IOC_GETFLAGS", "FIBMAP"]
    }
  }

  /// What only this mechanism has.
  private static func own(_ mechanism: Mechanism, _ random: inout FixedRandom) -> [String] {
    let file = [
      text(["object.path", "object.dev"], &random), "object.setuid", "object.world_writable",
      "object.setgid", "object.group_writable", "object.path == subject.exe", "object.dev == subject.exe_dev",
    ]
    func flags(_ names: [String]) -> [String] { names.map { "\"\($0)\" in operation.flags" } }
    switch mechanism {
    case .ptrace:
      return [
        text(["target.exe"], &random), "target.exe == subject.exe", "target.uid == subject.uid",
        request("ptrace", &random),
      ]
    case .mprotect:
      return ["PROT_READ", "PROT_WRITE", "PROT_EXEC"].map { "\"\($0)\" in operation.protection" }
        + flags(["MAP_SHARED", "MAP_PRIVATE", "MAP_SHARED_VALIDATE", "MAP_ANONYMOUS", "MAP_NOTHING"])
    case .module: return file + flags(["MODULE_INIT_COMPRESSED_FILE", "O_TRUNC", "O_NONBLOCK"])
    case .kexec: return flags(["KEXEC_ON_CRASH", "KEXEC_PRESERVE_CONTEXT"])
    case .mount:
      return flags(["MS_BIND", "MS_RDONLY", "MNT_FORCE", "OPEN_TREE_CLONE", "MOUNT_ATTR_RDONLY", "AT_RECURSIVE"])
        + [text(["object.fstype"], &random), text(["object.fstype"], &random)]
    case .clone:
      return ["user", "mount", "net"].map { "\"\($0)\" in operation.namespaces" }
        + flags(["CLONE_NEWUSER", "CLONE_NEWNS", "CLONE_NEWTIME"])
    case .ioctl: return file + [request("ioctl", &random), request("ioctl", &random)]
    case .exec, .open: return ["true"]
    }
  }

  private static func request(_ mechanism: String, _ random: inout FixedRandom) -> String {
    let names = values(mechanism)
    let (a, b) = (random.pick(names), random.pick(names))
    return random.pick([
      "operation.request == \"\(a)\"", "operation.request != \"\(a)\"", "operation.request in [\"\(a)\", \"\(b)\"]",
      "operation.request_number in [0, 16, 16902]", "operation.request_number == 16", "operation.request in []",
    ])
  }
}
