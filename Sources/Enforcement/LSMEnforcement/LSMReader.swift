// Owns the thread that takes the kernel's events out of the ring buffer.
// It must not be woken for each event: that would cost the host's calls more than all else (measured 3 to 14 times).

internal import BPFLSM
internal import CBPFLSM
internal import Synchronization
internal import SystemCalls

/// What becomes of an event. For one thread.
protocol EventTaker {
  /// False where it is none that Lilium's programs write. Does not block.
  func take(_ event: lil_event) -> Bool
}

final class LSMReader<Taker: EventTaker>: Sendable {
  /// The ring buffer holds what a busy host denies in such a time many times over.
  private static var pauseMilliseconds: Int32 { 100 }
  /// More than it holds.
  private static var mostEvents: Int32 { 4096 }

  private let programs: LSMPrograms
  private let stopping: WakeUp
  private let broken = Atomic<UInt64>(0)
  /// For the one thread that runs it.
  private let events: Mutex<Taker>

  init(_ programs: LSMPrograms, _ events: sending Taker, until stopping: WakeUp) {
    self.programs = programs
    self.stopping = stopping
    self.events = Mutex(events)
  }

  /// Events that no program of this version writes.
  var malformed: UInt64 { broken.load(ordering: .relaxed) }

  /// Reads until `stopping` is woken, and then once more.
  func run() {
    var isLast = false
    while true {
      takeAll()
      if isLast { return }
      let woken = try? waitForEvents([(stopping.descriptor, PollEvents.input)], milliseconds: Self.pauseMilliseconds)
      isLast = woken?.first != 0
    }
  }

  private func takeAll() {
    events.withLock { events in
      try? programs.consume(most: Self.mostEvents) { event in
        if !events.take(event) { broken.add(1, ordering: .relaxed) }
      }
    }
  }
}
