// Owns the counts of what went wrong between the kernel and Lilium.
// It must not count decisions.

internal import Synchronization
internal import SystemCalls

/// Shared by the threads of a listener.
public final class ListenerLosses: Sendable {
  public enum Kind: Int, CaseIterable, Sendable {
    /// Denied by the kernel: the daemon had no free descriptor for the event.
    case outOfDescriptors
    /// Denied by the kernel: somebody held a write lease on the file, and was told to give way.
    case leased
    /// Answered by the deadline.
    case deadline
    /// Answered without a decision because every thread was waiting.
    case outOfThreads
    /// Dropped without a decision.
    case dropped
    /// The kernel refused the answer: the subject had been killed meanwhile.
    case subjectGone
    /// The kernel refused the answer for another reason.
    case answerRefused
    /// An event could not be read.
    case unreadable
    /// The queue overflowed; cannot happen with an unlimited queue.
    case overflow

    public var name: String {
      switch self {
      case .outOfDescriptors: "out-of-descriptors"
      case .leased: "leased"
      case .deadline: "deadline"
      case .outOfThreads: "out-of-threads"
      case .dropped: "dropped"
      case .subjectGone: "subject-gone"
      case .answerRefused: "answer-refused"
      case .unreadable: "unreadable"
      case .overflow: "overflow"
      }
    }

    /// A killed process waits for no answer, so that is no loss.
    public var isLoss: Bool { self != .subjectGone }
  }

  private let counts = InlineCounts()

  func count(_ kind: Kind) { counts.cells[kind.rawValue].wrappingAdd(1, ordering: .relaxed) }

  func noteAnswer(_ error: Errno) { count(error == .noEntry ? .subjectGone : .answerRefused) }

  public func value(_ kind: Kind) -> UInt64 { counts.cells[kind.rawValue].load(ordering: .relaxed) }
}

private final class InlineCounts: Sendable {
  let cells: InlineArray<9, Atomic<UInt64>> = InlineArray { _ in Atomic(0) }
}
