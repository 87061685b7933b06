// Owns Lilium's rules in the kernel: puts them there, keeps them there, takes exactly them away.
// It must not touch a rule whose key does not begin with `lilium.`, nor the failure flag.

public import AuditNetlink
internal import Synchronization
public import SystemCalls

/// What is configured about auditing.
public struct AuditPreferences: Sendable, Hashable {
  /// Raised to this where the kernel's is lower; 0 leaves it.
  public var backlogLimit: UInt32
  /// Rules that somebody deleted are put back.
  public var restoresRules: Bool

  public init(backlogLimit: UInt32, restoresRules: Bool) {
    self.backlogLimit = backlogLimit
    self.restoresRules = restoresRules
  }
}

/// What the keeper did to the host, for the record.
public enum AuditChange: Sendable, Hashable {
  /// Auditing was off; all records of the kernel flow from now on.
  case switchedOn
  case backlogRaised(from: UInt32, to: UInt32)
  /// Somebody had deleted so many of Lilium's rules.
  case restored(rules: Int)
  /// Somebody had switched auditing off.
  case switchedOnAgain
  /// Somebody deleted rules, or switched auditing off, and it stays so.
  case blind(why: String)
}

public final class RuleKeeper: Sendable {
  private struct State {
    var wanted: [CompiledRule] = []
    var preferences = AuditPreferences(backlogLimit: 0, restoresRules: true)
    var isMissing = false
    /// The backlog limit that was raised, and to what.
    var raised: (from: UInt32, to: UInt32)?
    /// Another daemon looks after the rules.
    var isResting = false
  }

  private let control: AuditControl
  private let marker: String
  private let state = Mutex(State())
  /// Held for the whole of a change: whoever looks for deleted rules must not meet one that is half made.
  private let changing = Mutex(())

  /// `marker` is the path of the file that says, over a crash, that it was Lilium that switched auditing on.
  public init(marker: String) throws(Errno) {
    control = try AuditControl()
    self.marker = marker
  }

  public var wanted: [CompiledRule] { state.withLock { $0.wanted } }
  public var isSwitchedOnByLilium: Bool {
    unsafe PathBytes(marker).withPointer { path in (try? unsafe FileStatus.of(path: path)) != nil }
  }

  public func status() throws(Errno) -> AuditStatus { try control.status() }
  public func listed() throws(Errno) -> [ListedRule] { try control.rules() }
  public func obstacles() throws(Errno) -> [AuditObstacle] {
    AuditObstacle.survey(status: try status(), listed: try listed(), wanted: wanted)
  }

  /// Puts these rules in force and takes away what else bears Lilium's keys, unless another daemon still goes by it.
  /// Rules that stay are not touched, so that nothing is unseen meanwhile. EPERM where auditing is locked and rules are
  /// missing.
  public func install(
    _ rules: [CompiledRule], _ preferences: AuditPreferences, sparingOthers: Bool = false
  ) throws(Errno) -> [AuditChange] {
    try changing.withLock { _ throws(Errno) in try put(rules, preferences, sparingOthers: sparingOthers) }
  }

  /// Leaves the rules to another daemon, which may put others in force. Once no `restore` is under way, it returns.
  public func rest() { changing.withLock { _ in state.withLock { $0.isResting = true } } }

  /// The other one has ended, and may have left its own rules: exactly those that were in force are again, and none of
  /// them is missing meanwhile.
  public func resume() throws(Errno) {
    try changing.withLock { _ throws(Errno) in
      let (rules, preferences) = state.withLock { state in
        state.isResting = false
        return (state.wanted, state.preferences)
      }
      if !rules.isEmpty { _ = try put(rules, preferences, sparingOthers: false) }
    }
  }

  /// What the kernel's backlog limit was raised from and to, by this daemon or one that it took over from.
  public var raisedBacklog: (from: UInt32, to: UInt32)? {
    get { state.withLock { $0.raised } }
    set { state.withLock { $0.raised = newValue } }
  }

