// Owns doing many small jobs on all cores, with progress and an early end.
// It must not know what a job is; results come to the thread that asked, in any order.

internal import Synchronization
internal import SystemCalls

/// What a long work has done so far.
public struct UpkeepProgress: Sendable, Hashable {
  public enum Stage: Sendable, Hashable {
    /// Reading what the sources say.
    case listing
    /// Looking which files have changed since they were read.
    case comparing
    /// Reading files.
    case reading
    /// Writing the new generation.
    case writing
  }

  public var stage: Stage
  public var files = 0
  public var totalFiles = 0
  public var bytes: UInt64 = 0
  public var totalBytes: UInt64 = 0

  public init(stage: Stage, files: Int = 0, totalFiles: Int = 0, bytes: UInt64 = 0, totalBytes: UInt64 = 0) {
    self.stage = stage
    self.files = files
    self.totalFiles = totalFiles
    self.bytes = bytes
    self.totalBytes = totalBytes
  }
}

/// Threads that share a list of jobs.
final class Crew<Job: Sendable, Outcome: Sendable>: Sendable {
  private struct State {
    var next = 0
    var outcomes: [(job: Int, outcome: Outcome)] = []
    var running: Int
  }

  private let jobs: [Job]
  private let state: Mutex<State>
  private let wakeUp: WakeUp
  private let isCancelled = Atomic(false)
  private let bytes = Atomic<UInt64>(0)

  /// Jobs that a thread takes at once: few, for a large file must not keep others waiting behind it.
  private static var handful: Int { 16 }

  init(_ jobs: [Job], threads: Int) throws(Errno) {
    self.jobs = jobs
    state = Mutex(State(running: max(1, min(threads, jobs.count))))
    wakeUp = try WakeUp()
  }

  /// Bytes that the work has told of.
  var byteCount: UInt64 { bytes.load(ordering: .relaxed) }

  /// Runs `makeWork` once a thread and the work that it gives for every job. The work may tell bytes, and hears whether
  /// to go on. `deliver` gets what is done, a few times a second, and ends everything by false: then what is done comes
  /// once more, and false is the result.
  func run(
    makeWork: @escaping @Sendable () -> (Job, (Int) -> Bool) -> Outcome,
    deliver: ([(job: Int, outcome: Outcome)]) throws -> Bool
  ) throws -> Bool {
    let count = state.withLock { $0.running }
    var threads: [Thread] = []
    defer { for thread in threads { thread.join() } }
    for index in 0..<count {
      do throws(Errno) { threads.append(try Thread.start("lilium-\(index)") { [self] in labour(makeWork()) }) } catch {
        // Fewer threads do as well, none does not.
        state.withLock { $0.running -= count - index }
        if index == 0 { throw error }
        break
      }
    }
    do {
      while true {
        _ = try? waitForEvents([(wakeUp.descriptor, PollEvents.input)], milliseconds: 200)
        wakeUp.clear()
        let (done, isOver) = take()
        if try !deliver(done) { isCancelled.store(true, ordering: .relaxed) }
        if isOver { return !isCancelled.load(ordering: .relaxed) }
      }
    } catch {
      isCancelled.store(true, ordering: .relaxed)
      throw error
    }
  }

  private func take() -> (outcomes: [(job: Int, outcome: Outcome)], isOver: Bool) {
    state.withLock { state in
      let outcomes = state.outcomes
      state.outcomes = []
      return (outcomes, state.running == 0)
    }
  }

  private func labour(_ work: (Job, (Int) -> Bool) -> Outcome) {
    var done: [(job: Int, outcome: Outcome)] = []
    while !isCancelled.load(ordering: .relaxed) {
      let range = state.withLock { state in
        state.outcomes += done
        let begin = state.next
        state.next = min(jobs.count, begin + Self.handful)
        return begin..<state.next
      }
      done = []
      if range.isEmpty { break }
      for index in range where !isCancelled.load(ordering: .relaxed) {
        let outcome = work(jobs[index]) { count in
          bytes.wrappingAdd(UInt64(count), ordering: .relaxed)
          return !isCancelled.load(ordering: .relaxed)
        }
        done.append((index, outcome))
      }
    }
    let isLast = state.withLock { state in
      state.outcomes += done
      state.running -= 1
      return state.running == 0
    }
    if isLast { wakeUp.wake() }
  }
}
