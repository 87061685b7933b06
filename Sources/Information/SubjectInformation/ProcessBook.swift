// Owns the histories of processes by number, in a ring that is gone round to find those to forget.
// It must not read /proc: it is used under the table's lock.

internal import AccessModel
internal import ProcFS
internal import SystemCalls

struct ProcessBook {
  private struct Slot {
    var history: ProcessHistory
    /// Where it stands in the ring.
    var place: Int
    /// When its newest process was first found gone.
    var gone: Int64?
  }

  private let capacity: Int
  private var slots: [Int32: Slot] = [:]
  private var ring: [Int32] = []
  private var hand = 0
  /// Those that lived and had to make room, and when the last one had to.
  private(set) var forgotten: UInt64 = 0
  private var lastForgotten = Int64.min

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { ring.count }

  /// Somebody who is not known may have been until shortly before `now`.
  func hasForgotten(shortlyBefore now: Int64) -> Bool {
    forgotten > 0 && lastForgotten >= now - ProcessHistory.keep
  }

  /// Whether anybody's history contradicts that such a caller holds what `state` holds. Goes through all of them.
  func contradicts(_ state: ProcessState, _ recorded: SubjectFacts, at moment: CallMoment) -> Bool {
    slots.values.contains { $0.history.contradicts(state, recorded, at: moment) }
  }

  func history(of pid: Int32) -> ProcessHistory? { slots[pid]?.history }

  /// False where there is no room.
  mutating func take(_ state: ProcessState) -> Bool { change(state.subject.pid) { $0.record(state) } }

  /// Puts what a process shows now in place of what was known of the same program.
  mutating func correct(_ state: ProcessState) {
    _ = change(state.subject.pid) { $0.record(state, corrects: true) }
  }

  /// Whether a record may come yet that says why the process holds less than is known of it.
  mutating func expectsRecord(of pid: Int32, at now: Int64) -> Bool {
    slots[pid]?.history.expectsRecord(at: now) ?? false
  }

  /// False where the number is new and there is no room.
  mutating func change(_ pid: Int32, _ change: (inout ProcessHistory) -> Void) -> Bool {
    if slots[pid] == nil {
      if ring.count >= capacity { return false }
      slots[pid] = Slot(history: ProcessHistory(), place: ring.count)
      ring.append(pid)
    }
    change(&slots[pid]!.history)
    slots[pid]!.gone = nil
    return true
  }

  /// The next number in turn and the start of its newest process; nil where nothing is known. A number that only a
  /// change was told of has no start.
  mutating func nextInTurn() -> (pid: Int32, start: UInt64?)? {
    if ring.isEmpty { return nil }
    hand = hand + 1 < ring.count ? hand + 1 : 0
    return (ring[hand], slots[ring[hand]]?.history.newest?.subject.startTime)
  }

  /// Takes note that a process was found gone; forgets it once no late record can be about it.
  mutating func noteGone(_ pid: Int32, start: UInt64?, at now: Int64) {
    guard let slot = slots[pid], slot.history.newest?.subject.startTime == start else { return }
    if let gone = slot.gone, gone < now - ProcessHistory.keep { return remove(pid) }
    if slot.gone == nil { slots[pid]!.gone = now }
  }

  /// Makes room at once. One that is gone is no loss: who makes short-lived processes must not end inheritance by it.
  mutating func evict(_ pid: Int32, isGone: Bool, at now: Int64) {
    guard slots[pid] != nil else { return }
    if !isGone {
      forgotten += 1
      lastForgotten = now
    }
    remove(pid)
  }

  private mutating func remove(_ pid: Int32) {
    guard let place = slots.removeValue(forKey: pid)?.place else { return }
    let last = ring.removeLast()
    if last == pid { return }
    ring[place] = last
    slots[last]?.place = place
  }
}

/// How fast process numbers can come round.
enum NumberRound {
  /// A processor takes microseconds to make a process or a thread and to end it, and the kernel gives numbers one after
  /// another: a whole round takes at least this long, in nanoseconds.
  static func shortest() -> Int64 {
    let each = max(1_000, 4_000 / Int64(ProcessSetup.processorCount))
    return Int64(numbers()) * each
  }

  /// How many numbers there are (proc_sys_kernel(5), pid_max).
  static func numbers() -> UInt64 {
    let text = try? Descriptor.open("/proc/sys/kernel/pid_max", 0).readAll(limit: 32)
    return UInt64(text.flatMap { unsafe $0.withUnsafeBytes { unsafe ProcessNumber.read($0) } } ?? 32768)
  }
}
