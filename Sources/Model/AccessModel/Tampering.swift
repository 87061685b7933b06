// Owns an attempt on Lilium itself that the kernel denied: who, and what it was.
// It must not say how it was noticed, nor decide.

/// Somebody reached for liliumd, its state or what it has in the kernel, and was refused.
public struct Tampering: Sendable {
  /// What was reached for.
  public enum Kind: UInt8, CaseIterable, Sendable, Hashable {
    /// A signal to liliumd or its guard; a look or a hand into its memory; its limits and priorities.
    case signal, trace, limits
    /// Files of Lilium's own; a mount over them; a map of its programs.
    case state, mount, map

    public var name: String {
      switch self {
      case .signal: "signal"
      case .trace: "trace"
      case .limits: "limits"
      case .state: "state"
      case .mount: "mount"
      case .map: "map"
      }
    }
  }

  public var kind: Kind
  /// A few words, as in `SIGKILL to liliumd[233]`.
  public var detail: String
  /// Of the file, as the kernel has it, so that it may hold any byte; empty where it is about none.
  public var name: [UInt8]
  public var subject: SubjectFacts
  /// Which of the subject's facts hold.
  public var present: FactSet
  /// Nanoseconds since the epoch, CLOCK_REALTIME, when the kernel denied it.
  public var time: Int64

  public init(
    kind: Kind, detail: String, name: [UInt8] = [], subject: SubjectFacts, present: FactSet, time: Int64
  ) {
    self.time = time
    self.name = name
    self.kind = kind
    self.detail = detail
    self.subject = subject
    self.present = present
  }
}