  private func put(
    _ rules: [CompiledRule], _ preferences: AuditPreferences, sparingOthers: Bool
  ) throws(Errno) -> [AuditChange] {
    let before = try control.status()
    let own = try control.rules().filter(Self.isOwn)
    for rule in rules where !own.contains(where: { $0.matches(rule.rule) }) { try add(rule.rule) }
    for stale in own where !sparingOthers && !rules.contains(where: { stale.matches($0.rule) }) {
      do throws(Errno) { try control.delete(stale) } catch {
        // Locked: it can only report what nobody asks about any more.
        if error != .noEntry, error != .permission { throw error }
      }
    }
    state.withLock {
      $0.wanted = rules
      $0.preferences = preferences
    }
    if rules.isEmpty { return [] }
    // From before the host was booted anew: what is on now, somebody else switched on.
    if before.isOn, own.isEmpty { try? ProcessSetup.removeFile(marker) }
    var changes: [AuditChange] = []
    if before.backlogLimit != 0, before.backlogLimit < preferences.backlogLimit, !before.isLocked {
      try control.setBacklogLimit(preferences.backlogLimit)
      state.withLock { $0.raised = ($0.raised?.from ?? before.backlogLimit, preferences.backlogLimit) }
      changes.append(.backlogRaised(from: before.backlogLimit, to: preferences.backlogLimit))
    }
    if !before.isOn {
      // Before the switch: whoever comes after a crash must know.
      createMarker()
      try control.setEnabled(true)
      changes.append(.switchedOn)
    }
    return changes
  }

  private func add(_ rule: AuditRule) throws(Errno) {
    do throws(Errno) { try control.add(rule) } catch {
      if error != .exists { throw error }
    }
  }

  /// Looks whether the rules are still there, and puts back what is not.
  public func restore() throws(Errno) -> [AuditChange] {
    try changing.withLock { _ throws(Errno) in try putBack() }
  }

  private func putBack() throws(Errno) -> [AuditChange] {
    let (rules, preferences, wasMissing, isResting) = state.withLock {
      ($0.wanted, $0.preferences, $0.isMissing, $0.isResting)
    }
    if rules.isEmpty || isResting { return [] }
    let now = try control.status()
    let listed = try control.rules()
    let gone = rules.filter { rule in !listed.contains { $0.matches(rule.rule) } }
    if gone.isEmpty, now.isOn {
      state.withLock { $0.isMissing = false }
      return []
    }
    guard preferences.restoresRules, !now.isLocked else {
      state.withLock { $0.isMissing = true }
      if wasMissing { return [] }
      return [
        .blind(why: now.isOn ? "\(gone.count) of \(rules.count) rules were deleted" : "auditing was switched off")
      ]
    }
    for rule in gone { try add(rule.rule) }
    var changes: [AuditChange] = gone.isEmpty ? [] : [.restored(rules: gone.count)]
    if !now.isOn {
      createMarker()
      try control.setEnabled(true)
      changes.append(.switchedOnAgain)
    }
    return changes
  }

  /// Takes every rule with Lilium's keys away, and switches auditing off again where it was Lilium that switched it on
  /// and nobody else uses it. Also for what another liliumd left behind when it was killed.
  public func remove() throws(Errno) {
    try changing.withLock { _ throws(Errno) in try takeAway() }
  }

  private func takeAway() throws(Errno) {
    state.withLock { $0.wanted = [] }
    for rule in try control.rules() where Self.isOwn(rule) {
      do throws(Errno) { try control.delete(rule) } catch {
        if error != .noEntry, error != .permission { throw error }
      }
    }
    let now = try control.status()
    if let raised = state.withLock({ $0.raised }), now.backlogLimit == raised.to, now.pid == 0, !now.isLocked {
      try control.setBacklogLimit(raised.from)
    }
    state.withLock { $0.raised = nil }
    guard isSwitchedOnByLilium else { return }
    if now.enabled == 1, now.pid == 0, try control.rules().isEmpty { try control.setEnabled(false) }
    try? ProcessSetup.removeFile(marker)
  }

  /// A rule that has other keys as well was not made by Lilium.
  static func isOwn(_ rule: ListedRule) -> Bool {
    rule.key.starts(with: RuleCompiler.keyPrefix.utf8) && !rule.key.contains(1)
  }

  private func createMarker() {
    _ = try? Descriptor.open(marker, Self.createAndWrite, mode: 0o600)
  }

  private static let createAndWrite: Int32 = 0o101
}
