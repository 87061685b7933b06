// Owns by what each system-call mechanism is sensed on this host, and why a mode cannot be had.
// It must not look at the host: what was found out there is given.

public import AccessModel
public import BPFLSM
internal import SystemCalls

extension PolicySettings {
  /// Mechanisms that are on, and that the kernel may be asked about.
  public var mayAskKernel: MechanismSet {
    Mechanism.allCases.filter { $0.isCall && self[$0].mode != .off && self[$0].sense != .audit }
      .reduce(into: []) { $0.insert(MechanismSet($1)) }
  }
}

extension KernelRefusal {
  /// `FILE:LINE: why`, without an end.
  public var sentence: String { "\(rule.name): \(why)" }
}

/// What follows for one policy from what this kernel offers.
public struct SenseChoice: Sendable, Hashable {
  /// A mode that this host cannot honour.
  public struct Refusal: Sendable, Hashable {
    public var mechanism: Mechanism
    /// Why, and what to do about it.
    public var message: String
    public var remedy: String
  }

  /// Mechanisms that are on, and by what they are sensed; one whose mode is refused is sensed by nothing.
  public private(set) var sensors: [Mechanism: Sensor] = [:]
  /// Why a mechanism that is on, and may be sensed by the BPF LSM, is not: a sentence each without an end.
  public private(set) var hindrances: [Mechanism: [String]] = [:]
  /// What has to be set so that a mechanism is prevented all the same.
  public private(set) var switches: [Mechanism: HostSwitch] = [:]
  /// In the order of the mechanisms.
  public private(set) var refusals: [Refusal] = []

  /// Nothing is on.
  public init() {}

  /// `unaskable` are the rules that cannot be asked in the kernel, of mechanisms that it is to be asked about.
  public init(_ settings: PolicySettings, _ report: LSMReport, unaskable: [KernelRefusal]) {
    for mechanism in Mechanism.allCases where mechanism.isCall && settings[mechanism].mode != .off {
      choose(mechanism, settings[mechanism], report, unaskable.filter { $0.mechanism == mechanism }.map(\.sentence))
    }
  }

  /// The mechanisms that this one senses.
  public func mechanisms(by sensor: Sensor) -> MechanismSet {
    sensors.reduce(into: MechanismSet()) { set, entry in
      if entry.value == sensor { set.insert(MechanismSet(entry.key)) }
    }
  }

  private mutating func choose(
    _ mechanism: Mechanism, _ settings: MechanismSettings, _ report: LSMReport, _ unaskable: [String]
  ) {
    let hindrances = settings.sense == .audit ? [] : Self.hindrances(of: mechanism, report) + unaskable
    if !hindrances.isEmpty { self.hindrances[mechanism] = hindrances }
    if settings.sense != .audit, hindrances.isEmpty {
      sensors[mechanism] = .bpf
    } else if let refusal = Self.refusal(of: mechanism, settings, hindrances) {
      refusals.append(refusal)
    } else {
      sensors[mechanism] = .audit
      if settings.mode == .enforce, settings.unpreventable == .sysctl { switches[mechanism] = mechanism.hostSwitch }
    }
  }

  /// Nil where audit will do.
  private static func refusal(
    of mechanism: Mechanism, _ settings: MechanismSettings, _ hindrances: [String]
  ) -> Refusal? {
    let name = mechanism.name
    let why = hindrances.joined(separator: "; ")
    if settings.sense == .bpf {
      return Refusal(
        mechanism: mechanism, message: "sense.\(name) asks for the BPF LSM, which cannot be had here: \(why)",
        remedy: "set sense.\(name) = \"auto\""
          + (settings.mode == .enforce && settings.unpreventable == .refuse
            ? " and on_unpreventable.\(name) = \"contain\"" : ""))
    }
    guard settings.mode == .enforce, settings.unpreventable == .refuse else { return nil }
    let means = settings.sense == .audit ? "sense.\(name) asks for audit" : "the BPF LSM cannot be had here: \(why)"
    return Refusal(
      mechanism: mechanism,
      message: "\"enforce\" would have to prevent, and audit tells of the call when it was made; \(means)",
      remedy: "set on_unpreventable.\(name) = \"contain\" to have the call answered afterwards, "
        + (mechanism.hostSwitch.map { "or \"sysctl\" to end it for everybody by \($0.text), " } ?? "")
        + "or mode.\(name) = \"audit\"")
  }

  /// Why this kernel cannot sense the mechanism by its BPF LSM; the first step that failed, since the others rest on it.
  public static func hindrances(of mechanism: Mechanism, _ report: LSMReport) -> [String] {
    if let step = firstFailure(report) { return [step] }
    let missing = report.hooks.filter { $0.mechanism == mechanism.rawValue && $0.isNeeded && !$0.isPresent }
    if !missing.isEmpty { return missing.map(words) }
    guard report.hooks.contains(where: { $0.mechanism == mechanism.rawValue && $0.isPresent }) else {
      return ["no hook of this kernel guards \(mechanism.name)"]
    }
    return []
  }

  /// Which of the three steps failed, with what the kernel said; nil where none did.
  public static func firstFailure(_ report: LSMReport) -> String? {
    if !report.isInList {
      let list = report.list.isEmpty ? "unknown" : report.list
      return "bpf is not among the active LSMs (\(list)); add it to lsm= on the kernel command line"
    }
    if let fault = report.load { return "the kernel refuses Lilium's programs: \(words(of: fault))" }
    if let fault = report.denial { return "a denial was provoked and not seen: \(words(of: fault))" }
    return nil
  }

  private static func words(of hook: LSMReport.Hook) -> String {
    guard let fault = hook.fault else { return "this kernel lacks the hook \(hook.name)" }
    return "the kernel refuses the program of the hook \(hook.name): \(words(of: fault))"
  }

  /// The error, and the line that tells most of what else is known.
  public static func words(of fault: LSMReport.Fault) -> String {
    let line = fault.detail.split(separator: "\n").last { line in !frames.contains { line.contains($0) } }
    guard fault.error.rawValue != 0 else { return line.map(String.init) ?? "no reason is known" }
    return line.map { "\(fault.error) (\($0))" } ?? "\(fault.error)"
  }

  /// What libbpf and the verifier write around the reason, and a guess of libbpf's about kernels before 5.11.
  private static let frames = [
    "failed to load object", "failed to load: ", "PROG LOAD LOG --", "processed ", "'ulimit -l'",
  ]
}
