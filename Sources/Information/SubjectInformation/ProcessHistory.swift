// Owns what is known of the processes that had one number, and which of it a record of a call is about.
// It must not read /proc, and must not choose where two processes may be meant.

internal import AccessModel

/// The last states of one process number, oldest first: one process from program to program, and whoever had the
/// number before it.
struct ProcessHistory {
  private(set) var states: [ProcessState] = []
  /// When a process of this number changed itself without being read: it is no copy of its parent any more.
  private var changedUnseen: Int64?
  /// States of the newest process were dropped: what it was before the first one here is not known.
  private var isTrimmed = false
  /// When the newest process was first seen to hold less than is known of it, without a record that says why.
  private var lostSince: Int64?

  static let depth = 4
  /// So long late records may still be about what is over; in nanoseconds.
  static let keep: Int64 = 10_000_000_000
  /// A record is read so soon after it was made that what was read earlier than this stands before it.
  private static let lag: Int64 = 2_000_000_000

  /// What the record of a call may be about.
  enum Match {
    case found(ProcessState)
    /// Two may be meant, or a process that nothing is known of.
    case unclear
    /// A process that was not looked at before the call: it may be a copy of its parent.
    case unseen
  }

  var newest: ProcessState? { states.last }
  /// Processes that the host had made when the oldest state was read; nil where nobody counted.
  var forks: UInt64? { states.allSatisfy { $0.forks != nil } ? states.compactMap(\.forks).min() : nil }

  /// Takes what was read. `corrects` says that the newest state is the same program, and was wrong.
  mutating func record(_ state: ProcessState, corrects: Bool = false) {
    if let changed = changedUnseen, state.begin > changed { changedUnseen = nil }
    guard let last = states.last else { return states.append(state) }
    // A slower reader may come late.
    if state.subject.startTime < last.subject.startTime || state.since < last.seen { return }
    let isSame = state.subject.startTime == last.subject.startTime
    let index = states.count - 1
    defer { lostSince = nil }
    // It has changed again, and calls in between may come yet: the record of that change comes after them.
    if isSame, corrects, last.fits(state.subject), last.hasLost(in: state) {
      states[index].seen = state.seen
      return
    }
    if isSame, last.agrees(with: state) || (corrects && last.fits(state.subject)) {
      states[index] = state
      states[index].since = last.since
    } else {
      if !isSame { isTrimmed = false }
      states[index].until = state.since
      states.append(state)
      trim(at: state.since)
    }
  }

  /// Drops what no late record can be about any more; how many states went.
  @discardableResult mutating func trim(at now: Int64) -> Int {
    var dropped = 0
    while states.count > 1, states.count > Self.depth || states[0].until < now - Self.keep {
      isTrimmed = isTrimmed || states[0].subject.startTime == states[states.count - 1].subject.startTime
      states.removeFirst()
      dropped += 1
    }
    return dropped
  }

  /// The newest process entered other namespaces: what was known of them holds no longer.
  mutating func forgetNamespaces(at now: Int64) {
    changeNewest(at: now) { $0.known.remove(.subjectNamespaces) }
  }

  /// The newest process set its capabilities. A state that may be younger than the record is only ever lowered.
  mutating func setCapabilities(effective: CapabilitySet, permitted: CapabilitySet, at now: Int64) {
    changeNewest(at: now) { state in
      let isOlder = state.until == .max && state.since < now - Self.lag
      state.subject.effectiveCapabilities = isOlder ? effective : state.subject.effectiveCapabilities & effective
      state.subject.permittedCapabilities = isOlder ? permitted : state.subject.permittedCapabilities & permitted
    }
  }

  /// The process was seen to hold less than is known of it: whether a record of that may come yet. Else it changed by a
  /// way that makes none, as executing a program does.
  mutating func expectsRecord(at now: Int64) -> Bool {
    let first = lostSince ?? now
    lostSince = first
    return now - first < Self.lag
  }

  private mutating func changeNewest(at now: Int64, _ change: (inout ProcessState) -> Void) {
    changedUnseen = now
    lostSince = nil
    guard let start = states.last?.subject.startTime else { return }
    for index in states.indices where states[index].subject.startTime == start { change(&states[index]) }
  }

  /// The state that the record is about. `start` is the caller's start time where it is proven; `round` is how long it
  /// takes at the least until a number can come round again, in nanoseconds.
  func match(_ recorded: SubjectFacts, at moment: CallMoment, start: UInt64?, round: Int64) -> Match {
    guard let start else {
      switch holder(recorded, moment, round) {
      case .process(let start): return match(recorded, at: moment, start: start, round: round)
      case .nobody: return changedUnseen == nil ? .unseen : .unclear
      case .unclear: return .unclear
      }
    }
    let own = states.filter { $0.subject.startTime == start }
    let fitting = own.filter { $0.since <= moment.latest && $0.until >= moment.earliest && $0.fits(recorded) }
    guard let state = fitting.last else {
      let wasSeen = own.first.map { $0.since <= moment.earliest } ?? false
      return wasSeen || isTrimmed || changedUnseen != nil ? .unclear : .unseen
    }
    return fitting.allSatisfy { $0.agrees(with: state) } ? .found(state) : .unclear
  }

  /// Whether a process of this number, about when the call was made or shortly before, was like the caller to look at and
  /// held something else than `state`; or may have been, for it changed itself and was gone before it could be read.
  func contradicts(_ state: ProcessState, _ recorded: SubjectFacts, at moment: CallMoment) -> Bool {
    let first = moment.earliest - Self.keep
    guard !states.isEmpty else { return changedUnseen.map { $0 >= first } ?? false }
    return states.contains { $0.until >= first && $0.fits(recorded) && !$0.holdsSame(as: state) }
  }

  private enum Holder {
    case nobody
    case unclear
    case process(start: UInt64)
  }

  /// Which process had the number when the call was made.
  private func holder(_ recorded: SubjectFacts, _ moment: CallMoment, _ round: Int64) -> Holder {
    guard let index = states.lastIndex(where: { $0.begin <= moment.latest }) else { return .nobody }
    let state = states[index]
    let start = state.subject.startTime
    if moment.earliest < state.begin + CallMoment.tolerance {
      // The number may have been another's when the call was made: known, or told by its parent.
      let isFirst = states[0].subject.startTime == start
      if !isFirst || recorded.parent != state.subject.parent { return .unclear }
    }
    // It may have ended, and another that was never seen may have its number, but not before all others were given.
    if moment.latest > max(state.seen, state.begin + round) { return .unclear }
    return .process(start: start)
  }
}

extension CapabilitySet {
  fileprivate static func & (a: CapabilitySet, b: CapabilitySet) -> CapabilitySet {
    CapabilitySet(bits: a.bits & b.bits)
  }
}
