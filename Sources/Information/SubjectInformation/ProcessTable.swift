// Owns what is known of the processes of this host, by number and start time, for calls whose records come after them.
// It must not be believed where a record does not fit it, and must not read while it holds its lock.

public import AccessModel
internal import ProcFS
internal import Synchronization
internal import SystemCalls

/// Shared by all threads. Bounded: where it is full, one that is gone makes room, or else another.
public final class ProcessTable: SubjectChronicle {
  private let book: Mutex<ProcessBook>
  private let namespaces: InitialNamespaces
  /// How long it takes at the least until a number is given again, in nanoseconds.
  private let round: Int64
  /// As many new processes at the least as it takes until a number is given again.
  private let roundOfForks: UInt64
  private let forks = ForkMeter()
  /// The most processes that are kept.
  public static let capacity = 65536

  public convenience init(namespaces: InitialNamespaces) {
    self.init(
      namespaces: namespaces, capacity: Self.capacity, round: NumberRound.shortest(), numbers: NumberRound.numbers())
  }

  init(namespaces: InitialNamespaces, capacity: Int, round: Int64, numbers: UInt64) {
    self.namespaces = namespaces
    self.round = round
    // Those that live are passed over, and are never as many.
    roundOfForks = numbers / 2
    book = Mutex(ProcessBook(capacity: capacity))
  }

  /// Processes that are known.
  public var count: Int { book.withLock { $0.count } }
  /// Living processes that were forgotten for want of room, all in all. For a while after each nothing is inherited: who
  /// is not known may have been.
  public var forgotten: UInt64 { book.withLock { $0.forgotten } }

  /// A reader belongs to one thread; callers that keep none get one.
  func makeReader() -> ProcessReading { ProcessReading(namespaces: namespaces, cachedOnly: true) }

  // MARK: Taking note

  /// Reads a process and keeps what it is; false where it is gone or cannot be read.
  @discardableResult public func note(_ pid: Int32, how: Sighting) -> Bool {
    note(pid, how: how, by: makeReader())
  }

  /// The same with the caller's own reader.
  @discardableResult func note(_ pid: Int32, how: Sighting, by reading: ProcessReading) -> Bool {
    guard let state = reading.readState(pid, how) else { return false }
    take(state)
    return true
  }

  /// Keeps a state that was read.
  func take(_ state: ProcessState) {
    var state = state
    state.forks = forks.recent
    let hasRoom = book.withLock { $0.take(state) }
    if hasRoom { return }
    makeRoom()
    book.withLock { _ = $0.take(state) }
  }

  /// Notes every process that lives now.
  public func scan() {
    let reading = makeReader()
    for pid in ProcessList.pids() { note(pid, how: .scanned, by: reading) }
  }

  public func capabilitiesSet(pid: Int32, effective: CapabilitySet, permitted: CapabilitySet) {
    change(pid) { $0.setCapabilities(effective: effective, permitted: permitted, at: $1) }
  }

  public func namespacesChanged(pid: Int32) {
    change(pid) { $0.forgetNamespaces(at: $1) }
  }

  /// Changes what is known, then looks whether the process lives and shows what it is now.
  private func change(_ pid: Int32, _ change: (inout ProcessHistory, _ now: Int64) -> Void) {
    guard pid > 0 else { return }
    let now = Clock.sinceBoot()
    let hasRoom = book.withLock { $0.change(pid) { change(&$0, now) } }
    if !hasRoom {
      makeRoom()
      _ = book.withLock { $0.change(pid) { change(&$0, now) } }
    }
    if let state = makeReader().readState(pid, .scanned) { book.withLock { $0.correct(state) } }
    tidy()
  }

  /// A process was seen to hold less than is known of it: whether a record that says why may come yet.
  func expectsRecord(of pid: Int32) -> Bool {
    let now = Clock.sinceBoot()
    return book.withLock { $0.expectsRecord(of: pid, at: now) }
  }

  // MARK: Asking

  /// What is known of the caller of the call that `facts` describe, as it was when it made the call, and how sure that
  /// is: its own state where the record fits it, or the parent's, of which it is a copy. Nil where nothing is known or
  /// two may be meant.
  public func state(of facts: Facts) -> (state: ProcessState, certainty: IdentityCertainty)? {
    state(of: facts, by: makeReader())
  }

  /// The same with the caller's own reader.
  func state(of facts: Facts, by reading: ProcessReading) -> (state: ProcessState, certainty: IdentityCertainty)? {
    guard let moment = CallMoment(facts.call), let match = match(facts, at: moment) else { return nil }
    switch match {
    case .found(let state): return (state, .certain)
    case .unclear: return nil
    case .unseen: return inherited(facts.subject, moment, reading).map { ($0, .inherited) }
    }
  }

