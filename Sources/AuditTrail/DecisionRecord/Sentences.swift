// Owns the words in which a record speaks to a person: who did what, what came of it, and why.
// It must not lay out columns or colours: the terminal form does.

internal import AccessModel

extension Decision {
  /// `allow`, `would deny` where the mode does not carry it out, else what carries it out: a file is denied, and a call
  /// is contained.
  var verdictWords: String {
    switch (verdict, mode) {
    case (.allow, _): "allow"
    case (.deny, .enforce): mechanism.isCall ? "contain" : "deny"
    case (.deny, _): "would deny"
    }
  }

  var reasonWords: String {
    switch reason {
    case .off: "mechanism is off"
    case .capability(let held): "holds \(held.name)"
    case .rule(let rule): displaySentence(rule.name)
    case .undecided(let rule): "undecided \(displaySentence(rule.name))"
    case .default: "default"
    case .failure(let failure): "failure: \(failure.name)" + (failure.remedy.map { " (\($0))" } ?? "")
    }
  }
}

/// What to do where there is no trust database that can be believed.
private let trustRemedy = "run liliumctl trust sync"

extension Failure {
  /// What the administrator can do about it, where that is one thing.
  fileprivate var remedy: String? {
    switch self {
    case .trustUnavailable: trustRemedy
    case .writersUnknown: "run sysctl fs.leases-enable=1"
    default: nil
    }
  }
}

extension TrailEntry {
  /// The decision's words, and for a denial what is wrong with the content, where the rules have asked.
  var reasonWords: String {
    let words = decision.reasonWords
    guard decision.verdict == .deny, present.contains(.objectTrust) else { return words }
    switch object.trust {
    case .trusted: return words
    case .unknown: return "\(words): its content is not known to the trust database"
    case .changed: return "\(words): its content has changed"
    case .openForWriting: return "\(words): somebody holds it open for writing"
    }
  }

  /// The decision's words; for a call under `enforce` what came of it, which may be less than was wanted.
  var verdictWords: String {
    guard decision.answer == .deny, decision.mechanism.isCall else { return decision.verdictWords }
    switch effect {
    case .prevented: return "deny"
    case .contained: return "contained"
    case .logged: break
    }
    if let result = call.result, result < 0, present.contains(.call) { return "attempt" }
    return containmentFailure.map { "not contained: \($0.name)" } ?? "not contained"
  }

  /// The path; a mark where it cannot be believed; the inode where there is no path.
  var objectWords: String {
    if decision.mechanism.isCall { return callWords }
    if present.contains(.objectPath) {
      return displayText(object.path) + (object.pathVerified ? "" : " (unverified)")
    }
    guard present.contains(.objectStatus) else { return "(unknown file)" }
    return "(inode \(object.identity.inode) on \(object.identity.device.recordName))"
  }

  /// Empty where nobody waited for a daemon's answer.
  var answerWords: String { answerNanoseconds.map { "\($0 / 1000) µs" } ?? "" }
}

extension AuditRecord {
  /// The sentence of the whole record. One about a denial says what to run to learn more.
  public var message: String {
    guard case .decision(let entry) = event else { return eventWords }
    let decision = entry.decision
    let (verdict, mechanism, object) = (entry.verdictWords, decision.mechanism, entry.objectWords)
    let what =
      mechanism.isCall ? "\(mechanism.name) \(verdict): \(object)" : "\(verdict) \(mechanism.name) of \(object)"
    let sentence = "\(what) by \(entry.seen.words): \(entry.reasonWords)"
    return decision.verdict == .deny ? "\(sentence); to learn more: liliumctl explain \(id)" : sentence
  }

  /// What a record that is no decision says after its kind.
  var eventWords: String {
    switch event {
    case .decision: ""
    case .started(let start): start.words
    case .stopped(let stop): stop.words
    case .policyLoaded(let identity, let rules, let warnings):
      "policy \(displaySentence(identity)) loaded: \(rules) rules, \(warnings.count) warnings"
    case .policyRefused(let diagnostics, let running):
      displaySentence(diagnostics.first ?? "policy refused")
        + (diagnostics.count > 1 ? " (and \(diagnostics.count - 1) more)" : "")
        + (running == nil ? "" : "; the running policy goes on")
    case .modeChanged(let mechanism, let from, let to, let until, let uid):
      "mode of \(mechanism.name) changed from \(from.name) to \(to.name)"
        + (until.map { " until \(CivilTime(nanoseconds: $0).rfc3339)" } ?? "") + (uid.map { " by uid \($0)" } ?? "")
    case .loss(let what, let count): "lost \(count): \(displaySentence(what))"
    case .suppressed(let suppression): suppression.words
    case .coverageChanged(let change): change.words
    case .sensingChanged(let change): "\(displaySentence(change.what)): \(displaySentence(change.detail))"
    case .trustLoaded(let load): load.words
    case .tamperingDenied(let tampering): tampering.words
    }
  }
}

extension DaemonStart {
  fileprivate var words: String {
    let armed = Mechanism.allCases.filter { settings[$0].mode != .off }
    let modes = armed.map { "\($0.name) \(settings[$0].mode.name)" }.joined(separator: ", ")
    let over = predecessor.map { " and took over from process \($0)" } ?? ""
    return "liliumd \(displaySentence(version)) started\(over): \(modes.isEmpty ? "every mechanism is off" : modes)"
  }
}

extension DaemonStop {
  fileprivate var words: String {
    let decided = decisions.reduce(0 as UInt64) { $0 &+ $1.count }
    let denied = decisions.filter { $0.verdict == .deny }.reduce(0 as UInt64) { $0 &+ $1.count }
    let lost = losses.reduce(0 as UInt64) { $0 &+ $1.count }
    return "liliumd stopped (\(displaySentence(cause))) after \(uptimeSeconds) s: "
      + "\(decided) decisions, \(denied) denials, \(lost) losses"
  }
}

extension Suppression {
  fileprivate var words: String {
    "\(count) more of \(sample.verdictWords) \(sample.mechanism.name) (\(sample.reasonWords)) in \(seconds) s"
      + " were not recorded: rate limit"
  }
}

extension Tampering {
  fileprivate var words: String {
    let file = name.isEmpty ? "" : " (\(displayText(name)))"
    return "tampering denied: \(displaySentence(detail))\(file) by \(seen.words)"
  }
}

extension CoverageChange {
  fileprivate var words: String {
    let place = "\(displayText(mountPoint)) (\(displayText(fileSystemType)), \(device.recordName))"
    let why = why.map { ": \(displaySentence($0))" } ?? ""
    return state == .failed ? "cannot mark \(place)\(why)" : "\(state.name) \(place)\(why)"
  }
}

extension TrustLoad {
  fileprivate var words: String {
    if let problem { return "no trust database to ask: \(displaySentence(problem)); \(trustRemedy)" }
    let number = generation.map { " \($0)" } ?? ""
    return "trust database generation\(number) loaded: \(paths) paths, \(contents) contents trusted wherever they lie"
  }
}

/// The file name of a path.
func lastComponent(_ path: [UInt8]) -> [UInt8] {
  guard let slash = path.lastIndex(of: UInt8(ascii: "/")), slash + 1 < path.count else { return path }
  return [UInt8](path[(slash + 1)...])
}
