// Owns what is to be sensed: which mechanisms are on, and which of their requests the policy speaks about.
// It must not know how a kernel is told.

public import AccessModel
internal import AuditNetlink

/// What the system-call mechanisms of one policy need sensed.
public struct SensingPlan: Sendable, Hashable {
  /// In their order.
  public let mechanisms: [Mechanism]
  let doors: [CallDoor]

  /// Mechanisms that are no system calls are left out.
  public init(_ wanted: [(mechanism: Mechanism, filter: RequestFilter)] = []) {
    let calls = wanted.filter { $0.mechanism.isCall }.sorted { $0.mechanism.rawValue < $1.mechanism.rawValue }
    mechanisms = calls.map(\.mechanism)
    doors = calls.flatMap { CallDoor.doors(of: $0.mechanism, $0.filter) }
  }

  /// Also where the policy says nothing about a mechanism that senses only what rules name.
  public var isEmpty: Bool { doors.isEmpty }

  /// The mechanism whose door this call is, if it is one that the plan wants sensed.
  func mechanism(of call: KnownCall, on architecture: AuditArchitecture, _ arguments: CallArguments) -> Mechanism? {
    doors.first { $0.matches(call, on: architecture, arguments) }?.mechanism
  }
}