  /// The caller's own state, nobody else's.
  func ownState(of facts: Facts) -> ProcessState? {
    guard let moment = CallMoment(facts.call), case .found(let state) = match(facts, at: moment) else { return nil }
    return state
  }

  /// Nil where the record is torn.
  private func match(_ facts: Facts, at moment: CallMoment) -> ProcessHistory.Match? {
    guard facts.present.contains(.subjectStatus) else { return nil }
    let start = facts.present.contains(.subjectStat) ? facts.subject.startTime : nil
    return match(facts.subject.pid, facts.subject, at: moment, start: start)
  }

  /// Whether the caller, of whose call nothing but the record may be left, is known to have lived in the initial user
  /// and mount namespaces when it made the call. False where that is not certain: a parent's are no proof.
  public func livedInInitialMountNamespace(_ facts: Facts) -> Bool {
    guard let found = state(of: facts), found.certainty == .certain, found.state.known.contains(.subjectNamespaces)
    else { return false }
    return found.state.subject.userNamespaceInitial && found.state.subject.mountNamespaceInitial
  }

  /// The parent's state, where the record fits it. Only one level: who knows what lies between. A parent proves no
  /// parentage: a child of another can be given to it (clone(2), CLONE_PARENT; PR_SET_CHILD_SUBREAPER). So nobody who
  /// looks like the caller may hold anything else.
  private func inherited(
    _ recorded: SubjectFacts, _ moment: CallMoment, _ reading: ProcessReading
  ) -> ProcessState? {
    guard recorded.parent > 0 else { return nil }
    // Who has the number now and had it before the call had it then.
    let living = reading.startTime(of: recorded.parent).flatMap {
      CallMoment.nanoseconds(ofTicks: $0) + CallMoment.tolerance <= moment.earliest ? $0 : nil
    }
    guard case .found(let state) = match(recorded.parent, recorded, at: moment, start: living) else { return nil }
    guard state.since <= moment.latest else { return nil }
    let now = Clock.sinceBoot()
    let isDoubtful = book.withLock {
      $0.hasForgotten(shortlyBefore: now) || $0.contradicts(state, recorded, at: moment)
    }
    return isDoubtful ? nil : state
  }

  private func match(
    _ pid: Int32, _ recorded: SubjectFacts, at moment: CallMoment, start: UInt64?
  ) -> ProcessHistory.Match {
    let history = book.withLock { $0.history(of: pid) }
    guard let history else { return .unseen }
    let match = history.match(recorded, at: moment, start: start, round: round)
    guard case .unclear = match, start == nil, hasNotComeRound(since: history.forks) else { return match }
    let likely = history.match(recorded, at: moment, start: start, round: .max / 4)
    guard case .found(let state) = likely else { return likely }
    return Self.isWorthNothingToOthers(state) ? likely : .unclear
  }

  /// The count leaves out forks that failed, and those use up numbers too: who wants another's number can have it before
  /// the count says so. It is of no use where there is nothing to gain by it, or where only root passes for it.
  private static func isWorthNothingToOthers(_ state: ProcessState) -> Bool {
    state.subject.uid == 0 || state.subject.effectiveCapabilities.bits == 0
  }

  /// Fewer processes were made since than it takes until a number is another's.
  private func hasNotComeRound(since count: UInt64?) -> Bool {
    guard let count, let now = forks.current, now >= count else { return false }
    return now - count < roundOfForks
  }

  // MARK: Keeping it small

  /// Looks whether the next few processes in turn still live, and forgets those that are long gone: found gone twice,
  /// so four looks for each that is noted keep the table to about twice those that live.
  func tidy(_ looks: Int = 4) {
    for _ in 0..<looks {
      guard let next = book.withLock({ $0.nextInTurn() }) else { return }
      if Self.isThere(next.pid) { continue }
      let now = Clock.sinceBoot()
      book.withLock { $0.noteGone(next.pid, start: next.start, at: now) }
    }
  }

  /// Somebody has the number: another than was noted is told by its start when it matters, and goes in its turn.
  private static func isThere(_ pid: Int32) -> Bool { (try? ProcessFile.folder.status(pid: pid)) != nil }

  /// A few looks at most, so that nobody who is held waits long: then the next in turn goes, alive or not.
  private func makeRoom() {
    let now = Clock.sinceBoot()
    for look in 1...4 {
      guard let next = book.withLock({ $0.nextInTurn() }) else { return }
      let isGone = !Self.isThere(next.pid)
      if isGone || look == 4 { return book.withLock { $0.evict(next.pid, isGone: isGone, at: now) } }
    }
  }
}
