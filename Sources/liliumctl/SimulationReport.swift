// Owns how a simulated decision is told: the facts it rests on, the rules that were tried, the verdict.
// It must not pass a control character of a name on.

internal import AccessModel
internal import Configuration
internal import ControlProtocol
internal import DecisionRecord
internal import PolicyDecision

/// What `simulate --json` writes; schema 1.
struct SimulationReport: Encodable {
  struct Step: Encodable {
    let rule: String
    let text: String
    let verdict: Verdict
    let result: String
    let undecided: [String]
  }

  let schema = 1
  let mechanism: Mechanism
  let verdict: Verdict
  /// As records name it; `data` and `not-watched` where no decision is made.
  let reason: String
  let rule: String?
  /// The configuration has the mechanism off: this is what it would say.
  let isOff: Bool
  let subject: String
  let object: ObjectText
  let trace: [Step]
  /// Why the trust database could not be asked, where a rule asked it.
  let trustProblem: String?

  struct ObjectText: Encodable {
    let path: String
    let pathVerified: Bool
    let owner: UInt32
    let group: UInt32
    let mode: String
    let links: UInt32
    let kind: String
    /// These three stand as in a record: where a rule has asked.
    let sha256: String?
    let trusted: Bool?
    let trust: String?

    private enum CodingKeys: String, CodingKey {
      case path, owner, group, mode, links, kind, sha256, trusted, trust
      case pathVerified = "path_verified"
    }
  }

  private enum CodingKeys: String, CodingKey {
    case schema, mechanism, verdict, reason, rule, subject, object, trace
    case isOff = "mechanism_is_off"
    case trustProblem = "trust_problem"
  }

  init(
    mechanism: Mechanism, facts: Facts, decision: Decision?, isOff: Bool, isData: Bool, isWatched: Bool,
    trace: [TraceStep], trustProblem: String?
  ) {
    self.mechanism = mechanism
    self.isOff = isOff
    verdict = decision?.verdict ?? .allow
    if let decision {
      if case .failure(let failure) = decision.reason { reason = failure.name } else { reason = decision.reason.name }
    } else {
      reason = isData ? "data" : "not-watched"
    }
    rule = decision?.reason.rule?.name
    subject = String(decoding: facts.subject.executable, as: UTF8.self)
    let file = facts.object
    let isTrustKnown = facts.present.contains(.objectTrust)
    self.trustProblem = facts.trustIsUnavailable ? trustProblem : nil
    let digits = String(file.mode, radix: 8)
    object = ObjectText(
      path: String(decoding: file.path, as: UTF8.self), pathVerified: file.pathVerified, owner: file.owner,
      group: file.group, mode: String(repeating: "0", count: max(0, 4 - digits.count)) + digits, links: file.links,
      kind: file.kind.name,
      sha256: facts.present.contains(.objectDigest) ? String(decoding: file.digest.hexadecimal, as: UTF8.self) : nil,
      trusted: isTrustKnown ? file.trust == .trusted : nil,
      trust: isTrustKnown && file.trust != .trusted ? file.trust.name : nil)
    self.trace = trace.map { step in
      Step(
        rule: step.rule.name, text: step.rule.text, verdict: step.verdict, result: Self.word(step.result),
        undecided: step.undecided.map(\.name))
    }
  }

  func rendered(_ paint: Paint) -> String {
    var table = TextTable([("RULE", .left), ("RESULT", .left), ("TEXT", .left)])
    for step in trace {
      let unknown = step.undecided.isEmpty ? "" : " (\(step.undecided.joined(separator: ", ")))"
      table.add(Printable.text(step.rule), step.result + unknown, Printable.text(step.text))
    }
    let shown = displayText(Array(object.path.utf8)) + (object.pathVerified ? "" : " (not verified)")
    var text = "object   \(shown): \(object.kind), owner \(object.owner):\(object.group), mode \(object.mode)\n"
    if let trusted = object.trusted {
      text += "content  \(trusted ? "trusted" : "not trusted: \(object.trust ?? "")")\n"
    }
    if let sha256 = object.sha256 { text += "sha256   \(sha256)\n" }
    if let trustProblem { text += "trust    \(Printable.text(trustProblem))\n" }
    if !table.isEmpty { text += "\n" + table.rendered + "\n" }
    let word = verdict == .deny ? paint.red("deny") : paint.green("allow")
    text += "verdict  \(word): \(explanation)\n"
    if isOff { text += "         \(mechanism.name) is off in the configuration; this is what it would say\n" }
    return text
  }

  private var explanation: String {
    switch reason {
    case "rule": "rule \(Printable.text(rule ?? ""))"
    case "undecided": "rule \(Printable.text(rule ?? "")) cannot be decided, and a deny rule then holds"
    case "default": "no rule matches; this is the default"
    case "data": "the file is opened as data, which exec lets pass"
    case "not-watched": "no open rule names this file; it is not watched"
    case Failure.trustUnavailable.name: "a rule asks the trust database, and there is none; on_failure answers"
    default: reason
    }
  }

  private static func word(_ result: TraceStep.Result) -> String {
    switch result {
    case .matched: "matched"
    case .notMatched: "no match"
    case .undecided: "undecided"
    case .needs: "not known"
    case .failed(let failure): failure.name
    }
  }
}
